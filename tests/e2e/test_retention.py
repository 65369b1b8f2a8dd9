"""Recordings go when their time is over: from the moment on, and with all their bytes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests import sound
from tests.conftest import new_database_url
from tests.service import (
    Caller,
    Server,
    assert_problem,
    count_unfinished,
    execute,
    running,
    wait_for,
)

WAV = sound.wav(sound.speech_like(20, 44_100))
DAY = 24 * 60 * 60


@pytest.fixture(scope="module")
def server(
    database_kind: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp(database_kind)
    url = new_database_url(database_kind, folder, request)
    settings = {"database_url": url, "abandoned_seconds": "1", "keep_wav": "1"}
    with running(folder / "log", retention_days="30", **settings) as server:
        yield server
        assert "Traceback" not in server.log
        assert "Warning" not in server.log


def age(server: Server, record: dict[str, str], **by: float) -> None:
    """Have the record made so long ago."""
    made_at = datetime.now(UTC) - timedelta(**by)
    url = server.settings["database_url"]
    execute(
        url,
        "UPDATE records SET created_at = :at WHERE name = :name",
        at=made_at,
        name=record["name"],
    )


def assert_gone(ann: Caller, record: dict[str, str]) -> None:
    assert_problem(ann.server.client.get(record["url"]), 404, "not_found")
    assert_problem(ann.get(f"/records/{record['id']}"), 404, "not_found")
    assert_problem(ann.delete(f"/records/{record['id']}"), 404, "not_found")
    waveform = record["url"].replace("/record?", "/record/waveform?")
    assert_problem(ann.server.client.get(waveform), 404, "not_found")


def count_named(server: Server, name: str) -> int:
    query = "SELECT count(*) FROM records WHERE name = :name"
    return int(execute(server.settings["database_url"], query, name=name))


def test_what_is_older_than_the_rule_is_gone_with_its_chunks(server: Server) -> None:
    ann = Caller(server)
    old, young = (ann.upload(WAV, name).json() for name in ("old.wav", "young.wav"))
    assert server.client.get(old["url"]).status_code == 200
    age(server, old, days=30)
    assert_gone(ann, old)
    assert [record["id"] for record in ann.get("/records").json()["records"]] == [young["id"]]
    assert ann.get("/users/me").json()["records"] == 1
    wait_for(lambda: count_named(server, "old.wav") == 0, "the sweep")
    assert count_unfinished(server.settings["database_url"]) == 0
    age(server, young, days=29.9)
    assert server.client.get(young["url"]).status_code == 200


def test_an_upload_may_ask_for_less(server: Server) -> None:
    ann = Caller(server)
    brief = ann.upload(WAV, "brief.wav", expires_in="3600").json()
    expires_at = datetime.fromisoformat(brief["expires_at"])
    assert expires_at - datetime.fromisoformat(brief["created_at"]) == timedelta(hours=1)
    assert ann.get(f"/records/{brief['id']}").json() == brief
    answer = server.client.head(brief["url"])
    seconds = int(answer.headers["cache-control"].split("max-age=")[1].split(",")[0])
    assert 3500 < seconds <= 3600
    second = ann.post(WAV, expires_in=1).json()
    wait_for(lambda: server.client.get(second["url"]).status_code == 404, "its second to pass")
    assert_gone(ann, second)


def test_it_may_not_ask_for_more_than_the_rule(server: Server) -> None:
    ann = Caller(server)
    record = ann.post(WAV, expires_in=60 * DAY).json()
    kept = datetime.fromisoformat(record["expires_at"]) - datetime.fromisoformat(
        record["created_at"]
    )
    assert kept == timedelta(days=30)
    assert server.client.get("/limits").json()["retention_days"] == 30


@pytest.mark.parametrize("wrong", ["0", "-1", "1.5", "soon", "", "99999999999"])
def test_what_is_no_time_is_refused(server: Server, wrong: str) -> None:
    ann = Caller(server)
    body = assert_problem(ann.post(WAV, expires_in=wrong), 422, "invalid_request")
    assert body["errors"][0]["field"] == "expires_in"


def test_a_key_whose_recording_has_expired_is_free_again(server: Server) -> None:
    ann, key = Caller(server), {"Idempotency-Key": "expires"}
    first = ann.post(WAV, key, expires_in=1).json()
    assert_problem(ann.post(WAV, key, expires_in=2), 422, "idempotency_conflict")
    wait_for(lambda: server.client.get(first["url"]).status_code == 404, "its second to pass")
    assert ann.post(WAV, key, expires_in=1).json()["id"] != first["id"]


def test_the_rule_holds_for_what_was_there_before_it(tmp_path: Path) -> None:
    with running(tmp_path / "log", data=str(tmp_path)) as server:
        ann = Caller(server)
        record = ann.post(WAV).json()
        assert record["expires_at"] is None
    with running(tmp_path / "log", data=str(tmp_path), retention_days="0.00001") as server:
        ann.server = server
        wait_for(lambda: "whose time was over" in server.log, "the sweep")
        link = record["url"].partition("/record?")[2]
        assert_problem(server.client.get(f"/record?{link}"), 404, "not_found")
