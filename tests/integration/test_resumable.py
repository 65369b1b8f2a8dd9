"""Resumable uploads: what came stays, and any server takes the next piece."""

import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, text, update

from tests import sound
from tests.resuming import PIECE_TYPE, TUS, Upload, stored
from tests.service import (
    Caller,
    Server,
    assert_problem,
    converting,
    execute,
    running,
    transaction,
    wait_for,
)
from wavepost.storage.database import is_sqlite
from wavepost.storage.models import Piece, ResumableUpload

RATE = 44_100
SOUND = sound.speech_like(50, RATE)
WAV = sound.wav(SOUND, RATE)
HALF = len(WAV) // 2


def pieces(data: bytes, size: int = 64 * 1024) -> Iterator[bytes]:
    """Chunked, so that the server does not know how much comes."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


def holder(server: Server, upload: Upload) -> Any:
    """The request that adds to the upload."""
    url = server.settings["database_url"]
    query = "SELECT holder FROM resumable_uploads WHERE id = :id"
    upload_id: Any = UUID(upload.path.rpartition("/")[2])
    return execute(url, query, id=upload_id.hex if is_sqlite(url) else upload_id)


def begun(server: Server, caller: Caller) -> int:
    """How many uploads of the caller's the database has."""
    url = server.settings["database_url"]
    user_id: Any = UUID(caller.id)
    query = "SELECT count(*) FROM resumable_uploads WHERE user_id = :id"
    return int(execute(url, query, id=user_id.hex if is_sqlite(url) else user_id))


def test_pieces_become_the_recording_that_the_whole_would_have_become(ann: Caller) -> None:
    whole = ann.post(WAV, name="whole.wav").json()
    upload = Upload(ann, len(WAV), filename="звонок.wav")
    assert upload.answer.status_code == 201
    for start in range(0, len(WAV), 1_700_001):
        piece = WAV[start : start + 1_700_001]
        answer = upload.add(start, piece)
        assert answer.status_code == 204
        assert answer.headers["upload-offset"] == str(start + len(piece))
    assert upload.offset == len(WAV)
    record = upload.record
    assert record == ann.get(f"/records/{record['id']}").json()
    assert record["name"] == "звонок.wav"
    assert record["receipt"]["source"] == whole["receipt"]["source"]
    assert record["receipt"]["mp3"] == whole["receipt"]["mp3"]
    mp3 = ann.server.client.get(record["url"]).content
    assert mp3 == ann.server.client.get(whole["url"]).content


def test_one_request_may_bring_it_all(ann: Caller) -> None:
    upload = Upload(ann, len(WAV), body=WAV, bitrate=96)
    assert upload.answer.status_code == 201
    assert upload.answer.headers["upload-offset"] == str(len(WAV))
    assert upload.record["bitrate"] == 96


def test_what_came_before_the_line_was_cut_stays(ann: Caller, server: Server) -> None:
    upload = Upload(ann, len(WAV))
    connection = upload.sending(server, 0, len(WAV), WAV[:HALF])
    wait_for(lambda: upload.show()["offset"] > 0, "the first pieces")
    connection.close()
    wait_for(lambda: upload.show()["offset"] == HALF, "the rest of them")
    assert upload.add(HALF, WAV[HALF:]).status_code == 204
    assert len(sound.decode(server.client.get(upload.record["url"]).content)[0]) == len(SOUND)


def test_who_asks_where_it_stands_is_the_one_that_goes_on(ann: Caller, server: Server) -> None:
    upload = Upload(ann, len(WAV))
    with upload.sending(server, 0, len(WAV), WAV[:HALF]) as forgotten:
        wait_for(lambda: upload.show()["offset"] > 0, "the first pieces")
        offset = upload.offset
        forgotten.sendall(WAV[HALF:])
        assert b"409" in forgotten.recv(1000).split(b"\r\n")[0]
        assert upload.offset == offset
    assert upload.add(offset, WAV[offset:]).status_code == 204
    assert upload.record["receipt"]["source"]["bytes"] == len(WAV)


def test_any_server_on_the_database_takes_the_next_piece(database_url: str, tmp_path) -> None:
    with (
        running(tmp_path / "one", database_url=database_url) as one,
        running(tmp_path / "two", database_url=database_url) as two,
    ):
        ann = Caller(one)
        upload = Upload(ann, len(WAV))
        for start in range(0, len(WAV), HALF // 2):
            ann.server = two if ann.server is one else one
            assert upload.add(start, WAV[start : start + HALF // 2]).status_code == 204
        ann.server = one
        assert upload.record["receipt"]["source"]["bytes"] == len(WAV)


def test_a_server_that_was_killed_has_what_it_had_stored(database_url: str, tmp_path) -> None:
    with running(tmp_path / "log", database_url=database_url) as server:
        ann = Caller(server)
        upload = Upload(ann, len(WAV))
        connection = upload.sending(server, 0, len(WAV), WAV[:HALF])
        wait_for(lambda: upload.show()["offset"] > 0, "the first pieces")
        server.process.kill()
        connection.close()
    with running(tmp_path / "log", database_url=database_url) as server:
        ann.server = server
        offset = upload.offset
        assert 0 < offset <= HALF
        assert upload.add(offset, WAV[offset:]).status_code == 204
        assert upload.record["receipt"]["source"]["bytes"] == len(WAV)


def test_a_length_may_be_told_with_any_piece(ann: Caller) -> None:
    upload = Upload(ann, None)
    assert upload.head().headers["upload-defer-length"] == "1"
    assert upload.add(0, pieces(WAV[:HALF])).status_code == 204
    assert upload.add(HALF, pieces(WAV[HALF:])).status_code == 204
    assert upload.show()["record"] is None
    answer = upload.add(len(WAV), b"", upload_length=str(len(WAV)))
    assert answer.status_code == 204
    assert upload.record["receipt"]["source"]["bytes"] == len(WAV)


def test_a_length_once_told_holds(ann: Caller) -> None:
    upload = Upload(ann, None)
    assert upload.add(0, WAV[:HALF], upload_length=str(len(WAV))).status_code == 204
    assert upload.head().headers["upload-length"] == str(len(WAV))
    answer = upload.add(HALF, WAV[HALF:], upload_length=str(len(WAV) + 1))
    assert_problem(answer, 422, "invalid_request")
    assert_problem(upload.add(HALF, pieces(WAV[HALF:] + b"more")), 413, "too_large")
    offset = upload.offset
    assert HALF <= offset < len(WAV)
    assert upload.add(offset, WAV[offset:]).status_code == 204
    assert upload.record["receipt"]["source"]["bytes"] == len(WAV)


def test_a_length_is_no_less_than_what_is_here(ann: Caller) -> None:
    upload = Upload(ann, None)
    assert upload.add(0, WAV[:HALF]).status_code == 204
    answer = upload.add(HALF, b"", upload_length=str(HALF - 1))
    assert_problem(answer, 422, "invalid_request")
    assert upload.add(HALF, WAV[HALF:], upload_length=str(len(WAV))).status_code == 204
    assert upload.record["receipt"]["source"]["bytes"] == len(WAV)


def test_a_forgotten_request_ends_no_upload_that_another_goes_on_with(
    ann: Caller, server: Server
) -> None:
    short = sound.wav(sound.tone(1, RATE), RATE)
    upload = Upload(ann, len(short))
    with upload.sending(server, 0, len(short), b"no") as forgotten:
        wait_for(lambda: holder(server, upload), "it to begin")
        assert upload.add(0, short[:100]).status_code == 204
        forgotten.sendall(bytes(len(short) - 2))
        assert b"415" in forgotten.recv(1000).split(b"\r\n")[0]
    assert upload.add(100, short[100:]).status_code == 204
    assert upload.record["receipt"]["source"]["bytes"] == len(short)


def test_nobody_takes_over_what_is_being_converted(ann: Caller, server: Server) -> None:
    long = sound.wav(sound.speech_like(300, RATE), RATE)
    upload = Upload(ann, len(long))
    answers = []
    sending = threading.Thread(target=lambda: answers.append(upload.add(0, pieces(long))))
    sending.start()
    wait_for(lambda: converting(server), "the conversion")
    answer = upload.head()
    assert (answer.status_code, answer.headers["retry-after"]) == (423, "2")
    assert_problem(upload.add(0, b""), 423, "upload_locked")
    sending.join()
    assert answers[0].status_code == 204
    assert upload.offset == len(long)


def test_where_no_converter_is_free_the_end_is_sent_again(database_url: str, tmp_path) -> None:
    settings = {"converters": "1", "converter_queue": "0", "converter_wait_seconds": "0.1"}
    with running(tmp_path / "log", database_url=database_url, **settings) as server:
        ann, bob = Caller(server), Caller(server, "Bob")
        upload = Upload(ann, len(WAV))
        assert upload.add(0, WAV[:HALF]).status_code == 204
        held = Upload(bob, len(WAV))
        with held.sending(server, 0, len(WAV), WAV[:HALF]):
            wait_for(lambda: converting(server), "the converter to be taken")
            assert_problem(upload.add(HALF, pieces(WAV[HALF:])), 503, "busy")
        offset = upload.offset
        assert HALF < offset < len(WAV)
        wait_for(lambda: not converting(server), "the converter to be free")
        assert upload.add(offset, WAV[offset:]).status_code == 204
        assert upload.record["receipt"]["source"]["bytes"] == len(WAV)


def test_what_is_no_wav_is_refused_while_it_comes_and_goes(ann: Caller, server: Server) -> None:
    upload = Upload(ann, 10**9)
    with upload.sending(server, 0, 10**9, bytes(3_000_000)) as connection:
        assert b"415" in connection.recv(1000).split(b"\r\n")[0]
    assert_problem(ann.get(upload.path), 404, "not_found")
    assert stored(server, upload) == 0


def test_a_piece_that_was_altered_is_forgotten(ann: Caller) -> None:
    upload = Upload(ann, len(WAV))
    assert upload.add(0, WAV[:100]).status_code == 204
    digest = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
    answer = upload.add(100, WAV[100:], content_digest=digest)
    assert_problem(answer, 422, "digest_mismatch")
    assert upload.offset == 100
    assert upload.add(100, WAV[100:]).status_code == 204


def test_a_key_finds_the_upload_again(ann: Caller, bob: Caller) -> None:
    upload = Upload(ann, len(WAV), key="content")
    upload.add(0, WAV[:HALF])
    again = Upload(ann, len(WAV), key="content")
    assert again.answer.status_code == 200
    assert (again.path, again.answer.headers["upload-offset"]) == (upload.path, str(HALF))
    assert Upload(bob, len(WAV), key="content").path != upload.path
    for other in (
        Upload(ann, len(WAV) + 1, key="content"),
        Upload(ann, len(WAV), "content", bitrate=64),
    ):
        assert_problem(other.answer, 422, "idempotency_conflict")
    assert again.add(HALF, WAV[HALF:]).status_code == 204
    done = Upload(ann, len(WAV), key="content")
    assert done.answer.headers["upload-offset"] == str(len(WAV))
    assert done.record == upload.record
    ann.delete(f"/records/{done.record['id']}")
    assert Upload(ann, len(WAV), key="content").answer.status_code == 201


def test_it_is_its_users_alone(ann: Caller, bob: Caller) -> None:
    upload = Upload(ann, len(WAV))
    upload.caller = bob
    assert_problem(upload.add(0, WAV), 404, "not_found")
    assert upload.head().status_code == upload.give_up().status_code == 404
    assert_problem(bob.get(upload.path), 404, "not_found")
    upload.caller = ann
    assert upload.offset == 0


def test_it_can_be_given_up_and_its_record_stays(ann: Caller) -> None:
    upload = Upload(ann, len(WAV))
    upload.add(0, WAV[:HALF])
    assert upload.give_up().status_code == 204
    assert upload.give_up().status_code == upload.head().status_code == 404
    done = Upload(ann, len(WAV), body=WAV)
    record = done.record
    assert done.give_up().status_code == 204
    assert ann.get(f"/records/{record['id']}").status_code == 200


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Tus-Resumable": "0.2.2"}, 412, "invalid_request"),
        ({"Content-Type": "audio/wav"}, 415, "invalid_request"),
        ({"Upload-Offset": "-1"}, 422, "invalid_request"),
        ({"Upload-Offset": "7"}, 409, "offset_conflict"),
        ({"Upload-Length": "1e3"}, 422, "invalid_request"),
        ({"Authorization": "Bearer no"}, 401, "unauthorized"),
    ],
)
def test_a_piece_that_is_sent_wrongly_is_refused(
    ann: Caller, headers: dict[str, str], status: int, code: str
) -> None:
    upload = Upload(ann, len(WAV))
    sent = {"Upload-Offset": "0", "Content-Type": PIECE_TYPE, **TUS, **ann.bearer, **headers}
    answer = ann.server.client.patch(upload.path, content=WAV[:10], headers=sent)
    assert_problem(answer, status, code)
    assert answer.headers["tus-resumable"] == "1.0.0"
    assert upload.offset == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Upload-Length": "x"},
        {"Upload-Length": "10", "Upload-Defer-Length": "1"},
        {"Upload-Defer-Length": "2"},
        {"Upload-Length": "10", "Upload-Metadata": "filename ***"},
        {"Upload-Length": "10", "Upload-Metadata": "bitrate MQ=="},
    ],
)
def test_what_is_planned_wrongly_is_refused(ann: Caller, headers: dict[str, str]) -> None:
    answer = ann.server.client.post("/uploads", headers={**TUS, **ann.bearer, **headers})
    assert_problem(answer, 422, "invalid_request")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Encoding": "gzip"},
        {"Content-Digest": "sha-256=?"},
        {"Content-Digest": "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"},
    ],
)
def test_nothing_is_begun_with_a_first_piece_that_is_refused(
    ann: Caller, server: Server, headers: dict[str, str]
) -> None:
    first = {"Upload-Length": str(len(WAV)), "Content-Type": PIECE_TYPE, **TUS, **ann.bearer}
    answer = server.client.post("/uploads", content=WAV[:10], headers={**first, **headers})
    assert answer.status_code in (415, 422)
    assert begun(server, ann) == 0


def test_nothing_is_begun_for_who_hangs_up_before_hearing_where(
    ann: Caller, server: Server
) -> None:
    Upload(ann, len(WAV), key="known")
    lines = [
        "POST /uploads HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {ann.token}",
        f"Content-Type: {PIECE_TYPE}",
        "Tus-Resumable: 1.0.0",
        f"Upload-Length: {len(WAV)}",
        f"Content-Length: {len(WAV)}",
    ]
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + WAV[:HALF])
        wait_for(lambda: begun(server, ann) == 2, "it to begin")
    wait_for(lambda: begun(server, ann) == 1, "it to go")


def test_nothing_and_too_much_are_refused_at_once(ann: Caller) -> None:
    assert_problem(Upload(ann, 0).answer, 422, "empty_audio")
    assert_problem(Upload(ann, 10**12).answer, 413, "too_large")


def test_what_a_client_asks_first(server: Server) -> None:
    answer = server.client.options("/uploads")
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert "creation" in answer.headers["tus-extension"].split(",")
    limits = server.client.get("/limits").json()
    assert answer.headers["tus-max-size"] == str(limits["max_upload_bytes"])


def test_methods_that_a_network_lets_not_through_may_be_overridden(ann: Caller) -> None:
    upload = Upload(ann, len(WAV))
    headers = {"Upload-Offset": "0", "Content-Type": PIECE_TYPE, **TUS, **ann.bearer}
    patch, delete = ({**headers, "X-HTTP-Method-Override": name} for name in ("PATCH", "DELETE"))
    answer = ann.server.client.post(upload.path, content=WAV[:HALF], headers=patch)
    assert (answer.status_code, upload.offset) == (204, HALF)
    assert ann.server.client.post(upload.path, headers=delete).status_code == 204
    answer = ann.server.client.post(upload.path, headers=headers)
    assert_problem(answer, 422, "invalid_request")


def test_recordings_are_found_by_the_hash_of_their_wav(ann: Caller, bob: Caller) -> None:
    record = ann.post(WAV).json()
    ann.record()
    sha256 = record["receipt"]["source"]["sha256"]
    assert ann.get("/records", params={"sha256": sha256}).json()["records"] == [record]
    assert bob.get("/records", params={"sha256": sha256}).json()["records"] == []
    wrong = ann.get("/records", params={"sha256": sha256.upper()})
    assert_problem(wrong, 422, "invalid_request")


def test_so_many_may_be_unfinished(ann: Caller) -> None:
    answers = [Upload(ann, 10).answer for _ in range(101)]
    assert {answer.status_code for answer in answers[:100]} == {201}
    assert_problem(answers[100], 403, "quota_exceeded")


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


class TestLimits:
    """They hold for what comes in pieces too."""

    @pytest.fixture(scope="class")
    @staticmethod
    def server(database_kind: str, tmp_path_factory, request) -> Iterator[Server]:
        from tests.conftest import new_database_url

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

    def test_what_is_announced_counts(self, ann: Caller) -> None:
        first = Upload(ann, 4_500_000)
        assert_problem(Upload(ann, 4_500_000).answer, 403, "quota_exceeded")
        assert first.give_up().status_code == 204
        assert Upload(ann, 4_500_000).answer.status_code == 201

    def test_what_comes_unannounced_counts_as_it_comes(self, ann: Caller, bob: Caller) -> None:
        Upload(ann, 4_500_000)
        upload = Upload(ann, None)
        answer = upload.add(0, pieces(bytes(4_900_000)))
        assert_problem(answer, 403, "quota_exceeded")
        assert upload.offset <= 2_500_000
        assert_problem(Upload(bob, None).add(0, pieces(bytes(5_100_000))), 413, "too_large")

    def test_what_is_announced_at_once_counts_together(self, ann: Caller, server: Server) -> None:
        Upload(ann, None, filename="one")
        other = Upload(ann, None)
        answers = []
        announcing = threading.Thread(
            target=lambda: answers.append(other.add(0, b"", upload_length="4500000"))
        )
        with transaction(server.settings["database_url"]) as connection:
            # As another request for the first one does.
            connection.execute(text("UPDATE users SET name = name"))
            connection.execute(
                text("UPDATE resumable_uploads SET length = 4500000 WHERE name = 'one'")
            )
            announcing.start()
            announcing.join(0.5)
        announcing.join()
        assert_problem(answers[0], 403, "quota_exceeded")

    def test_what_is_abandoned_is_swept_away_with_its_pieces(
        self, ann: Caller, server: Server
    ) -> None:
        record = Upload(ann, len(WAV), body=WAV).record
        upload = Upload(ann, len(WAV))
        upload.add(0, WAV[:HALF])
        wait_for(lambda: ann.get(upload.path).status_code == 404, "its time to be over")
        count = "SELECT count(*) FROM resumable_uploads"
        wait_for(lambda: execute(server.settings["database_url"], count) == 0, "the sweep")
        assert stored(server, upload) == 0
        assert_problem(upload.add(HALF, WAV[HALF:]), 404, "not_found")
        assert ann.get(f"/records/{record['id']}").status_code == 200

    def test_pieces_go_once_there_is_a_record(self, ann: Caller, server: Server) -> None:
        upload = Upload(ann, len(WAV), body=WAV)
        wait_for(lambda: stored(server, upload) == 0, "the sweep")
        assert upload.record["status"] == "ready"
