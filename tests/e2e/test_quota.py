"""A user keeps at most so many bytes, however many uploads run at once."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import sound
from tests.conftest import new_database_url
from tests.service import Caller, Server, assert_problem, count_unfinished, running

WAV = sound.wav(sound.tone(2, 16_000), 16_000)
ROOM_FOR = 5


@pytest.fixture(scope="module")
def mp3_bytes(tmp_path_factory: pytest.TempPathFactory) -> int:
    folder = tmp_path_factory.mktemp("size")
    with running(folder / "log", data=str(folder)) as server:
        size: int = Caller(server).post(WAV).json()["bytes"]
        return size


@pytest.fixture
def server(
    database_kind: str, tmp_path: Path, request: pytest.FixtureRequest, mp3_bytes: int
) -> Iterator[Server]:
    url = new_database_url(database_kind, tmp_path, request)
    quota = str(ROOM_FOR * mp3_bytes + mp3_bytes // 2)
    with running(tmp_path / "log", database_url=url, quota_bytes=quota) as server:
        yield server


def test_the_quota_is_exact_when_many_upload_at_once(server: Server, mp3_bytes: int) -> None:
    ann, answers = Caller(server), []
    threads = [threading.Thread(target=lambda: answers.append(ann.post(WAV))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [201] * ROOM_FOR + [403] * 7
    for answer in answers:
        if answer.status_code == 403:
            assert_problem(answer, 403, "quota_exceeded")
    account = ann.get("/users/me").json()
    assert account["bytes"] == ROOM_FOR * mp3_bytes <= account["quota"]
    assert count_unfinished(server.settings["database_url"]) == 0


def test_what_is_removed_makes_room_and_others_have_their_own(server: Server) -> None:
    ann, bob = Caller(server), Caller(server, "Bob")
    records = [ann.post(WAV).json() for _ in range(ROOM_FOR)]
    assert_problem(ann.post(WAV), 403, "quota_exceeded")
    assert bob.post(WAV).status_code == 201
    assert ann.delete(f"/records/{records[0]['id']}").status_code == 204
    assert ann.post(WAV).status_code == 201


def test_a_recording_larger_than_all_room_leaves_nothing(server: Server) -> None:
    ann = Caller(server)
    long = sound.wav(sound.speech_like(60, 44_100))
    assert_problem(ann.post(long, bitrate=320), 403, "quota_exceeded")
    assert ann.get("/users/me").json()["bytes"] == 0
    assert count_unfinished(server.settings["database_url"]) == 0
