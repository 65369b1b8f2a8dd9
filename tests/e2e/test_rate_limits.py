"""So many a minute, whoever asks, on both databases and for all servers on one."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests import sound
from tests.conftest import new_database_url
from tests.service import Caller, Server, assert_problem, running, wait_for

WAV = sound.wav(sound.tone(0.5, 8_000), 8_000)
WRONG = {"Authorization": "Bearer 00000000-0000-4000-8000-000000000000"}
LIMITS = {"rate_limit": "3", "signup_rate_limit": "5", "failure_rate_limit": "4"}


@pytest.fixture
def server(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    url = new_database_url(database_kind, tmp_path, request)
    proxies = {"trusted_proxies": "127.0.0.1"}
    with running(tmp_path / "log", database_url=url, **proxies, **LIMITS) as server:
        yield server
        assert "Traceback" not in server.log


def from_address(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


def assert_limited(answer: httpx2.Response, at_most: int = 60) -> None:
    assert_problem(answer, 429, "rate_limited")
    assert 1 <= int(answer.headers["retry-after"]) <= at_most


def test_uploads_of_a_user(server: Server, tmp_path: Path) -> None:
    ann, bob = Caller(server), Caller(server, "Bob")
    for _ in range(3):
        assert ann.post(WAV).status_code == 201
    assert_limited(ann.post(WAV), at_most=20)
    assert_limited(ann.upload(WAV), at_most=20)
    assert bob.post(WAV).status_code == 201
    assert len(ann.get("/records").json()["records"]) == 3
    with running(tmp_path / "other log", **server.settings) as another:
        ann.server = another
        assert_limited(ann.post(WAV), at_most=20)
    assert server.client.get("/limits").json()["uploads_a_minute"] == 3


def test_the_right_token_is_taken_where_many_wrong_ones_came_from(server: Server) -> None:
    ann = Caller(server)
    for _ in range(4):
        assert_problem(server.client.get("/users/me", headers=WRONG), 401, "unauthorized")
    assert_limited(server.client.get("/users/me", headers=WRONG))
    assert_limited(server.client.post("/records", content=WAV, headers=WRONG))
    assert ann.get("/users/me").status_code == 200
    assert ann.upload(WAV).status_code == 201
    elsewhere = from_address("192.0.2.7")
    answer = server.client.get("/users/me", headers=WRONG | elsewhere)
    assert_problem(answer, 401, "unauthorized")


def test_an_id_that_is_not_the_tokens_counts_too(server: Server) -> None:
    ann, bob = Caller(server), Caller(server, "Bob")
    ann.id = bob.id
    for _ in range(4):
        assert_problem(ann.upload(WAV), 401, "unauthorized")
    assert_limited(ann.upload(WAV))


def test_sign_ups_from_an_address(server: Server) -> None:
    def register(address: str) -> httpx2.Response:
        return server.client.post("/users", json={"name": "x"}, headers=from_address(address))

    for host in range(5):
        assert register(f"2001:db8:1:2::{host}").status_code == 201
    assert_limited(register("2001:db8:1:2:ffff::1"))
    assert register("2001:db8:1:3::1").status_code == 201
    assert register("nobody knows" * 1_000).status_code == 201
    # What a caller puts before the proxy's own word changes nothing.
    assert_limited(register("192.0.2.9, 2001:db8:1:2::77"))


def test_what_strangers_say_of_their_address_changes_nothing(tmp_path: Path) -> None:
    with running(tmp_path / "log", data=str(tmp_path), **LIMITS) as server:
        statuses = [
            server.client.get("/users/me", headers=WRONG | from_address(f"192.0.2.{host}"))
            for host in range(5)
        ]
    assert [answer.status_code for answer in statuses] == [401] * 4 + [429]


def test_wrong_sign_up_keys(tmp_path: Path) -> None:
    settings = {"signup": "key", "signup_key": "right", **LIMITS}
    with running(tmp_path / "log", data=str(tmp_path), **settings) as server:

        def register(key: str) -> httpx2.Response:
            headers = {"Authorization": f"Bearer {key}"}
            return server.client.post("/users", json={"name": "x"}, headers=headers)

        for _ in range(4):
            assert_problem(register("wrong"), 401, "unauthorized")
        assert_limited(register("wrong"))
        assert register("right").status_code == 201


def test_it_comes_back_with_time(tmp_path: Path) -> None:
    with running(tmp_path / "log", data=str(tmp_path), failure_rate_limit="120") as server:
        refused = 0
        while not refused:
            answer = server.client.get("/users/me", headers=WRONG)
            refused = int(answer.headers.get("retry-after", "0"))
        assert refused == 1

        def is_back() -> bool:
            return server.client.get("/users/me", headers=WRONG).status_code == 401

        wait_for(is_back, "half a second to pass", seconds=5)
