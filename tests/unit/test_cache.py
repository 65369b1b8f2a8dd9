"""What is kept in memory stays bounded, and no answer is older than its question."""

import asyncio

import pytest

from wavepost.storage.cache import Cache, SharedLookup


def test_what_was_not_used_the_longest_goes_first() -> None:
    cache = Cache[str, bytes](10, len)
    cache.put("a", bytes(4))
    cache.put("b", bytes(4))
    assert cache.get("a") == bytes(4)
    cache.put("c", bytes(4))
    assert [name for name in "abc" if cache.get(name)] == ["a", "c"]


def test_a_value_that_is_put_again_counts_once() -> None:
    cache = Cache[str, bytes](10, len)
    for _ in range(5):
        cache.put("a", bytes(4))
    cache.put("b", bytes(6))
    assert cache.get("a")
    assert cache.get("b")


def test_what_is_larger_than_the_whole_is_not_kept() -> None:
    cache = Cache[str, bytes](10, len)
    cache.put("a", bytes(11))
    assert cache.get("a") is None
    cache.put("b", bytes(10))
    assert cache.get("b")


class Ledger:
    """Answers with the number of its look-ups so far, once it is let go on."""

    def __init__(self) -> None:
        self.begun = 0
        self.has_begun = asyncio.Event()
        self.go_on = asyncio.Event()

    async def look_up(self, key: str) -> str:
        self.begun += 1
        self.has_begun.set()
        answer = f"{key} {self.begun}"
        await self.go_on.wait()
        return answer


async def test_those_who_ask_at_the_same_time_share_a_look_up() -> None:
    ledger = Ledger()
    lookup = SharedLookup(ledger.look_up)
    ledger.go_on.set()
    assert await asyncio.gather(*(lookup.get("a") for _ in range(5))) == ["a 1"] * 5
    assert await lookup.get("a") == "a 2"


async def test_none_gets_an_answer_that_was_looked_up_before_it_asked() -> None:
    ledger = Ledger()
    lookup = SharedLookup(ledger.look_up)
    first = asyncio.create_task(lookup.get("a"))
    await ledger.has_begun.wait()
    late = [asyncio.create_task(lookup.get("a")) for _ in range(3)]
    other = asyncio.create_task(lookup.get("b"))
    await asyncio.sleep(0)
    ledger.go_on.set()
    assert await first == "a 1"
    assert await other == "b 2"
    assert await asyncio.gather(*late) == ["a 3"] * 3


async def test_one_who_goes_away_takes_nothing_from_the_others() -> None:
    ledger = Ledger()
    lookup = SharedLookup(ledger.look_up)
    gone, stays = (asyncio.create_task(lookup.get("a")) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    ledger.go_on.set()
    assert await stays == "a 1"


async def test_a_failure_reaches_all_who_asked_and_is_not_kept() -> None:
    fails = True

    async def look_up(_: str) -> str:
        if fails:
            raise OSError("out of reach")
        return "found"

    lookup = SharedLookup(look_up)
    both = await asyncio.gather(lookup.get("a"), lookup.get("a"), return_exceptions=True)
    assert [type(failure) for failure in both] == [OSError, OSError]
    fails = False
    assert await lookup.get("a") == "found"


async def test_a_failure_before_does_not_fail_the_next() -> None:
    ledger = Ledger()

    async def look_up(key: str) -> str:
        if await ledger.look_up(key) == "a 1":
            raise OSError("out of reach")
        return "found"

    lookup = SharedLookup(look_up)
    first = asyncio.create_task(lookup.get("a"))
    await ledger.has_begun.wait()
    second = asyncio.create_task(lookup.get("a"))
    await asyncio.sleep(0)
    ledger.go_on.set()
    with pytest.raises(OSError, match="out of reach"):
        await first
    assert await second == "found"
