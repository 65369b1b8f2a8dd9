"""Runs one conversion in a process of its own, within limits.

A hostile WAV can at worst kill this process: it can open no file and no connection, write
nothing, and has bounds on memory and on time. On a socket come in what is wanted, as `pack`
makes it, and then WAV bytes; messages go out, each a kind (1 byte), a length (4 bytes,
big-endian) and that many bytes.
"""

import contextlib
import json
import os
import resource
import signal
import socket
import struct
import traceback

from wavepost.audio.conversion import Conversion
from wavepost.audio.encoder import Wanted
from wavepost.audio.source import Source
from wavepost.errors import DamagedWav, WavError

MESSAGE_HEADER = struct.Struct(">cI")
_WANTED = struct.Struct(">hh")
_NOT_GIVEN = -1
FRAMES, HEAD, FACTS, ERROR = b"m", b"h", b"f", b"e"

MEMORY_BYTES = 512 * 1024 * 1024
"""What a conversion may take on top of the libraries; an hour of stereo on two cores, as a
command, had 92 MiB with them."""

THREAD_BYTES = 160 * 1024 * 1024
"""The address space of a thread: its stack, and what malloc sets aside for it (glibc: 128 MiB)."""

LONG_BYTES, LONG_NICENESS = 16 * 1024 * 1024, 10
"""From here on a WAV is a long one, whose threads get a tenth of a short one's share of a core."""

CPU_SECONDS_A_STEP, STEP_BYTES = 60, 1024 * 1024
"""CPU time for each step of the WAV; the slowest found, GSM at 1 kHz, takes 6.5 s a step."""


def pack(wanted: Wanted) -> bytes:
    """What to send before the WAV."""
    given = (wanted.bitrate, wanted.quality)
    return _WANTED.pack(*(_NOT_GIVEN if number is None else number for number in given))


def run(channel: socket.socket, max_seconds: float, threads: int) -> None:
    """Convert what comes in on `channel` and answer on it; the process ends with the answer."""
    with channel:
        _confine(threads)
        packed = channel.recv(_WANTED.size, socket.MSG_WAITALL)
        if len(packed) < _WANTED.size:
            return
        given = (None if number == _NOT_GIVEN else number for number in _WANTED.unpack(packed))
        wanted = Wanted(*given)
        source = Source(_Receiver(channel).receive)
        # The parent hangs up when it has lost interest: then there is nobody to tell.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            try:
                conversion = Conversion(source, wanted, max_seconds=max_seconds, threads=threads)
                for piece in conversion.frames():
                    _send(channel, FRAMES, piece)
            except WavError as error:
                _send_error(channel, error)
            except (BrokenPipeError, ConnectionResetError):
                raise
            except Exception:
                detail = "The WAV can't be converted: it is damaged in a way we did not foresee."
                _send_error(channel, DamagedWav(detail), traceback.format_exc())
            else:
                _send(channel, HEAD, conversion.head())
                _send(channel, FACTS, json.dumps(conversion.facts()).encode())


class _Receiver:
    """Reads the socket, grants CPU time for what came, and lets shorter WAVs go first."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._until_step = 0
        self._until_long = LONG_BYTES

    def receive(self, size: int) -> bytes:
        if self._until_step <= 0:
            self._until_step = STEP_BYTES
            _allow_cpu_seconds(CPU_SECONDS_A_STEP)
        piece = self._channel.recv(size)
        self._until_step -= len(piece)
        self._until_long -= len(piece)
        if self._until_long <= 0 < self._until_long + len(piece):
            # Of this thread and those it starts from now on: all but the first few segments.
            os.nice(LONG_NICENESS)
        return piece


def _send(channel: socket.socket, kind: bytes, body: bytes) -> None:
    if body:
        channel.sendall(MESSAGE_HEADER.pack(kind, len(body)) + body)


def _send_error(channel: socket.socket, error: WavError, for_the_log: str = "") -> None:
    # A child may write to no file, so what is for the log goes to the parent too.
    _send(channel, ERROR, json.dumps([error.code, error.detail, for_the_log]).encode())
    # Closing with input unread would reset the connection, and the parent could miss the message.
    channel.shutdown(socket.SHUT_WR)
    while channel.recv(STEP_BYTES):
        pass


def _confine(threads: int) -> None:
    # Ctrl-C reaches the whole process group; the parent decides what it means for us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ.clear()
    # Linux only: macOS has no /proc, and its kernel does not hold processes to RLIMIT_AS.
    with contextlib.suppress(OSError):
        _limit(resource.RLIMIT_AS, _occupied_bytes() + MEMORY_BYTES + threads * THREAD_BYTES)
    for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        _limit(limit, 0)


def _limit(what: int, value: int) -> None:
    """Set the soft limit, at most as high as the hard one, which the operator may have lowered."""
    hard = resource.getrlimit(what)[1]
    soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
    # CPU time alone is granted again and again; the rest is final.
    resource.setrlimit(what, (soft, hard if what == resource.RLIMIT_CPU else soft))


def _occupied_bytes() -> int:
    """The address space that the libraries take already."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[0]) * resource.getpagesize()


def _allow_cpu_seconds(seconds: int) -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime)
    _limit(resource.RLIMIT_CPU, used + seconds)
