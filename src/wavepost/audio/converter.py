"""The parent's side of a conversion: starts the child, moves its bytes, and ends it for sure."""

import asyncio
import json
import logging
import multiprocessing
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from wavepost.audio import child
from wavepost.audio.encoder import Wanted
from wavepost.audio.gate import Gate
from wavepost.audio.silence import DECODED_WAV
from wavepost.errors import WAV_ERRORS, Busy, DamagedWav

CHECK_SECONDS = 10
T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """The first frame and the facts of a `Conversion` that another process ran."""

    head: bytes
    facts: dict[str, Any]


@dataclass(frozen=True)
class _Child:
    """A process that waits for what is wanted and a WAV, and our end of its channel."""

    process: BaseProcess
    channel: socket.socket

    def end(self) -> None:
        """See to it that it is gone. Its channel belongs to whoever opened a connection on it."""
        if self.process.is_alive():
            self.process.kill()
        self.process.join()
        self.process.close()

    def discard(self) -> None:
        """End one that nobody opened a connection to."""
        self.channel.close()
        self.end()


class Converters:
    """Starts converter children, so many at once, and keeps one more ready."""

    def __init__(
        self, slots: int, queue: int, wait_seconds: float, max_seconds: float, threads: int
    ) -> None:
        """`threads` is how many cores one conversion may use; the rest is the gate's."""
        self.gate = Gate(
            slots,
            queue,
            wait_seconds,
            "Every converter is taken. Send the recording again in a few seconds.",
        )
        self._max_seconds = max_seconds
        self._threads = threads
        # multiprocessing's bookkeeping is not made for several threads at once.
        self._processes = ThreadPoolExecutor(max_workers=1, thread_name_prefix="converters")
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["wavepost.audio.preload"])
        self._spare: _Child | None = None

    async def check(self) -> None:
        """Convert a moment of silence. Raises WavepostError where that fails."""
        try:
            async with asyncio.timeout(CHECK_SECONDS), self.start(Wanted()) as converter:
                await converter.feed(_once(DECODED_WAV))
                async for _ in converter.pieces():
                    pass
        except TimeoutError:
            raise Busy("The converter does not answer in time.") from None

    @asynccontextmanager
    async def start(self, wanted: Wanted) -> AsyncIterator["Converter"]:
        """A child ready for the WAV's bytes; it is gone when the context ends."""
        started = await self._taken()
        try:
            reader, writer = await asyncio.open_unix_connection(sock=started.channel)
        except BaseException:
            self._processes.submit(started.discard)
            raise
        try:
            writer.write(child.pack(wanted))
            yield Converter(reader, writer, lambda: self._exit_code(started))
        finally:
            writer.close()
            await self._in_thread(started.end)
            # Not waited for: the next one's start is no business of this one.
            self._processes.submit(self._keep_one_ready)

    async def close(self) -> None:
        """End the one that is ready. No other is to be started then."""
        await asyncio.to_thread(self._processes.shutdown)
        if self._spare:
            self._spare.discard()
            self._spare = None

    async def _taken(self) -> _Child:
        taking = self._processes.submit(self._take)
        try:
            return await asyncio.wrap_future(taking)
        except asyncio.CancelledError:
            # It may be too late to cancel it.
            taking.add_done_callback(_let_go)
            raise

    def _take(self) -> _Child:
        spare, self._spare = self._spare, None
        if spare is None:
            return self._new_child()
        if not spare.process.is_alive():
            spare.discard()
            return self._new_child()
        return spare

    def _keep_one_ready(self) -> None:
        self._spare = self._spare or self._new_child()

    def _new_child(self) -> _Child:
        # 5 ms, but 200 ms the first time, when the forkserver loads the libraries.
        ours, theirs = socket.socketpair()
        process = self._context.Process(
            target=child.run, args=(theirs, self._max_seconds, self._threads), daemon=True
        )
        # Should nobody wait for it any more, the child finds its channel closed and ends.
        with theirs:
            try:
                process.start()
            except BaseException:
                ours.close()
                raise
        return _Child(process, ours)

    async def _exit_code(self, started: _Child) -> int | None:
        await self._in_thread(started.process.join)
        return started.process.exitcode

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._processes, call)


class Converter:
    """One running child. `feed` and `pieces` go on side by side, in two tasks."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        exit_code: Callable[[], Awaitable[int | None]],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._exit_code = exit_code
        self._head = b""
        self._facts: dict[str, Any] | None = None

    async def feed(self, wav: AsyncIterator[bytes]) -> None:
        """Send `wav` at the child's pace. If the child has ended, `pieces` says why."""
        with suppress(BrokenPipeError, ConnectionResetError):
            async for piece in wav:
                self._writer.write(piece)
                await self._writer.drain()
            self._writer.write_eof()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The MP3 but for its head. Raises the WavError that the child found."""
        try:
            while True:
                kind, body = await self._message()
                if kind == child.FRAMES:
                    yield body
                elif kind == child.HEAD:
                    self._head = body
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
        """What came of it, once `pieces` is exhausted."""
        assert self._facts is not None, "pieces() was not read to its end"
        return Result(self._head, self._facts)

    async def _message(self) -> tuple[bytes, bytes]:
        header = await self._reader.readexactly(child.MESSAGE_HEADER.size)
        kind, size = child.MESSAGE_HEADER.unpack(header)
        return kind, await self._reader.readexactly(size)

    async def _why_it_died(self) -> Busy | DamagedWav:
        exit_code = await self._exit_code()
        log.error("converter child ended with exit code %s", exit_code)
        if exit_code == -signal.SIGKILL:
            # Somebody else's doing (the kernel short of memory, an operator), not the WAV's.
            return Busy("The converter was stopped. Send the recording again.")
        return DamagedWav("The WAV can't be converted: the converter gave up on it.")


def _let_go(taken: Future[_Child]) -> None:
    if not taken.cancelled() and not taken.exception():
        taken.result().discard()


async def _once(piece: bytes) -> AsyncIterator[bytes]:
    yield piece
