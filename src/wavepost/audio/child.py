"""Runs one conversion in a process of its own, within limits.

A hostile WAV can at worst kill this process (see `sandbox`). On a socket comes in what is wanted,
as `pack` makes it, and then WAV bytes; messages go out, each a kind (1 byte), a length (4 bytes,
big-endian) and that many bytes.
"""

import contextlib
import json
import os
import socket
import struct
import traceback

from wavepost.audio.conversion import Conversion
from wavepost.audio.encoder import Wanted
from wavepost.audio.sandbox import allow_cpu_seconds, confine
from wavepost.audio.source import Source
from wavepost.errors import DamagedWav, WavError

MESSAGE_HEADER = struct.Struct(">cI")
_WANTED = struct.Struct(">hh")
_NOT_GIVEN = -1
FRAMES, HEAD, WAVEFORM, FACTS, ERROR = b"m", b"h", b"w", b"f", b"e"

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
        confine(threads)
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
                _send(channel, WAVEFORM, conversion.waveform())
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
            allow_cpu_seconds(CPU_SECONDS_A_STEP)
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
