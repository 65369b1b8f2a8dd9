"""`wavepost convert`: the service's converter, without the service."""

import json
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click

# numpy's own threads would be started for nothing.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from wavepost.audio.encoder import Wanted
from wavepost.audio.files import convert_file, replacing, spooled
from wavepost.commands.terminal import progress_bar
from wavepost.errors import WavError

PIPE = Path("-")
Read = Callable[[int], bytes]


class CannotConvert(Exception):
    """What keeps a file from being converted, as a sentence for whoever asked for it."""


def convert(wav: Path, mp3: Path, wanted: Wanted, threads: int, *, as_json: bool) -> None:
    """Convert `wav` to `mp3`; PIPE is standard input or output. Raises CannotConvert."""
    started = time.monotonic()
    try:
        with _opened(wav) as file, _created(mp3, wav) as output, _progress(file) as read:
            facts = convert_file(read, output, wanted, threads)
    except WavError as error:
        raise CannotConvert(f"{wav}: {error.detail}") from error
    except BrokenPipeError:
        raise CannotConvert("Whoever was to read the MP3 has gone away.") from None
    except OSError as error:
        raise CannotConvert(f"{mp3}: {error.strerror}.") from error
    if as_json:
        click.echo(json.dumps(facts, indent=2), err=mp3 == PIPE)
    else:
        _report(facts, mp3, time.monotonic() - started)


@contextmanager
def _opened(wav: Path) -> Iterator[IO[bytes]]:
    if wav == PIPE:
        if sys.stdin.isatty():
            raise CannotConvert("Send a WAV to standard input, or name a file.")
        yield sys.stdin.buffer
        return
    try:
        file = wav.open("rb")
    except OSError as error:
        raise CannotConvert(f"{wav}: {error.strerror}.") from error
    with file:
        yield file


@contextmanager
def _created(mp3: Path, wav: Path) -> Iterator[IO[bytes]]:
    if mp3 == PIPE:
        if sys.stdout.isatty():
            raise CannotConvert("An MP3 is not for reading: name a file, or send it to a pipe.")
        with spooled(sys.stdout.buffer) as output:
            yield output
        return
    if wav != PIPE and mp3.exists() and mp3.samefile(wav):
        raise CannotConvert(f"{mp3} is the WAV itself: name another file for the MP3.")
    with replacing(mp3) as output:
        yield output


@contextmanager
def _progress(file: IO[bytes]) -> Iterator[Read]:
    """`file.read`, with a bar on a terminal that shows how far it has come."""
    with progress_bar(_size(file)) as bar:

        def read(size: int) -> bytes:
            piece = file.read(size)
            bar.advance(len(piece))
            return piece

        yield read


def _size(file: IO[bytes]) -> int | None:
    status = os.fstat(file.fileno())
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _report(facts: dict[str, Any], mp3: Path, seconds: float) -> None:
    for warning in facts["receipt"]["warnings"]:
        click.echo(f"{warning['code']}: {warning['detail']}", err=True)
    if sys.stderr.isatty():
        minutes, rest = divmod(facts["duration"], 60)
        channels = "mono" if facts["channels"] == 1 else "stereo"
        click.echo(
            f"{mp3}: {minutes:.0f} min {rest:.1f} s, {facts['sample_rate']} Hz {channels}, "
            f"{facts['bitrate']} kbit/s, {facts['bytes']:,} bytes; "
            f"{facts['duration'] / seconds:.0f} times as fast as it plays",
            err=True,
        )
