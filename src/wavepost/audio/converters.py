"""Starts converter children, so many at once, and ends them for sure."""

import asyncio
import multiprocessing
import socket
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from typing import TypeVar

from wavepost.audio import child
from wavepost.audio.converter import Converter
from wavepost.audio.encoder import Wanted
from wavepost.audio.gate import Gate
from wavepost.audio.silence import DECODED_WAV
from wavepost.errors import Busy

CHECK_SECONDS = 10

FORK_ATTEMPTS, FORK_SECONDS = 5, 0.05
"""How often the forkserver is asked for a child, and how long to wait before the next time."""

MOST_BYTES_A_SECOND = 40_000
"""What MP3 takes at its highest bitrate, 320 kbit/s."""

T = TypeVar("T")


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
                await converter.convert(_once(DECODED_WAV), _ignore)
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
            most_bytes = int(MOST_BYTES_A_SECOND * (self._max_seconds + 60))
            yield Converter(reader, writer, lambda: self._exit_code(started), most_bytes)
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
        for _ in range(FORK_ATTEMPTS):
            try:
                return self._forked()
            except (EOFError, OSError) as error:
                # The forkserver was killed just then, and may take a moment to be seen dead.
                cause = error
                time.sleep(FORK_SECONDS)
        raise Busy("No converter can be started. Send the recording again.") from cause

    def _forked(self) -> _Child:
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


def _let_go(taken: Future[_Child]) -> None:
    if not taken.cancelled() and not taken.exception():
        taken.result().discard()


async def _ignore(piece: bytes) -> None:
    pass


async def _once(piece: bytes) -> AsyncIterator[bytes]:
    yield piece
