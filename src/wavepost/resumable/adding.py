"""One request's part of a resumable upload: it is stored, and the last one converts them all."""

import asyncio
from asyncio import FIRST_COMPLETED
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from wavepost.audio.encoder import Wanted
from wavepost.errors import WavepostError
from wavepost.storage import resumable
from wavepost.storage.models import ResumableUpload, User
from wavepost.storage.pieces import Pieces
from wavepost.uploads import Incoming, Uploads

LOCKED = timedelta(seconds=30)
"""How long a conversion whose server was killed keeps its sender waiting."""


@dataclass(frozen=True)
class Addition:
    """What one request brings: `size` bytes, None where it does not say, beginning at `offset`.

    `length` is that of the whole, where it was not known before.
    """

    offset: int
    body: AsyncIterator[bytes]
    size: int | None
    length: int | None = None


class Adding:
    """What one request does for an upload."""

    def __init__(
        self, uploads: Uploads, user: User, upload: ResumableUpload, pieces: Pieces
    ) -> None:
        self._uploads = uploads
        self._user = user
        self._upload = upload
        self._pieces = pieces

    async def take(self, addition: Addition) -> None:
        """Store what comes; once all is here, it is a record when this returns.

        Where the request says that it brings the last byte, the conversion goes on beside it.
        """
        size, length = addition.size, self._pieces.length
        ends = size is not None and addition.offset + size == length
        async with _beside(self._convert if ends else None) as converting:
            await _unless_failed(self._pieces.add(addition.body), converting)
            if self._pieces.is_whole:
                async with self._locked():
                    await (converting or self._convert())

    async def _convert(self) -> None:
        upload, pieces = self._upload, self._pieces
        seconds = upload.expires_in
        incoming = Incoming(
            wav=pieces.wav(),
            name=upload.name,
            wanted=Wanted(upload.bitrate, upload.quality),
            expires_in=None if seconds is None else timedelta(seconds=seconds),
        )
        await self._uploads.convert(
            self._user,
            incoming,
            partial(
                resumable.fulfil, upload_id=upload.id, holder=pieces.holder, length=pieces.length
            ),
        )

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[None]:
        """Nobody takes the upload over while the context lasts: there is nothing to be sent."""
        await self._pieces.lock(LOCKED)
        locking = asyncio.create_task(_keep_locked(self._pieces))
        try:
            yield
        finally:
            locking.cancel()
            with suppress(asyncio.CancelledError):
                await locking
            await asyncio.shield(_let_go(self._pieces))


@asynccontextmanager
async def _beside(
    work: Callable[[], Coroutine[Any, Any, None]] | None,
) -> AsyncIterator[asyncio.Task[None] | None]:
    """Have the work done meanwhile, if there is any; it ends with the context."""
    if work is None:
        yield None
        return
    task = asyncio.create_task(work())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # the other one's was first, and is what is said


async def _unless_failed(
    adding: Coroutine[Any, Any, None], converting: asyncio.Task[None] | None
) -> None:
    """Add, but end at once with the conversion's error if it has one: the rest is for nothing."""
    async with _beside(lambda: adding) as task:
        assert task is not None
        await asyncio.wait({task, *filter(None, (converting,))}, return_when=FIRST_COMPLETED)
        await (task if task.done() or converting is None else converting)


async def _keep_locked(pieces: Pieces) -> None:
    while True:
        await asyncio.sleep(LOCKED.total_seconds() / 3)
        with suppress(WavepostError):
            await pieces.lock(LOCKED)


async def _let_go(pieces: Pieces) -> None:
    with suppress(WavepostError):
        await pieces.lock(None)
