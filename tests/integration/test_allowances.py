"""Rates are counted exactly, however many ask at once, and forgotten once they are restored."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.service import count_rows
from wavepost.errors import RateLimited
from wavepost.rate_limit import RateLimit, network
from wavepost.storage import allowances, schema
from wavepost.storage.database import Database

NOW = 1_000_000_000.0


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    schema.upgrade(database_url)
    database = Database(database_url)
    yield database
    await database.close()


async def take(database: Database, now: float, party: str = "ann") -> bool:
    async with database.write() as session:
        return await allowances.take(session, party, 6, now)


async def wait(database: Database, now: float) -> float:
    async with database.read() as session:
        return await allowances.seconds_to_wait(session, "ann", 6, now)


async def test_a_minutes_worth_at_once_then_one_after_each_share(database: Database) -> None:
    assert [await take(database, NOW) for _ in range(7)] == [True] * 6 + [False]
    assert await wait(database, NOW) == 10
    assert await take(database, NOW, "bob")
    assert not await take(database, NOW + 9)
    assert await wait(database, NOW + 10) == 0
    assert await take(database, NOW + 10)
    assert [await take(database, NOW + 600) for _ in range(7)] == [True] * 6 + [False]


async def test_what_is_restored_is_forgotten(database: Database, database_url: str) -> None:
    await take(database, NOW)
    await take(database, NOW + 5, "bob")
    async with database.write() as session:
        await allowances.sweep(session, NOW + 10)
    assert count_rows(database_url, "allowances") == 1


async def test_no_more_than_the_limit_however_many_ask_at_once(database: Database) -> None:
    limit = RateLimit(database, "knocks", 5)
    outcomes = await asyncio.gather(*(limit.hit("ann") for _ in range(20)), return_exceptions=True)
    assert outcomes.count(None) == 5
    assert {type(outcome) for outcome in outcomes} == {type(None), RateLimited}


@pytest.mark.parametrize(
    ("address", "party"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("unknown", "unknown"),
        ("x" * 1_000, "x" * 50),
    ],
)
def test_the_party_behind_an_address(address: str, party: str) -> None:
    assert network(address) == party
