"""Lets so many in at once, so many wait for so long, and refuses the rest: fairly."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

from wavepost.errors import Busy

RETRY_AFTER_SECONDS = 10


class Gate:
    """Slots with a bounded queue and a bounded wait.

    Nobody has them all: one party holds at most three of four slots (where there is more than
    one), and has at most half of all places, slots and queue together. A slot that comes free
    goes to who holds the fewest, and among those to who came first.
    """

    def __init__(self, slots: int, queue: int, wait_seconds: float, refusal: str) -> None:
        """`refusal` says why nobody gets in and what to do."""
        self._refusal = refusal
        self._wait_seconds = wait_seconds
        self._places = slots + queue
        self._places_each = max(1, (slots + queue) // 2)
        self._slots_free = slots
        self._slots_each = slots - slots // 4 if slots >= 4 else max(1, slots - 1)
        self._in: Counter[Hashable] = Counter()
        self._holding: Counter[Hashable] = Counter()
        self._waiting: list[Place] = []

    def check(self, who: Hashable) -> None:
        """Raises Busy where `enter` would, before anything was read for it."""
        if self._in.total() >= self._places or self._in[who] >= self._places_each:
            raise Busy(self._refusal, RETRY_AFTER_SECONDS)

    @asynccontextmanager
    async def enter(self, who: Hashable) -> AsyncIterator["Place"]:
        """Have a place, with which to wait for a slot. Raises Busy where there is none."""
        self.check(who)
        place = Place(self, who)
        _count(self._in, who, 1)
        try:
            yield place
        finally:
            _count(self._in, who, -1)
            if place.has_slot:
                self._give_back(place)

    async def wait(self, place: "Place") -> None:
        """Hold a slot until the place is left. Raises Busy when none comes free within the wait."""
        self._waiting.append(place)
        self._admit()
        try:
            async with asyncio.timeout(self._wait_seconds):
                await place.admitted.wait()
        except TimeoutError:
            raise Busy(self._refusal, RETRY_AFTER_SECONDS) from None
        finally:
            if not place.has_slot:
                self._waiting.remove(place)

    def _give_back(self, place: "Place") -> None:
        _count(self._holding, place.who, -1)
        self._slots_free += 1
        self._admit()

    def _admit(self) -> None:
        while self._slots_free:
            eligible = [
                place for place in self._waiting if self._holding[place.who] < self._slots_each
            ]
            if not eligible:
                return
            # The first of those with the fewest.
            next_one = min(eligible, key=lambda place: self._holding[place.who])
            self._waiting.remove(next_one)
            self._slots_free -= 1
            _count(self._holding, next_one.who, 1)
            next_one.admitted.set()


class Place:
    """Somebody's place behind a gate."""

    def __init__(self, gate: Gate, who: Hashable) -> None:
        self.who = who
        self.admitted = asyncio.Event()
        self._gate = gate

    @property
    def has_slot(self) -> bool:
        """Whether a slot was given to it."""
        return self.admitted.is_set()

    async def slot(self) -> None:
        """Wait for a slot, which the place then has for as long as it is held. Raises Busy."""
        await self._gate.wait(self)


def _count(counter: Counter[Hashable], who: Hashable, change: int) -> None:
    counter[who] += change
    if not counter[who]:
        del counter[who]
