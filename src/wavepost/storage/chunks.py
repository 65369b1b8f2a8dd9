"""The bytes of a record, in rows of `CHUNK_BYTES`."""

import hashlib
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from wavepost.errors import Busy
from wavepost.storage.database import Database
from wavepost.storage.models import Chunk, Kind
from wavepost.storage.unfinished import UnfinishedRecord

CHUNK_BYTES = 256 * 1024


async def add(session: AsyncSession, record_id: UUID, kind: Kind, number: int, data: bytes) -> None:
    """Store one chunk. Raises Busy where the record is gone."""
    try:
        await session.execute(
            insert(Chunk).values(record_id=record_id, kind=kind, number=number, data=data)
        )
    except IntegrityError as error:
        raise interrupted() from error


async def read(session: AsyncSession, record_id: UUID, kind: Kind, number: int) -> bytes | None:
    """One chunk's bytes; None where the record is gone."""
    return await session.scalar(
        select(Chunk.data).where(
            Chunk.record_id == record_id, Chunk.kind == kind, Chunk.number == number
        )
    )


def place(offset: int, head_bytes: int) -> tuple[int, int]:
    """The number of the chunk that holds the byte at `offset`, and the byte's place in it.

    `head_bytes` is the size of chunk 0 where that is a head, else 0.
    """
    if offset < head_bytes:
        return 0, offset
    number, offset = divmod(offset - head_bytes, CHUNK_BYTES)
    return number + (1 if head_bytes else 0), offset


def count(total_bytes: int, head_bytes: int) -> int:
    """How many chunks `total_bytes` take, the head's included."""
    return bool(head_bytes) + -(-max(total_bytes - head_bytes, 0) // CHUNK_BYTES)


def size(number: int, total_bytes: int, head_bytes: int) -> int:
    """How many of `total_bytes` are in the chunk with this number."""
    if number == 0 and head_bytes:
        return head_bytes
    before = head_bytes + (number - bool(head_bytes)) * CHUNK_BYTES
    return min(total_bytes - before, CHUNK_BYTES)


class ChunkWriter:
    """Cuts what is written into chunks and commits each full one at once: short transactions.

    Attributes:
        bytes: how many were written.
    """

    def __init__(
        self, database: Database, record: UnfinishedRecord, kind: Kind, first_number: int = 0
    ) -> None:
        self.bytes = 0
        self._database = database
        self._record = record
        self._kind = kind
        self._first_number = self._next_number = first_number
        self._pending = bytearray()

    async def write(self, piece: bytes) -> None:
        """Take `piece`; returns once every chunk it completes is stored."""
        self.bytes += len(piece)
        self._pending += piece
        while len(self._pending) >= CHUNK_BYTES:
            await self._store(bytes(self._pending[:CHUNK_BYTES]))
            del self._pending[:CHUNK_BYTES]

    async def finish(self, session: AsyncSession) -> None:
        """Store what is left, in the transaction of `session`."""
        if self._pending:
            await self._add(session, bytes(self._pending))
            self._pending.clear()

    async def sha256(self, head: bytes) -> str:
        """The hash of `head` and all that was written, in hex: what is stored is read again.

        Needed where the head, which comes first, could not be told before the end.
        """
        digest = hashlib.sha256(head)
        for number in range(self._first_number, self._next_number):
            async with self._database.read() as session:
                data = await read(session, self._record.id, self._kind, number)
            if data is None:
                raise interrupted()
            digest.update(data)
        digest.update(self._pending)
        return digest.hexdigest()

    async def _store(self, data: bytes) -> None:
        await self._database.check_room()
        async with self._database.write() as session:
            await self._record.begin(session)
            await self._add(session, data)

    async def _add(self, session: AsyncSession, data: bytes) -> None:
        await add(session, self._record.id, self._kind, self._next_number, data)
        self._next_number += 1


def interrupted() -> Busy:
    """The unfinished record went away: its user left, or the sweep took it for abandoned."""
    return Busy("The upload was interrupted. Send the recording again.", retry_after_seconds=1)
