"""So many at once, so many waiting, the rest refused; and nobody has it all."""

import asyncio
from collections.abc import Hashable

import pytest

from wavepost.audio.gate import Gate
from wavepost.errors import Busy


async def hold(gate: Gate, until: asyncio.Event, who: Hashable = None) -> None:
    async with gate.enter(who) as place:
        await place.slot()
        await until.wait()


class Holders:
    """Tasks that hold slots or wait for them, in the order in which they came."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.admitted: list[Hashable] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def come(self, who: Hashable) -> asyncio.Event:
        done = asyncio.Event()
        self._tasks.append(asyncio.create_task(self._hold(who, done)))
        await settle()
        return done

    async def leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)

    async def _hold(self, who: Hashable, done: asyncio.Event) -> None:
        async with self._gate.enter(who) as place:
            await place.slot()
            self.admitted.append(who)
            await done.wait()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_no_more_than_the_slots_run_and_no_more_than_the_queue_wait() -> None:
    gate, done = Gate(slots=2, queue=1, wait_seconds=60, refusal="all taken"), asyncio.Event()
    holders = [asyncio.create_task(hold(gate, done, who)) for who in range(3)]
    await settle()
    with pytest.raises(Busy):
        gate.check("another")
    with pytest.raises(Busy):
        await hold(gate, done, "another")
    done.set()
    await asyncio.gather(*holders)
    gate.check("another")


async def test_waiting_ends() -> None:
    gate, done = Gate(slots=1, queue=5, wait_seconds=0.01, refusal="all taken"), asyncio.Event()
    holder = asyncio.create_task(hold(gate, done))
    await settle()
    with pytest.raises(Busy, match="taken"):
        await hold(gate, done)
    done.set()
    await holder


async def test_a_slot_comes_back_after_a_failure_and_after_a_cancelled_wait() -> None:
    gate, done = Gate(slots=1, queue=5, wait_seconds=60, refusal="all taken"), asyncio.Event()

    async def fail() -> None:
        async with gate.enter("ann") as place:
            await place.slot()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    holder = asyncio.create_task(hold(gate, done))
    waiter = asyncio.create_task(hold(gate, done))
    await settle()
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    done.set()
    await holder
    await asyncio.wait_for(hold(gate, done), 1)


async def test_nobody_holds_every_slot_or_half_of_all_places() -> None:
    gate = Gate(slots=4, queue=8, wait_seconds=60, refusal="all taken")
    holders = Holders(gate)
    for _ in range(6):
        await holders.come("greedy")
    assert holders.admitted == ["greedy"] * 3
    with pytest.raises(Busy):
        gate.check("greedy")
    await holders.come("ann")
    assert holders.admitted == ["greedy"] * 3 + ["ann"]
    await holders.leave()


async def test_a_slot_that_comes_free_goes_to_who_holds_the_fewest_then_to_who_came_first() -> None:
    holders = Holders(Gate(slots=4, queue=12, wait_seconds=60, refusal="all taken"))
    greedy = [await holders.come("greedy") for _ in range(3)]
    bob = await holders.come("bob")
    for who in ("greedy", "bob", "ann", "eve"):
        await holders.come(who)
    for done in (bob, greedy[0], greedy[1]):
        done.set()
        await settle()
    assert holders.admitted[4:] == ["bob", "ann", "eve"]
    await holders.leave()
