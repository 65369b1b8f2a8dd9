"""A retry does no harm: one Idempotency-Key, one record."""

import asyncio
import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from tests import sound
from tests.service import Caller, Server, assert_problem, converting, sending_with, wait_for
from wavepost.accounts import Accounts
from wavepost.storage import claims, schema
from wavepost.storage.claims import KEPT, ClaimId
from wavepost.storage.database import Database
from wavepost.storage.retention import Retention

WAV = sound.wav(sound.tone(6, 16_000), 16_000)
KEY = {"Idempotency-Key": "a0e1-key"}


def count(caller: Caller) -> int:
    return len(caller.get("/records").json()["records"])


def test_a_repeat_gets_the_first_answer_and_no_second_record(ann: Caller) -> None:
    first, second = (ann.post(WAV, KEY) for _ in range(2))
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert first.headers["location"] == second.headers["location"]
    assert count(ann) == 1


def test_the_shape_of_the_repeat_does_not_matter(ann: Caller) -> None:
    first = ann.post(WAV, {"Idempotency-Key": '"quoted"'}, name="call.wav").json()
    form = ann.server.client.post(
        "/records",
        data={"user_id": ann.id, "access_token": ann.token},
        files={"record": ("call.wav", WAV, "audio/wav")},
        headers={"Idempotency-Key": "quoted"},
    )
    assert form.json() == first


@pytest.mark.parametrize("other", ["wav", "options"])
def test_another_upload_with_the_same_key_is_refused(ann: Caller, other: str) -> None:
    assert ann.post(WAV, KEY).status_code == 201
    answer = ann.post(WAV[:-2], KEY) if other == "wav" else ann.post(WAV, KEY, bitrate=32)
    assert_problem(answer, 422, "idempotency_conflict")
    assert count(ann) == 1


def test_keys_are_each_users_own(ann: Caller, bob: Caller) -> None:
    assert ann.post(WAV, KEY).json()["id"] != bob.post(WAV, KEY).json()["id"]


def test_a_key_is_free_again_when_nothing_came_of_it(ann: Caller) -> None:
    assert_problem(ann.post(b"no WAV at all", KEY), 415, "not_a_wav")
    assert ann.post(WAV, KEY).status_code == 201


def test_a_key_is_free_again_when_its_sender_hung_up(ann: Caller, server: Server) -> None:
    hung_up = {"Idempotency-Key": "hung-up"}
    with sending_with(server, ann, WAV, len(WAV) // 2, "Idempotency-Key: hung-up"):
        wait_for(lambda: converting(server), "the converter to start")
        assert_problem(ann.post(WAV, hung_up), 409, "idempotency_conflict")
    wait_for(lambda: ann.post(WAV, hung_up).status_code == 201, "the key to be free")
    assert count(ann) == 1


def test_a_key_is_free_again_when_its_record_was_removed(ann: Caller) -> None:
    first = ann.post(WAV, KEY).json()
    assert ann.delete(f"/records/{first['id']}").status_code == 204
    assert ann.post(WAV, KEY).json()["id"] != first["id"]


def test_many_at_once_give_one_record(ann: Caller) -> None:
    statuses: list[int] = []

    def send() -> None:
        statuses.append(ann.post(WAV, KEY).status_code)

    senders = [threading.Thread(target=send) for _ in range(8)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert {*statuses} <= {201, 409}
    assert 201 in statuses
    assert count(ann) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "\u00e9", '""'])
def test_what_is_no_key_is_refused(ann: Caller, key: str) -> None:
    answer = ann.post(WAV, {"Idempotency-Key": key.encode("latin-1")})  # type: ignore[dict-item]
    assert_problem(answer, 422, "invalid_request")
    assert count(ann) == 0


async def test_keys_are_kept_for_a_day_and_those_of_a_crash_not_at_all(database_url: str) -> None:
    schema.upgrade(database_url)
    database = Database(database_url)
    user, _ = await Accounts(database).register("Ann")
    crashed, now, ten_minutes = (
        ClaimId(user.id, b"c" * 32),
        datetime.now(UTC),
        timedelta(minutes=10),
    )

    async def make(at: datetime) -> bool:
        async with database.write() as session:
            moment = {**Retention().moment(), "now": at}
            made = await claims.make(session, crashed, "as usual", ten_minutes, moment)
            return made is None

    assert await make(now)
    assert not await make(now + ten_minutes / 2)
    assert await make(now + 2 * ten_minutes)
    async with database.write() as session:
        await claims.touch(session, {crashed}, now + KEPT)
        await claims.sweep(session, now + KEPT, ten_minutes)
    assert not await make(now + KEPT)
    async with database.write() as session:
        await claims.sweep(session, now + 2 * KEPT, ten_minutes)
    assert await make(now + KEPT)
    await database.close()


async def test_uploads_may_begin_while_others_get_their_sign_of_life(database_url: str) -> None:
    schema.upgrade(database_url)
    database = Database(database_url)
    under_way = {ClaimId(uuid.uuid4(), b"k" * 32) for _ in range(8)}

    async def begin_more() -> None:
        for _ in range(50):
            under_way.add(ClaimId(uuid.uuid4(), b"k" * 32))
            await asyncio.sleep(0)

    async with database.write() as session, asyncio.TaskGroup() as tasks:
        tasks.create_task(claims.touch(session, under_way, datetime.now(UTC)))
        tasks.create_task(begin_more())
    await database.close()
