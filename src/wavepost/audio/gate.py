"""Lets so many in at once, so many wait for so long, and refuses the rest."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from wavepost.errors import Busy

RETRY_AFTER_SECONDS = 10


class Gate:
    """A semaphore with a bounded queue and a bounded wait."""

    def __init__(self, slots: int, queue: int, wait_seconds: float, refusal: str) -> None:
        """`refusal` says why nobody gets in and what to do."""
        self._refusal = refusal
        self._semaphore = asyncio.Semaphore(slots)
        self._queue = queue
        self._waiting = 0
        self._wait_seconds = wait_seconds

    def check(self) -> None:
        """Raises Busy where `enter` would at once, before anything was read for it."""
        if self._semaphore.locked() and self._waiting >= self._queue:
            raise self._busy()

    @asynccontextmanager
    async def enter(self) -> AsyncIterator[None]:
        """Hold a slot. Raises Busy when none comes free within the wait."""
        self.check()
        self._waiting += 1
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._semaphore.acquire()
        except TimeoutError:
            raise self._busy() from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._semaphore.release()

    def _busy(self) -> Busy:
        return Busy(self._refusal, RETRY_AFTER_SECONDS)
