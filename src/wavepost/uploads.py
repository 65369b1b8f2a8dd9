"""Uploads: a WAV comes in, is converted while it arrives, and its MP3 is kept.

A record has a row as soon as there are chunks that need it, but it can be seen only once it is
whole: the last transaction publishes it.
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from wavepost.audio.converter import Result
from wavepost.audio.converters import Converters
from wavepost.audio.encoder import Wanted
from wavepost.errors import IdempotencyConflict, QuotaExceeded, WavepostError
from wavepost.housekeeping import Housekeeping
from wavepost.rate_limit import RateLimit
from wavepost.storage import chunks, claims, records, users
from wavepost.storage.chunks import ChunkWriter, interrupted
from wavepost.storage.claims import ClaimId
from wavepost.storage.database import Database
from wavepost.storage.models import Claim, Kind, Record, User
from wavepost.storage.retention import Retention
from wavepost.storage.unfinished import UnfinishedRecord

log = logging.getLogger(__name__)

BEGINNING_BYTES = 64 * 1024
"""So much of a WAV has to be here before a converter is held for it: slow senders hold none."""


@dataclass(frozen=True)
class Incoming:
    """A WAV on its way, and what its sender wants of it."""

    wav: AsyncIterator[bytes]
    name: str
    wanted: Wanted
    expires_in: timedelta | None = None

    @property
    def options(self) -> str:
        """All that was asked for: a repeat with the same idempotency key asks for the same."""
        if self.expires_in is None:
            return str(self.wanted)
        return f"{self.wanted}, {self.expires_in.total_seconds():.0f} s"


class Fulfil(Protocol):
    """Gives the record, as it is published, to what waits for it; whether that still does."""

    async def __call__(self, session: AsyncSession, *, record_id: UUID) -> bool:
        """In the transaction of `session`."""


class Uploads:
    """Takes recordings in."""

    def __init__(
        self,
        database: Database,
        converters: Converters,
        housekeeping: Housekeeping,
        retention: Retention,
        *,
        keep_wav: bool,
        quota_bytes: int,
        uploads_a_minute: int,
    ) -> None:
        """`quota_bytes` is what a user may keep, `uploads_a_minute` what they may begin; 0 is
        no limit.
        """
        self._database = database
        self._converters = converters
        self._housekeeping = housekeeping
        self._retention = retention
        self._keep_wav = keep_wav
        self._quota_bytes = quota_bytes
        self._rate_limit = RateLimit(database, "uploads", uploads_a_minute)

    async def add(self, user: User, incoming: Incoming, key: str | None = None) -> Record:
        """Convert the WAV while it arrives and keep its MP3; when this returns, it is committed.

        With an idempotency `key` that the user has sent before: the record of then.

        Raises:
            RateLimited: the user began too many of late.
            Busy: no converter came free.
            QuotaExceeded: the user would keep more than they may.
            WavError: what was sent can't become an MP3.
            IdempotencyConflict: the key's first upload is under way, or was another one.
            Whatever reading the WAV raises. Nothing is kept then.
        """
        await self.begin(user)
        if key is None:
            return await self.convert(user, incoming)
        claim = ClaimId(user.id, hashlib.sha256(key.encode()).digest())
        async with self._database.write() as session:
            earlier = await claims.make(
                session,
                claim,
                incoming.options,
                self._housekeeping.abandoned,
                self._retention.moment(),
            )
        if earlier is not None:
            return await self._repeated(claim, earlier, incoming)
        with self._housekeeping.claimed(claim):
            try:
                return await self.convert(user, incoming, partial(claims.fulfil, claim=claim))
            except BaseException:
                await asyncio.shield(self._give_up(claim))
                raise

    async def begin(self, user: User) -> None:
        """Count one more upload of the user's. Raises RateLimited."""
        await self._rate_limit.hit(str(user.id))

    async def convert(self, user: User, incoming: Incoming, fulfil: Fulfil | None = None) -> Record:
        """What `add` does, without a key; `fulfil` is called in the transaction that publishes.

        Where it says that nobody waits for the record any more, none is kept: raises Busy.
        """
        await self.check_room_left(user)
        async with self._converters.gate.enter(user.id) as place:
            wav = await _begun(incoming.wav)
            await place.slot()
            async with (
                self._unfinished_record(user, incoming) as record,
                self._converters.start(incoming.wanted) as converter,
            ):
                mp3 = ChunkWriter(self._database, record, Kind.MP3, first_number=1)
                kept_wav = ChunkWriter(self._database, record, Kind.WAV)
                if self._keep_wav:
                    wav = _copied(wav, kept_wav)
                await converter.convert(wav, mp3.write)
                return await self._publish(record, converter.result(), mp3, kept_wav, fulfil)

    async def check_room_left(self, user: User) -> None:
        """Raises QuotaExceeded, before the body is read, where no recording would fit."""
        if self._quota_bytes:
            async with self._database.read() as session:
                _, kept = await records.usage(session, user.id, self._retention.moment())
            if kept >= self._quota_bytes:
                raise QuotaExceeded.of_recordings(self._quota_bytes)

    async def _check_quota(self, session: AsyncSession, user_id: UUID) -> None:
        """Raises QuotaExceeded where what was just published is too much; one at a time."""
        if self._quota_bytes:
            await users.lock(session, user_id)
            _, kept = await records.usage(session, user_id, self._retention.moment())
            if kept > self._quota_bytes:
                raise QuotaExceeded.of_recordings(self._quota_bytes)

    async def _repeated(self, claim: ClaimId, earlier: Claim, incoming: Incoming) -> Record:
        if earlier.record_id is None:
            raise IdempotencyConflict(
                "An upload with this Idempotency-Key is under way. Ask again when it has ended."
            )
        digest = hashlib.sha256()
        async for piece in incoming.wav:
            digest.update(piece)
        async with self._database.read() as session:
            record = await claims.record_of(session, claim)
        if record is None:
            raise interrupted()
        same_wav = record.receipt["source"]["sha256"] == digest.hexdigest()
        if not same_wav or earlier.wanted != incoming.options:
            raise IdempotencyConflict(
                "This Idempotency-Key belongs to another upload. Send a new key with a new one.",
                status=422,
            )
        return record

    @asynccontextmanager
    async def _unfinished_record(
        self, user: User, incoming: Incoming
    ) -> AsyncIterator[UnfinishedRecord]:
        record = UnfinishedRecord(user.id, incoming.name, incoming.expires_in)
        with self._housekeeping.under_way(record.id):
            try:
                yield record
            except BaseException:
                if record.has_row:
                    await asyncio.shield(self._discard(record))
                raise

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
        fulfil: Fulfil | None,
    ) -> Record:
        facts: dict[str, Any] = {
            **result.facts,
            "bytes": len(result.head) + mp3.bytes,
            "head_bytes": len(result.head),
            "waveform": result.waveform,
            "wav_bytes": kept_wav.bytes if self._keep_wav else None,
        }
        if facts["receipt"]["mp3"]["sha256"] is None:
            facts["receipt"]["mp3"]["sha256"] = await mp3.sha256(result.head)
        facts["source_sha256"] = facts["receipt"]["source"]["sha256"]
        await self._database.check_room()
        async with self._database.write() as session:
            record = await unfinished_record.publish(session, facts)
            if record is None or (fulfil and not await fulfil(session, record_id=record.id)):
                raise interrupted()
            await self._check_quota(session, record.user_id)
            await chunks.add(session, record.id, Kind.MP3, 0, result.head)
            await mp3.finish(session)
            await kept_wav.finish(session)
        return record


async def _begun(wav: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same WAV, once its beginning is here, or all of a short one."""
    beginning: list[bytes] = []
    size = 0
    async for piece in wav:
        beginning.append(piece)
        size += len(piece)
        if size >= BEGINNING_BYTES:
            break
    return _chained(beginning, wav)


async def _chained(beginning: list[bytes], rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    while beginning:
        yield beginning.pop(0)
    async for piece in rest:
        yield piece


async def _copied(wav: AsyncIterator[bytes], copy: ChunkWriter) -> AsyncIterator[bytes]:
    async for piece in wav:
        await copy.write(piece)
        yield piece
