"""Recordings that are whole: find, list, read, remove. (`uploads` adds them.)"""

import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from wavepost.errors import Internal, NotFound
from wavepost.storage import chunks, records
from wavepost.storage.cache import Cache, SharedLookup
from wavepost.storage.database import Database
from wavepost.storage.models import Kind, Record, User
from wavepost.storage.retention import Retention

log = logging.getLogger(__name__)

READY_CACHED = 1000
"""Records kept in memory, at a few KB each."""


@dataclass(frozen=True)
class Usage:
    """What a user keeps here: ready records, and the bytes of their MP3s and kept WAVs."""

    records: int
    bytes: int


class Recordings:
    """What is kept until it is removed, or expires."""

    def __init__(self, database: Database, retention: Retention, *, cache_bytes: int) -> None:
        """`cache_bytes` bounds what is held in memory of chunks that were read lately."""
        self._database = database
        self._retention = retention
        self._chunks = Cache[tuple[UUID, Kind, int], bytes](cache_bytes, len)
        self._ready = Cache[tuple[UUID, UUID], Record](READY_CACHED, lambda _: 1)
        self._found = SharedLookup(self._look_up)

    async def find(self, record_id: UUID, user_id: UUID) -> Record:
        """The user's record. Raises NotFound."""
        record = await self._found.get((record_id, user_id))
        if record is None:
            raise NotFound
        return record

    async def page(
        self,
        user: User,
        before: tuple[datetime, UUID] | None,
        limit: int,
        *,
        name: str = "",
        sha256: str = "",
    ) -> Sequence[Record]:
        """Up to `limit` of the user's records older than `before`, newest first.

        With a `name`, only those whose own contains it, regardless of case; with a `sha256` in
        hex, only those that were made of this very WAV.
        """
        async with self._database.read() as session:
            moment = self._retention.moment()
            return await records.page(session, user.id, before, limit, moment, name, sha256)

    async def usage(self, user: User) -> Usage:
        """How much the user keeps here."""
        async with self._database.read() as session:
            return Usage(*await records.usage(session, user.id, self._retention.moment()))

    def expires_at(self, record: Record) -> datetime | None:
        """When the record goes; None where it stays until it is removed."""
        return self._retention.expires_at(record)

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
            removed = await records.remove(session, record_id, user.id, self._retention.moment())
        if not removed:
            raise NotFound

    async def read(self, record: Record, kind: Kind, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `end` of the record's MP3 or WAV, a chunk at a time.

        Raises NotFound where the record is removed meanwhile, and Internal where it is damaged.
        """
        if kind is Kind.MP3:
            size, head_bytes = record.bytes, record.head_bytes
        else:
            size, head_bytes = record.wav_bytes or 0, 0
        while start < end:
            number, offset = chunks.place(start, head_bytes)
            data = await self._chunk(record.id, kind, number)
            if len(data) != chunks.size(number, size, head_bytes):
                log.error("a chunk of a record is damaged: wavepost fsck names it")
                raise Internal
            piece = data[offset : offset + end - start]
            start += len(piece)
            yield piece

    async def _look_up(self, ids: tuple[UUID, UUID]) -> Record | None:
        # A ready record does not change. It may be removed, by another process too.
        async with self._database.read() as session:
            moment = self._retention.moment()
            if (known := self._ready.get(ids)) and await records.is_ready(session, *ids, moment):
                return known
            record = await records.find(session, *ids, moment)
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
