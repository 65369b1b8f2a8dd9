"""The parent's side of a conversion: moves the child's bytes, and gives it up in time."""

import asyncio
import json
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from wavepost.audio import child
from wavepost.errors import WAV_ERRORS, Busy, DamagedWav

STUCK_SECONDS = 300
"""How long a child may take nothing in, or, when it has all, come to no end."""

FORKSERVER_DIED = 255
"""What multiprocessing gives for a child's exit code when nobody is left to tell it."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """The head, the waveform and the facts of a `Conversion` that another process ran."""

    head: bytes
    waveform: bytes
    facts: dict[str, Any]


class Converter:
    """One running child."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        exit_code: Callable[[], Awaitable[int | None]],
        most_bytes: int,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._exit_code = exit_code
        self._bytes_left = most_bytes
        self._head = self._waveform = b""
        self._facts: dict[str, Any] | None = None

    async def convert(
        self, wav: AsyncIterator[bytes], take: Callable[[bytes], Awaitable[None]]
    ) -> None:
        """Send `wav` at the child's pace, and give `take` the MP3 but for its head, as it comes.

        Each waits for the other, so the sender waits for both. Raises the WavError that the child
        found, DamagedWav where it came to no end, or whatever `wav` or `take` raises.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                taking = tasks.create_task(self._collect(take))
                tasks.create_task(self._feed(wav, taking))
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _feed(self, wav: AsyncIterator[bytes], taking: asyncio.Task[None]) -> None:
        try:
            # If the child has ended, `taking` says why.
            with suppress(BrokenPipeError, ConnectionResetError):
                async for piece in wav:
                    self._check_open()
                    self._writer.write(piece)
                    async with asyncio.timeout(STUCK_SECONDS):
                        await self._writer.drain()
                self._check_open()
                self._writer.write_eof()
            await asyncio.wait_for(asyncio.shield(taking), STUCK_SECONDS)
        except TimeoutError:
            raise _gave_up() from None

    def _check_open(self) -> None:
        """Raises BrokenPipeError once the child is gone, for which uvloop has a RuntimeError."""
        if self._writer.is_closing():
            raise BrokenPipeError

    async def _collect(self, take: Callable[[bytes], Awaitable[None]]) -> None:
        try:
            while True:
                kind, body = await self._message()
                if kind == child.FRAMES:
                    self._bytes_left -= len(body)
                    if self._bytes_left < 0:
                        raise _gave_up()
                    await take(body)
                elif kind == child.HEAD:
                    self._head = body
                elif kind == child.WAVEFORM:
                    self._waveform = body
                elif kind == child.FACTS:
                    self._facts = json.loads(body)
                    return
                else:
                    code, detail, for_the_log = json.loads(body)
                    if for_the_log:
                        log.error("converter child failed:\n%s", for_the_log)
                    raise WAV_ERRORS[code](detail)
        except (asyncio.IncompleteReadError, ConnectionError):
            raise await self._why_it_died() from None

    def result(self) -> Result:
        """What came of it, once `convert` has ended."""
        assert self._facts is not None, "convert() did not end well"
        return Result(self._head, self._waveform, self._facts)

    async def _message(self) -> tuple[bytes, bytes]:
        header = await self._reader.readexactly(child.MESSAGE_HEADER.size)
        kind, size = child.MESSAGE_HEADER.unpack(header)
        return kind, await self._reader.readexactly(size)

    async def _why_it_died(self) -> Busy | DamagedWav:
        exit_code = await self._exit_code()
        log.error("converter child ended with exit code %s", exit_code)
        if exit_code in (-signal.SIGKILL, FORKSERVER_DIED):
            # Somebody else's doing (the kernel short of memory, an operator), not the WAV's.
            return Busy("The converter was stopped. Send the recording again.")
        return _gave_up()


def _gave_up() -> DamagedWav:
    return DamagedWav("The WAV can't be converted: the converter gave up on it.")
