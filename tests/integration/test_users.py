"""Users: what they send, what they are told, and what a stranger is not."""

import threading
import uuid

import httpx2
import pytest

from tests.service import Caller, Server, assert_problem


def test_registering_gives_an_id_and_a_token_once(server: Server) -> None:
    answer = server.client.post("/users", json={"name": "Анна"})
    assert answer.status_code == 201
    assert set(answer.json()) == {"id", "name", "access_token", "created_at"}
    assert answer.json()["name"] == "Анна"
    assert answer.headers["cache-control"] == "no-store"
    uuid.UUID(answer.json()["id"])
    uuid.UUID(answer.json()["access_token"])


def test_names_need_not_be_unique(ann: Caller, server: Server) -> None:
    assert Caller(server, "Ann").id != ann.id


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "   "},
        {"name": "x" * 201},
        {"name": "x" * 10_000},
        {"name": "a\x00b"},
        {"name": "a\nb"},
        {"name": 7},
        {"name": None},
        {"name": ["Ann"]},
        {"name": "Ann", "admin": True},
        [],
        "Ann",
    ],
)
def test_a_name_that_is_none_is_refused(server: Server, body: object) -> None:
    problem = assert_problem(server.client.post("/users", json=body), 422, "invalid_request")
    assert problem["errors"]


@pytest.mark.parametrize(
    "body",
    [b'{"name": "\\ud800"}', b'{"name": "Ann", "\\ud800": 1}'],
    ids=["in the name", "in a key"],
)
def test_half_a_character_is_refused(server: Server, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = server.client.post("/users", content=body, headers=headers)
    assert_problem(answer, 422, "invalid_request")


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 60_000, b"\xff\xfe", b'{"name": "\xff"}'])
def test_json_that_is_none_is_refused(server: Server, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = server.client.post("/users", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert_problem(answer, answer.status_code, "invalid_request")


def test_a_body_too_large_to_be_a_user_is_refused(server: Server) -> None:
    known = server.client.post("/users", json={"name": "x" * 70_000})
    assert_problem(known, 413, "too_large")
    pieces = (b"x" * 1000 for _ in range(100))
    assert_problem(server.client.post("/users", content=pieces), 413, "too_large")


def test_200_characters_are_a_name(server: Server) -> None:
    name = "ё" * 200
    assert server.client.post("/users", json={"name": f" {name} "}).json()["name"] == name


def test_me_shows_what_i_keep(ann: Caller) -> None:
    record = ann.record()
    me = ann.get("/users/me").json()
    assert (me["id"], me["name"], me["quota"]) == (ann.id, "Ann", None)
    assert (me["records"], me["bytes"]) == (1, record["bytes"])


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "Bearer",
        f"Bearer {uuid.UUID(int=0)}",
        "Bearer not-a-token",
        "Bearer " + "x" * 5000,
        "Basic QW5uOnNlY3JldA==",
        'Bearer "; DROP TABLE users',
    ],
)
def test_a_wrong_token_gets_the_one_answer(server: Server, authorization: str | None) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    for path in ("/users/me", "/records", f"/records/{uuid.uuid4()}"):
        answer = server.client.get(path, headers=headers)
        assert_problem(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_in_the_query_is_no_token(ann: Caller, server: Server) -> None:
    answer = server.client.get("/users/me", params={"access_token": ann.token})
    assert_problem(answer, 401, "unauthorized")


def test_rotating_the_token_stops_the_old_one_at_once(ann: Caller, server: Server) -> None:
    old = ann.token
    answer = server.client.post("/users/me/token", headers=ann.bearer)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert_problem(ann.get("/users/me"), 401, "unauthorized")
    ann.token = answer.json()["access_token"]
    assert ann.token != old
    assert ann.get("/users/me").json()["id"] == ann.id


def test_leaving_takes_every_recording_along(ann: Caller, bob: Caller, server: Server) -> None:
    mine, theirs = ann.record(), bob.record()
    assert ann.delete("/users/me").status_code == 204
    assert_problem(ann.get("/users/me"), 401, "unauthorized")
    assert_problem(server.client.get(mine["url"]), 404, "not_found")
    assert server.client.get(theirs["url"]).status_code == 200


def test_of_many_rotations_at_once_one_is_right(ann: Caller, server: Server) -> None:
    """Who holds an old token can't win against a rotation that was acknowledged."""
    answers: list[httpx2.Response] = []

    def rotate() -> None:
        with httpx2.Client(base_url=server.url, timeout=60) as client:
            answers.append(client.post("/users/me/token", headers=ann.bearer))

    threads = [threading.Thread(target=rotate) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200, *[401] * 5]
    (right,) = (answer for answer in answers if answer.status_code == 200)
    ann.token = right.json()["access_token"]
    assert ann.get("/users/me").status_code == 200
