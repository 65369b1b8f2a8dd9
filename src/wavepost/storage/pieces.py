"""The bytes of a resumable upload: stored piece by piece as they come, and read at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from wavepost.errors import OffsetConflict, TooLarge
from wavepost.storage import resumable
from wavepost.storage.chunks import interrupted
from wavepost.storage.database import Database

PIECE_BYTES = 1024 * 1024
"""What one transaction stores: each waits for the disk, so four of 256 KiB take longer."""

READ_BYTES = 64 * 1024


Check = Callable[[AsyncSession], Awaitable[None]]


class Pieces:
    """What is here of an upload, and what one request adds to it.

    The last bytes that came are kept in memory: stored they are once more follow, or by `keep`.
    So an upload that is all here, but of which no record came, lacks its end still, and its
    sender, who asks where it stands, sends that again.

    Attributes:
        holder: the request.
        received: how many bytes are stored.
        length: of the whole, None where it is not known.
        most_bytes: how long it may become then.
        before_storing: called in each transaction that stores, whose error refuses the piece.
    """

    def __init__(
        self, database: Database, upload_id: UUID, holder: UUID, received: int, length: int | None
    ) -> None:
        self.holder = holder
        self.received = received
        self.length = length
        self.most_bytes = length
        self.before_storing: Check | None = None
        self._database = database
        self._upload_id = upload_id
        self._end = bytearray()
        self._has_ended = False
        self._more = asyncio.Event()

    @property
    def is_whole(self) -> bool:
        """Whether all that was announced has come, and no more."""
        return self._has_ended and self._size == self.length

    @property
    def _size(self) -> int:
        return self.received + len(self._end)

    async def add(self, body: AsyncIterator[bytes]) -> None:
        """Take all of `body`. Raises TooLarge, OffsetConflict, or whatever reading it raises."""
        async for piece in body:
            self._check_size(self._size + len(piece))
            self._end += piece
            while len(self._end) > PIECE_BYTES:
                await self._store(PIECE_BYTES)
        self._has_ended = True
        self._more.set()

    async def keep(self) -> None:
        """Store also the last bytes that came, unless they are the upload's."""
        if self._end and self._size != self.length:
            await self._store(len(self._end))

    async def rewind(self, to: int) -> None:
        """Forget what came from the byte `to` on."""
        self._end.clear()
        self.received = to
        async with self._database.write() as session:
            await resumable.rewind(session, self._upload_id, self.holder, to)

    async def lock(self, duration: timedelta | None) -> None:
        """Have nobody else take the upload over for so long, or let them again."""
        until = datetime.now(UTC) + duration if duration else None
        async with self._database.write() as session:
            await resumable.lock(session, self._upload_id, self.holder, until)

    async def wav(self) -> AsyncIterator[bytes]:
        """All of it from the first byte, as far as it has come; ends where `add` has ended.

        What is stored is read again, so that its sender need not wait for who reads it here.
        """
        position = 0
        while True:
            self._more.clear()
            while position < self.received:
                piece = await self._read(position)
                for start in range(0, len(piece), READ_BYTES):
                    yield piece[start : start + READ_BYTES]
                position += len(piece)
            if self._has_ended:
                break
            await self._more.wait()
        yield bytes(self._end)

    def _check_size(self, size: int) -> None:
        most = self.most_bytes if self.length is None else self.length
        if most is not None and size > most:
            raise TooLarge(f"This upload may have {most} bytes, and more came.")

    async def _read(self, start: int) -> bytes:
        async with self._database.read() as session:
            piece = await resumable.read_piece(session, self._upload_id, start)
        if piece is None:
            raise interrupted()
        return piece

    async def _store(self, size: int) -> None:
        await self._database.check_room()
        data = bytes(self._end[:size])
        async with self._database.write() as session:
            ours = await resumable.add_piece(
                session, self._upload_id, self.holder, self.received, data, datetime.now(UTC)
            )
            if self.before_storing is not None:
                await self.before_storing(session)
        if not ours:
            raise OffsetConflict("Another request goes on with this upload.")
        del self._end[:size]
        self.received += size
        self._more.set()
