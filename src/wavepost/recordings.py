"""Recordings: add, open, list, remove.

An upload's record has a row as soon as there are chunks that need it, but it can be seen only
once it is whole: the last transaction publishes it.
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from wavepost.audio.converter import Result
from wavepost.audio.converters import Converters
from wavepost.audio.encoder import Wanted
from wavepost.errors import NotFound, WavepostError
from wavepost.storage import chunks, records, unfinished
from wavepost.storage.cache import Cache, SharedLookup
from wavepost.storage.chunks import ChunkWriter, interrupted
from wavepost.storage.database import Database
from wavepost.storage.models import Kind, Record, User
from wavepost.storage.unfinished import UnfinishedRecord

READY_CACHED = 1000
"""Records kept in memory, at a few KB each."""

log = logging.getLogger(__name__)


class Recordings:
    """The product: WAVs in, MP3s out, kept until they are removed."""

    def __init__(
        self,
        database: Database,
        converters: Converters,
        *,
        cache_bytes: int,
        keep_wav: bool,
        abandoned_seconds: float,
    ) -> None:
        self._database = database
        self._converters = converters
        self._chunks = Cache[tuple[UUID, Kind, int], bytes](cache_bytes, len)
        self._ready = Cache[tuple[UUID, UUID], Record](READY_CACHED, lambda _: 1)
        self._found = SharedLookup(self._look_up)
        self._keep_wav = keep_wav
        self._abandoned_seconds = abandoned_seconds
        self._uploading: set[UUID] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    async def add(self, user: User, name: str, wanted: Wanted, wav: AsyncIterator[bytes]) -> Record:
        """Convert `wav` while it arrives and keep its MP3; when this returns, it is committed.

        Raises:
            Busy: no converter came free.
            WavError: what was sent can't become an MP3.
            Whatever `wav` raises. Nothing is kept then.
        """
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
            return await self._publish(record, converter.result(), mp3, kept_wav)

    async def find(self, record_id: UUID, user_id: UUID) -> Record:
        """The user's record. Raises NotFound."""
        record = await self._found.get((record_id, user_id))
        if record is None:
            raise NotFound
        return record

    async def page(
        self, user: User, before: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[Record]:
        """Up to `limit` of the user's records older than `before`, newest first."""
        async with self._database.read() as session:
            return await records.page(session, user.id, before, limit)

    async def waveform(self, record: Record) -> bytes:
        """The points for drawing. Raises NotFound where there are none, or the record is gone."""
        async with self._database.read() as session:
            points = await records.waveform(session, record.id)
        if points is None:
            raise NotFound("This recording has no waveform.")
        return points

    async def remove(self, record_id: UUID, user: User) -> None:
        """Remove the user's record. Raises NotFound, also the second time."""
        async with self._database.write() as session:
            removed = await records.remove(session, record_id, user.id)
        if not removed:
            raise NotFound

    async def read(self, record: Record, kind: Kind, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `end` of the record's MP3 or WAV, a chunk at a time.

        Raises NotFound where the record is removed meanwhile.
        """
        head_bytes = record.head_bytes if kind is Kind.MP3 else 0
        while start < end:
            number, offset = chunks.place(start, head_bytes)
            data = await self._chunk(record.id, kind, number)
            piece = data[offset : offset + end - start]
            start += len(piece)
            yield piece

    async def _look_up(self, ids: tuple[UUID, UUID]) -> Record | None:
        # A ready record does not change. It may be removed, by another process too.
        async with self._database.read() as session:
            if (known := self._ready.get(ids)) and await records.is_ready(session, *ids):
                return known
            record = await records.find(session, *ids)
        self._ready.forget(ids)
        if record is not None:
            self._ready.put(ids, record)
        return record

    async def _chunk(self, record_id: UUID, kind: Kind, number: int) -> bytes:
        # Those of a record that is removed may stay a while: none is given out without a look-up.
        data = self._chunks.get((record_id, kind, number))
        if data is None:
            async with self._database.read() as session:
                data = await chunks.read(session, record_id, kind, number)
            if data is None:
                raise NotFound
            self._chunks.put((record_id, kind, number), data)
        return data

    async def keep_house(self) -> None:
        """For ever: mark uploads under way as alive, and sweep what crashes left behind."""
        while True:
            try:
                await self.sweep()
            except Exception:
                log.warning("sweep put off", exc_info=True)
            await asyncio.sleep(self._abandoned_seconds / 4)

    async def sweep(self) -> None:
        """One round of `keep_house`."""
        now = datetime.now(UTC)
        async with self._database.write() as session:
            await unfinished.touch(session, self._uploading, now)
            swept = await unfinished.sweep(
                session, now - timedelta(seconds=self._abandoned_seconds)
            )
        if swept:
            log.info("swept %d unfinished uploads that a crash had left behind", swept)

    async def settle(self) -> None:
        """Wait until no upload is under way; one that was cancelled is then removed."""
        await self._idle.wait()

    @asynccontextmanager
    async def _unfinished_record(self, user: User, name: str) -> AsyncIterator[UnfinishedRecord]:
        record = UnfinishedRecord(user.id, name)
        self._uploading.add(record.id)
        self._idle.clear()
        try:
            yield record
        except BaseException:
            if record.has_row:
                await asyncio.shield(self._discard(record))
            raise
        finally:
            self._uploading.discard(record.id)
            if not self._uploading:
                self._idle.set()

    async def _discard(self, record: UnfinishedRecord) -> None:
        try:
            async with self._database.write() as session:
                await record.discard(session)
        except WavepostError as error:
            log.warning("an unfinished upload is left to the sweep: %s", error.detail)

    async def _publish(
        self,
        unfinished_record: UnfinishedRecord,
        result: Result,
        mp3: ChunkWriter,
        kept_wav: ChunkWriter,
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
            facts["receipt"]["mp3"]["sha256"] = await self._hash(
                unfinished_record.id, result.head, mp3
            )
        await self._database.check_room()
        async with self._database.write() as session:
            record = await unfinished_record.publish(session, facts)
            if record is None:
                raise interrupted()
            await chunks.add(session, record.id, Kind.MP3, 0, result.head)
            await mp3.finish(session)
            await kept_wav.finish(session)
        return record

    async def _hash(self, record_id: UUID, head: bytes, mp3: ChunkWriter) -> str:
        """The MP3's SHA-256, over what the database gives back and what is still to be stored.

        Needed where the head, which comes first, could not be told before the end.
        """
        digest = hashlib.sha256(head)
        for number in mp3.numbers:
            async with self._database.read() as session:
                data = await chunks.read(session, record_id, Kind.MP3, number)
            if data is None:
                raise interrupted()
            digest.update(data)
        digest.update(mp3.rest)
        return digest.hexdigest()


async def _copied(wav: AsyncIterator[bytes], copy: ChunkWriter) -> AsyncIterator[bytes]:
    async for piece in wav:
        await copy.write(piece)
        yield piece
