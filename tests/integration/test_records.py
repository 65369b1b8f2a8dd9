"""A user's recordings: listed newest first, looked at, removed."""

import uuid

import pytest

from tests.service import Caller, Server, assert_problem


def test_an_empty_list(ann: Caller) -> None:
    assert ann.get("/records").json() == {"records": [], "next": None}


def test_pages_hold_every_record_once_newest_first(ann: Caller, bob: Caller) -> None:
    bob.record()
    made = [ann.record(0.05)["id"] for _ in range(5)]
    seen, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = ann.get("/records", params=query).json()
        seen += [record["id"] for record in page["records"]]
        cursor = page["next"]
        if cursor is None:
            break
        assert len(page["records"]) == 2
    assert seen == made[::-1]


def test_a_page_is_stable_while_records_come_and_go(ann: Caller) -> None:
    made = [ann.record(0.05)["id"] for _ in range(4)]
    page = ann.get("/records", params={"limit": 2}).json()
    ann.record(0.05)
    ann.delete(f"/records/{made[2]}")
    rest = ann.get("/records", params={"limit": 2, "cursor": page["next"]}).json()
    assert [record["id"] for record in rest["records"]] == [made[1], made[0]]
    assert rest["next"] is None


@pytest.mark.parametrize("limit", ["0", "101", "-1", "many", "1.5"])
def test_a_limit_out_of_range(ann: Caller, limit: str) -> None:
    assert_problem(ann.get("/records", params={"limit": limit}), 422, "invalid_request")


@pytest.mark.parametrize(
    "cursor", ["", "x", "!!!", "W" * 9000, "1.", f"-1.{'0' * 32}", f"{'9' * 18}.{'0' * 32}", "\x00"]
)
def test_a_cursor_that_is_none(ann: Caller, cursor: str) -> None:
    assert_problem(ann.get("/records", params={"cursor": cursor}), 422, "invalid_request")


def test_one_record_is_what_the_upload_answered(ann: Caller) -> None:
    record = ann.record()
    assert ann.get(f"/records/{record['id']}").json() == record
    assert ann.get("/records").json()["records"] == [record]


def test_somebody_elses_record_is_not_there(ann: Caller, bob: Caller) -> None:
    record = bob.record()
    path = f"/records/{record['id']}"
    assert_problem(ann.get(path), 404, "not_found")
    assert_problem(ann.delete(path), 404, "not_found")
    assert bob.get(path).status_code == 200


@pytest.mark.parametrize("record_id", [str(uuid.UUID(int=0)), "x", "%00", "..%2f..", "x" * 3000])
def test_a_record_that_is_not_there(ann: Caller, record_id: str) -> None:
    for answer in (ann.get(f"/records/{record_id}"), ann.delete(f"/records/{record_id}")):
        assert_problem(answer, 404, "not_found")


def test_removing_a_record_stops_its_link(ann: Caller, server: Server) -> None:
    record = ann.record()
    path = f"/records/{record['id']}"
    assert ann.delete(path).status_code == 204
    assert_problem(ann.delete(path), 404, "not_found")
    assert_problem(ann.get(path), 404, "not_found")
    assert_problem(server.client.get(record["url"]), 404, "not_found")
    assert ann.get("/users/me").json()["records"] == 0
