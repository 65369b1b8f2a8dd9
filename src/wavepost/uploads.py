"""Uploads: a WAV comes in, is converted while it arrives, and its MP3 is kept.

A record has a row as soon as there are chunks that need it, but it can be seen only once it is
whole: the last transaction publishes it.
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from wavepost.audio.converter import Result
from wavepost.audio.converters import Converters
from wavepost.audio.encoder import Wanted
from wavepost.errors import IdempotencyConflict, QuotaExceeded, WavepostError
from wavepost.storage import chunks, claims, unfinished, users
from wavepost.storage.chunks import ChunkWriter, interrupted
from wavepost.storage.claims import ClaimId
from wavepost.storage.database import Database
from wavepost.storage.models import Claim, Kind, Record, User
from wavepost.storage.unfinished import UnfinishedRecord

log = logging.getLogger(__name__)


class Uploads:
    """Takes recordings in, and cleans up behind those that came to nothing."""

    def __init__(
        self,
        database: Database,
        converters: Converters,
        *,
        keep_wav: bool,
        quota_bytes: int,
        abandoned_seconds: float,
    ) -> None:
        """`quota_bytes` is what a user may keep; 0 is no limit."""
        self._database = database
        self._converters = converters
        self._keep_wav = keep_wav
        self._quota_bytes = quota_bytes
        self._abandoned = timedelta(seconds=abandoned_seconds)
        self._records: set[UUID] = set()
        self._claims: set[ClaimId] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    async def add(
        self,
        user: User,
        name: str,
        wanted: Wanted,
        wav: AsyncIterator[bytes],
        key: str | None = None,
    ) -> Record:
        """Convert `wav` while it arrives and keep its MP3; when this returns, it is committed.

        With an idempotency `key` that the user has sent before: the record of then.

        Raises:
            Busy: no converter came free.
            QuotaExceeded: the user would keep more than they may.
            WavError: what was sent can't become an MP3.
            IdempotencyConflict: the key's first upload is under way, or was another one.
            Whatever `wav` raises. Nothing is kept then.
        """
        if key is None:
            return await self._add(user, name, wanted, wav, None)
        claim = ClaimId(user.id, hashlib.sha256(key.encode()).digest())
        now = datetime.now(UTC)
        async with self._database.write() as session:
            earlier = await claims.make(session, claim, str(wanted), now, self._abandoned)
        if earlier is not None:
            return await self._repeated(claim, earlier, wanted, wav)
        self._claims.add(claim)
        try:
            return await self._add(user, name, wanted, wav, claim)
        except BaseException:
            await asyncio.shield(self._give_up(claim))
            raise
        finally:
            self._claims.discard(claim)

    async def keep_house(self) -> None:
        """For ever: mark uploads under way as alive, and sweep what crashes left behind."""
        while True:
            try:
                await self.sweep()
            except Exception:
                log.warning("sweep put off", exc_info=True)
            await asyncio.sleep(self._abandoned.total_seconds() / 4)

    async def sweep(self) -> None:
        """One round of `keep_house`."""
        now = datetime.now(UTC)
        async with self._database.write() as session:
            await unfinished.touch(session, self._records, now)
            swept = await unfinished.sweep(session, now - self._abandoned)
            await claims.touch(session, self._claims, now)
            await claims.sweep(session, now, self._abandoned)
        if swept:
            log.info("swept %d unfinished uploads that a crash had left behind", swept)

    async def settle(self) -> None:
        """Wait until no upload is under way; one that was cancelled is then removed."""
        await self._idle.wait()

    async def _add(
        self,
        user: User,
        name: str,
        wanted: Wanted,
        wav: AsyncIterator[bytes],
        claim: ClaimId | None,
    ) -> Record:
        await self._check_room_left(user)
        async with (
            self._converters.gate.enter(),
            self._unfinished_record(user, name) as record,
            self._converters.start(wanted) as converter,
        ):
            mp3 = ChunkWriter(self._database, record, Kind.MP3, first_number=1)
            kept_wav = ChunkWriter(self._database, record, Kind.WAV)
            if self._keep_wav:
                wav = _copied(wav, kept_wav)
            await converter.convert(wav, mp3.write)
            return await self._publish(record, converter.result(), mp3, kept_wav, claim)

    async def _check_room_left(self, user: User) -> None:
        """Raises QuotaExceeded, before the body is read, where no recording would fit."""
        if self._quota_bytes:
            async with self._database.read() as session:
                _, kept = await users.usage(session, user.id)
            if kept >= self._quota_bytes:
                raise QuotaExceeded(self._quota_bytes)

    async def _check_quota(self, session: AsyncSession, user_id: UUID) -> None:
        """Raises QuotaExceeded where what was just published is too much; one at a time."""
        if self._quota_bytes:
            await users.lock(session, user_id)
            _, kept = await users.usage(session, user_id)
            if kept > self._quota_bytes:
                raise QuotaExceeded(self._quota_bytes)

    async def _repeated(
        self, claim: ClaimId, earlier: Claim, wanted: Wanted, wav: AsyncIterator[bytes]
    ) -> Record:
        if earlier.record_id is None:
            raise IdempotencyConflict(
                "An upload with this Idempotency-Key is under way. Ask again when it has ended."
            )
        digest = hashlib.sha256()
        async for piece in wav:
            digest.update(piece)
        async with self._database.read() as session:
            record = await claims.record_of(session, claim)
        if record is None:
            raise interrupted()
        same_wav = record.receipt["source"]["sha256"] == digest.hexdigest()
        if not same_wav or earlier.wanted != str(wanted):
            raise IdempotencyConflict(
                "This Idempotency-Key belongs to another upload. Send a new key with a new one.",
                status=422,
            )
        return record

    @asynccontextmanager
    async def _unfinished_record(self, user: User, name: str) -> AsyncIterator[UnfinishedRecord]:
        record = UnfinishedRecord(user.id, name)
        self._records.add(record.id)
        self._idle.clear()
        try:
            yield record
        except BaseException:
            if record.has_row:
                await asyncio.shield(self._discard(record))
            raise
        finally:
            self._records.discard(record.id)
            if not self._records:
                self._idle.set()

    async def _discard(self, record: UnfinishedRecord) -> None:
        try:
            async with self._database.write() as session:
                await record.discard(session)
        except WavepostError as error:
            log.warning("an unfinished upload is left to the sweep: %s", error.detail)

    async def _give_up(self, claim: ClaimId) -> None:
        try:
            async with self._database.write() as session:
                await claims.give_up(session, claim)
        except WavepostError as error:
            log.warning("an idempotency key is left to the sweep: %s", error.detail)

    async def _publish(
        self,
        unfinished_record: UnfinishedRecord,
        result: Result,
        mp3: ChunkWriter,
        kept_wav: ChunkWriter,
        claim: ClaimId | None,
    ) -> Record:
        facts: dict[str, Any] = {
            **result.facts,
            "created_at": datetime.now(UTC),
            "bytes": len(result.head) + mp3.bytes,
            "head_bytes": len(result.head),
            "waveform": result.waveform,
            "wav_bytes": kept_wav.bytes if self._keep_wav else None,
        }
        if facts["receipt"]["mp3"]["sha256"] is None:
            facts["receipt"]["mp3"]["sha256"] = await mp3.sha256(result.head)
        await self._database.check_room()
        async with self._database.write() as session:
            record = await unfinished_record.publish(session, facts)
            if record is None or (claim and not await claims.fulfil(session, claim, record.id)):
                raise interrupted()
            await self._check_quota(session, record.user_id)
            await chunks.add(session, record.id, Kind.MP3, 0, result.head)
            await mp3.finish(session)
            await kept_wav.finish(session)
        return record


async def _copied(wav: AsyncIterator[bytes], copy: ChunkWriter) -> AsyncIterator[bytes]:
    async for piece in wav:
        await copy.write(piece)
        yield piece
