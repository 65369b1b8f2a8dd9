"""The converter child and its parent's side."""

import asyncio
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from multiprocessing import forkserver
from pathlib import Path
from threading import Thread

import pytest
import uvloop

from tests import sound
from tests.service import wait_for
from wavepost.audio import sandbox
from wavepost.audio.converter import Converter
from wavepost.audio.converters import Converters
from wavepost.audio.encoder import Wanted
from wavepost.errors import Busy, DamagedWav, NotAWav

WAV = sound.wav(sound.tone(1, 16_000), 16_000)


async def in_pieces(wav: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(wav), 1000):
        yield wav[at : at + 1000]


async def converted(converters: Converters, wav: bytes) -> bytes:
    async with converters.start(Wanted()) as converter:
        pieces: list[bytes] = []

        async def keep(piece: bytes) -> None:
            pieces.append(piece)

        await converter.convert(in_pieces(wav), keep)
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


@pytest.mark.parametrize("encoding", ["ascii", "utf-8", "cp1251", "latin-1", "utf-16", "utf-16-be"])
async def test_a_child_that_can_open_no_file_reads_tags_in_any_encoding(
    converters: Converters, encoding: str
) -> None:
    title = "Call" if encoding == "ascii" else "Größe" if encoding == "latin-1" else "Привет"
    if encoding.startswith("utf-16"):
        text = bytes((1 + (encoding == "utf-16-be"),)) + title.encode(encoding)
        body = b"TIT2" + len(text).to_bytes(4, "big") + b"\0\0" + text
        chunk = sound.chunk(b"id3 ", b"ID3\4\0\0\0\0\0" + bytes((len(body),)) + body)
    else:
        chunk = sound.chunk(b"LIST", b"INFO" + sound.chunk(b"INAM", title.encode(encoding)))
    async with converters.start(Wanted()) as converter:
        await converter.convert(in_pieces(WAV + chunk), ignore)
        assert converter.result().facts["receipt"]["tags"] == {"title": title}


async def test_the_childs_errors_come_out_as_they_went_in(converters: Converters) -> None:
    with pytest.raises(NotAWav, match="looks like text"):
        await converted(converters, b"some text\n" * 50)


async def test_a_child_that_died_while_it_waited_is_replaced(converters: Converters) -> None:
    await converted(converters, WAV)
    (waiting,) = wait_for(multiprocessing.active_children, "a child to wait")
    waiting.kill()
    waiting.join()
    assert await converted(converters, WAV)


async def test_a_forkserver_that_is_killed_while_it_makes_a_child_is_replaced(
    converters: Converters,
) -> None:
    await converted(converters, WAV)
    (waiting,) = wait_for(multiprocessing.active_children, "a child to wait")
    waiting.kill()
    waiting.join()
    pid = forkserver._forkserver._forkserver_pid
    os.kill(pid, signal.SIGSTOP)
    converting = asyncio.create_task(converted(converters, WAV))

    def kill_it_while_it_is_asked() -> None:
        (thread,) = converters._processes._threads
        frames = sys._current_frames
        wait_for(lambda: frames()[thread.ident].f_code.co_name == "read_signed", "a child to start")
        os.kill(pid, signal.SIGKILL)

    await asyncio.to_thread(kill_it_while_it_is_asked)
    assert await converting


def test_a_child_that_is_killed_while_it_is_fed_is_busy() -> None:
    """On the server's own event loop, which won't have a closed connection written to."""

    async def feed_the_dead() -> None:
        ours, child = socket.socketpair()
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        is_known = asyncio.Event()

        async def exit_code() -> int:
            await is_known.wait()
            return -signal.SIGKILL

        async def wav() -> AsyncIterator[bytes]:
            yield WAV[:1000]
            child.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            asyncio.get_running_loop().call_soon(is_known.set)
            yield WAV[1000:]

        with pytest.raises(Busy, match="stopped"):
            await Converter(reader, writer, exit_code, len(WAV)).convert(wav(), ignore)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(feed_the_dead())


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
    # The child that waits now may have more open than the one that was only just starting then;
    # ten that left one each would be ten.
    wait_for(lambda: len(os.listdir("/proc/self/fd")) < before + 5, "descriptors to be closed")


def in_a_confined_process(attempt: Callable[[], object]) -> bytes:
    """What comes of `attempt` under the child's limits."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        answer = b"it worked"
        try:
            sandbox.confine(threads=1)
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
        (socket.socket, b"PermissionError"),
        (lambda: bytearray(2 * sandbox.MEMORY_BYTES), b"MemoryError"),
        (lambda: os.environ["PATH"], b"KeyError"),
        (os.fork, b"PermissionError"),
        (lambda: os.execv("/bin/true", ["true"]), b"PermissionError"),
        (lambda: Thread(target=print).start(), b"it worked"),
        (lambda: bytearray(sandbox.MEMORY_BYTES // 4), b"it worked"),
    ],
    ids=[
        *("a file", "a connection", "memory", "the environment", "a process", "a program"),
        *("a thread that it needs", "memory that it needs"),
    ],
)
def test_a_child_can_reach_nothing(attempt: Callable[[], object], answer: bytes) -> None:
    assert in_a_confined_process(attempt) == answer


@pytest.mark.parametrize("stuck", ["at the start", "at the end"])
async def test_a_child_that_comes_to_no_end_is_given_up(
    converters: Converters, monkeypatch: pytest.MonkeyPatch, stuck: str
) -> None:
    wav = in_pieces(WAV * 100 if stuck == "at the start" else WAV)
    async with converters.start(Wanted()) as converter:
        (pid,) = (process.pid for process in multiprocessing.active_children())
        assert pid
        os.kill(pid, signal.SIGSTOP)
        with monkeypatch.context() as patch:
            patch.setattr("wavepost.audio.converter.STUCK_SECONDS", 0.2)
            with pytest.raises(DamagedWav, match="gave up"):
                await converter.convert(wav, ignore)
    assert await converted(converters, WAV)


async def test_an_mp3_larger_than_any_can_be_is_given_up(converters: Converters) -> None:
    async with converters.start(Wanted()) as converter:
        converter._bytes_left = 1_000
        with pytest.raises(DamagedWav, match="gave up"):
            await converter.convert(in_pieces(WAV), ignore)


async def ignore(piece: bytes) -> None:
    pass


async def test_a_child_that_fails_unforeseen_says_damaged_and_logs_why(
    converters: Converters, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(DamagedWav, match="did not foresee"):
        async with converters.start(Wanted(quality=99)) as converter:  # no caller can ask for it
            await converter.convert(in_pieces(WAV), ignore)
    assert "RuntimeError" in caplog.text
