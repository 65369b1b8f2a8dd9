"""What goes on beside the requests: uploads under way stay alive, what is over is swept away."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

from wavepost.errors import WavepostError
from wavepost.storage import allowances, claims, resumable, retention, unfinished
from wavepost.storage.claims import ClaimId
from wavepost.storage.database import Database
from wavepost.storage.retention import Retention

log = logging.getLogger(__name__)

MOST_SECONDS_BETWEEN = 60
"""So long at most the bytes of an expired record stay, which nobody can see any more."""

OTHERS_TURN_SECONDS = 0.2
"""Who waits for SQLite's only writer asks every 100 ms: without a pause they would never get it."""


class Housekeeping:
    """Knows what this process has under way, and sweeps what any process left behind.

    Attributes:
        abandoned: how long after its last sign of life something under way is given up.
    """

    def __init__(
        self,
        database: Database,
        retention: Retention,
        *,
        abandoned_seconds: float,
        resumable_kept: timedelta,
    ) -> None:
        self._resumable_kept = resumable_kept
        self.abandoned = timedelta(seconds=abandoned_seconds)
        self._seconds_between = min(abandoned_seconds / 4, MOST_SECONDS_BETWEEN)
        self._database = database
        self._retention = retention
        self._records: set[UUID] = set()
        self._claims: set[ClaimId] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def under_way(self, record_id: UUID) -> Iterator[None]:
        """Keep the unfinished record alive for as long as the context lasts."""
        self._records.add(record_id)
        self._idle.clear()
        try:
            yield
        finally:
            self._records.discard(record_id)
            if not self._records:
                self._idle.set()

    @contextmanager
    def claimed(self, claim: ClaimId) -> Iterator[None]:
        """Keep the claim alive for as long as the context lasts."""
        self._claims.add(claim)
        try:
            yield
        finally:
            self._claims.discard(claim)

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Sweep now and then while the context lasts; it ends when no upload is under way."""
        sweeping = asyncio.create_task(self._keep_sweeping())
        try:
            yield
        finally:
            await self._idle.wait()
            sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await sweeping

    async def sweep(self) -> None:
        """One round: signs of life for what is under way, and what is over goes."""
        now = datetime.now(UTC)
        async with self._database.write() as session:
            await unfinished.touch(session, self._records, now)
            swept = await unfinished.sweep(session, now - self.abandoned)
            await claims.touch(session, self._claims, now)
            await claims.sweep(session, now, self.abandoned)
            await allowances.sweep(session, now.timestamp())
        if swept:
            log.info("swept %d unfinished uploads that a crash had left behind", swept)
        await self._sweep_expired()
        await self._sweep_resumable(now - self._resumable_kept)

    async def _sweep_expired(self) -> None:
        expired, some = 0, -1
        while some:
            async with self._database.write() as session:
                some = await retention.sweep(session, self._retention.moment())
            expired += some
        if expired:
            log.info("removed %d recordings whose time was over", expired)

    async def _sweep_resumable(self, since: datetime) -> None:
        # Those of many gigabytes take minutes, but the next signs of life are due.
        until = time.monotonic() + self._seconds_between
        while await self._sweep_pieces(since):
            if time.monotonic() > until:
                return
            await asyncio.sleep(OTHERS_TURN_SECONDS)
        async with self._database.write() as session:
            swept = await resumable.sweep(session, since)
        if swept:
            log.info("swept %d resumable uploads whose time was over", swept)

    async def _sweep_pieces(self, since: datetime) -> bool:
        async with self._database.write() as session:
            return await resumable.sweep_pieces(session, since)

    async def _keep_sweeping(self) -> None:
        while True:
            try:
                await self.sweep()
            except WavepostError as error:
                log.warning("the sweep is put off: %s", error.detail)
            except Exception:
                log.exception("the sweep failed")
            await asyncio.sleep(self._seconds_between)
