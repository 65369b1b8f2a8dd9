"""The converter child and its parent's side."""

import asyncio
import multiprocessing
import os
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests import sound
from tests.service import wait_for
from wavepost.audio import child
from wavepost.audio.converter import Converters
from wavepost.audio.encoder import Wanted
from wavepost.errors import DamagedWav, NotAWav

WAV = sound.wav(sound.tone(1, 16_000), 16_000)


async def in_pieces(wav: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(wav), 1000):
        yield wav[at : at + 1000]


async def converted(converters: Converters, wav: bytes) -> bytes:
    async with converters.start(Wanted()) as converter:
        pieces: list[bytes] = []

        async def collect() -> None:
            async for piece in converter.pieces():
                pieces.append(piece)  # noqa: PERF401 - a comprehension would hide the errors' place

        await asyncio.gather(converter.feed(in_pieces(wav)), collect())
        return converter.result().head + b"".join(pieces)


@pytest.fixture
async def converters() -> AsyncIterator[Converters]:
    found = Converters(slots=4, queue=4, wait_seconds=10, max_seconds=60, threads=2)
    yield found
    await found.close()


async def test_a_child_converts_what_it_is_fed(converters: Converters) -> None:
    heard, rate = sound.decode(await converted(converters, WAV))
    assert (rate, len(heard)) == (16_000, 16_000)
    await converters.check()


async def test_the_childs_errors_come_out_as_they_went_in(converters: Converters) -> None:
    with pytest.raises(NotAWav, match="looks like text"):
        await converted(converters, b"some text\n" * 50)


async def test_a_child_that_died_while_it_waited_is_replaced(converters: Converters) -> None:
    await converted(converters, WAV)
    (waiting,) = wait_for(multiprocessing.active_children, "a child to wait")
    waiting.kill()
    waiting.join()
    assert await converted(converters, WAV)


async def test_closing_ends_the_child_that_waits(converters: Converters) -> None:
    await converted(converters, WAV)
    wait_for(multiprocessing.active_children, "a child to wait")
    await converters.close()
    assert multiprocessing.active_children() == []


async def test_a_child_leaves_no_descriptor_and_no_process(converters: Converters) -> None:
    await converted(converters, WAV)
    wait_for(multiprocessing.active_children, "a child to wait")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        await converted(converters, WAV)
        with pytest.raises(NotAWav):
            await converted(converters, b"x" * 100_000)
    assert len(os.listdir("/proc/self/fd")) <= before


def in_a_confined_process(attempt: Callable[[], object]) -> bytes:
    """What comes of `attempt` under the child's limits."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        answer = b"it worked"
        try:
            child._confine(threads=1)
            attempt()
        except BaseException as error:
            answer = type(error).__name__.encode()
        theirs.sendall(answer)
        os._exit(0)
    theirs.close()
    answer = ours.recv(100)
    ours.close()
    os.waitpid(pid, 0)
    return answer


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize(
    ("attempt", "answer"),
    [
        (lambda: Path("/etc/passwd").read_bytes(), b"OSError"),
        (lambda: socket.create_connection(("127.0.0.1", 9)), b"OSError"),
        (lambda: bytearray(2 * child.MEMORY_BYTES), b"MemoryError"),
        (lambda: os.environ["PATH"], b"KeyError"),
        (lambda: bytearray(child.MEMORY_BYTES // 4), b"it worked"),
    ],
    ids=["a file", "a connection", "memory", "the environment", "what it needs"],
)
def test_a_child_can_reach_nothing(attempt: Callable[[], object], answer: bytes) -> None:
    assert in_a_confined_process(attempt) == answer


async def test_a_child_that_fails_unforeseen_says_damaged_and_logs_why(
    converters: Converters, caplog: pytest.LogCaptureFixture
) -> None:
    # A setting that no caller can make: the limit is not a number, so comparing with it fails.
    broken = Converters(slots=1, queue=1, wait_seconds=1, max_seconds="x", threads=1)  # type: ignore[arg-type]
    with pytest.raises(DamagedWav, match="did not foresee"):
        await converted(broken, WAV)
    await broken.close()
    assert "TypeError" in caplog.text
