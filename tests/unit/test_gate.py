"""So many at once, so many waiting, the rest refused."""

import asyncio

import pytest

from wavepost.audio.gate import Gate
from wavepost.errors import Busy


async def hold(gate: Gate, until: asyncio.Event) -> None:
    async with gate.enter():
        await until.wait()


async def test_no_more_than_the_slots_run_and_no_more_than_the_queue_wait() -> None:
    gate, done = Gate(slots=2, queue=1, wait_seconds=60, refusal="all taken"), asyncio.Event()
    holders = [asyncio.create_task(hold(gate, done)) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        gate.check()
    with pytest.raises(Busy):
        await hold(gate, done)
    done.set()
    await asyncio.gather(*holders)
    gate.check()


async def test_waiting_ends() -> None:
    gate, done = Gate(slots=1, queue=5, wait_seconds=0.01, refusal="all taken"), asyncio.Event()
    holder = asyncio.create_task(hold(gate, done))
    await asyncio.sleep(0)
    with pytest.raises(Busy, match="taken"):
        await hold(gate, done)
    done.set()
    await holder


async def test_a_slot_comes_back_after_a_failure_and_after_a_cancelled_wait() -> None:
    gate, done = Gate(slots=1, queue=5, wait_seconds=60, refusal="all taken"), asyncio.Event()

    async def fail() -> None:
        async with gate.enter():
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    holder = asyncio.create_task(hold(gate, done))
    waiter = asyncio.create_task(hold(gate, done))
    await asyncio.sleep(0)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    done.set()
    await holder
    await asyncio.wait_for(hold(gate, done), 1)
