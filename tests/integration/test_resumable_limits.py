"""Limits hold for what comes in pieces, and what is over is swept away."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import insert, text, update

from tests.conftest import new_database_url
from tests.resuming import HALF, WAV, Upload, pieces, stored
from tests.service import (
    Caller,
    Server,
    assert_problem,
    execute,
    running,
    transaction,
    wait_for,
)
from wavepost.storage.models import Piece, ResumableUpload


@pytest.fixture(scope="module")
def server(
    database_kind: str,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp(database_kind)
    settings = {
        "database_url": new_database_url(database_kind, folder, request),
        "max_upload_bytes": "5000000",
        "unfinished_bytes": "7000000",
        "resumable_hours": str(5 / 3600),
        "abandoned_seconds": "1",
    }
    with running(folder / "log", **settings) as server:
        yield server
        assert "Traceback" not in server.log


def test_what_is_announced_counts(ann: Caller) -> None:
    first = Upload(ann, 4_500_000)
    assert_problem(Upload(ann, 4_500_000).answer, 403, "quota_exceeded")
    assert first.give_up().status_code == 204
    assert Upload(ann, 4_500_000).answer.status_code == 201


def test_what_comes_unannounced_counts_as_it_comes(ann: Caller, bob: Caller) -> None:
    Upload(ann, 4_500_000)
    upload = Upload(ann, None)
    answer = upload.add(0, pieces(bytes(4_900_000)))
    assert_problem(answer, 403, "quota_exceeded")
    assert upload.offset <= 2_500_000
    assert_problem(Upload(bob, None).add(0, pieces(bytes(5_100_000))), 413, "too_large")


def test_what_is_announced_at_once_counts_together(ann: Caller, server: Server) -> None:
    Upload(ann, None, filename="one")
    other = Upload(ann, None)
    answers = []
    announcing = threading.Thread(
        target=lambda: answers.append(other.add(0, b"", upload_length="4500000"))
    )
    with transaction(server.settings["database_url"]) as connection:
        # As another request for the first one does.
        connection.execute(text("UPDATE users SET name = name"))
        connection.execute(text("UPDATE resumable_uploads SET length = 4500000 WHERE name = 'one'"))
        announcing.start()
        announcing.join(0.5)
    announcing.join()
    assert_problem(answers[0], 403, "quota_exceeded")


def test_what_is_abandoned_is_swept_away_with_its_pieces(ann: Caller, server: Server) -> None:
    record = Upload(ann, len(WAV), body=WAV).record
    upload = Upload(ann, len(WAV))
    upload.add(0, WAV[:HALF])
    wait_for(lambda: ann.get(upload.path).status_code == 404, "its time to be over")
    count = "SELECT count(*) FROM resumable_uploads"
    wait_for(lambda: execute(server.settings["database_url"], count) == 0, "the sweep")
    assert stored(server, upload) == 0
    assert_problem(upload.add(HALF, WAV[HALF:]), 404, "not_found")
    assert ann.get(f"/records/{record['id']}").status_code == 200


def test_pieces_go_once_there_is_a_record(ann: Caller, server: Server) -> None:
    upload = Upload(ann, len(WAV), body=WAV)
    wait_for(lambda: stored(server, upload) == 0, "the sweep")
    assert upload.record["status"] == "ready"


def test_others_write_while_many_pieces_are_swept(database_url: str, tmp_path) -> None:
    with running(tmp_path / "log", database_url=database_url) as server:
        upload = Upload(Caller(server), 10**6)
    upload_id = UUID(upload.path.rpartition("/")[2])
    rows = [{"upload_id": upload_id, "start": start, "data": b"x"} for start in range(20_000)]
    with transaction(database_url) as connection:
        connection.execute(insert(Piece), rows)
        connection.execute(
            update(ResumableUpload).values(touched_at=datetime(2020, 1, 1, tzinfo=UTC))
        )
    with running(tmp_path / "log", database_url=database_url) as server:
        for name in "Ann", "Bob":
            started = time.monotonic()
            Caller(server, name)
            assert time.monotonic() - started < 2
        assert stored(server, upload) > 0
