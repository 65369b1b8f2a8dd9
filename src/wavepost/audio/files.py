"""A WAV from a file or a pipe to an MP3 in a file or a pipe."""

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from wavepost.audio.conversion import Conversion
from wavepost.audio.encoder import Wanted
from wavepost.audio.source import PIECE_BYTES, Source


def convert_file(
    read: Callable[[int], bytes], output: IO[bytes], wanted: Wanted, threads: int
) -> dict[str, Any]:
    """Write the MP3 of the WAV that `read` gives to `output`, which is empty and can seek.

    Returns what `Conversion.facts` does, with the MP3's `bytes`, and its hash in any case.
    Raises WavError, or OSError where `read` or `output` fails.
    """
    conversion = Conversion(Source(read), wanted, max_seconds=float("inf"), threads=threads)
    reserved = 0
    for piece in conversion.frames():
        if not reserved:
            # Of the right size, unless tags come behind the sound.
            reserved = output.write(conversion.head())
        output.write(piece)
    _replace_head(output, reserved, conversion.head())
    facts = conversion.facts()
    facts["bytes"] = output.seek(0, os.SEEK_END)
    mp3 = facts["receipt"]["mp3"]
    if mp3["sha256"] is None:
        output.seek(0)
        mp3["sha256"] = _sha256(output)
    output.flush()
    return facts


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write that becomes `path` at the end of the context, and only if that is reached.

    What is there before stays whole until then. Where `path` is no file (a device, a named pipe),
    it gets the bytes at the end. Raises OSError.
    """
    path = path.resolve()
    old = path.stat() if path.exists() else None
    if old and not stat.S_ISREG(old.st_mode):
        with path.open("wb") as pipe, spooled(pipe) as file:
            yield file
        return
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fchmod(handle, stat.S_IMODE(old.st_mode) if old else 0o666 & ~_umask())
            if old:
                # Or a crash of the machine could leave neither the old one nor the new one.
                os.fsync(handle)
        os.replace(name, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(name)
        raise


@contextmanager
def spooled(pipe: IO[bytes]) -> Iterator[IO[bytes]]:
    """A file to write that goes down `pipe` at the end of the context.

    A pipe can't go back to the MP3's first frame, which is known last, nor take back what it got
    of a WAV that turns out to be none.
    """
    with tempfile.TemporaryFile() as file:
        yield file
        file.seek(0)
        shutil.copyfileobj(file, pipe, PIECE_BYTES)
        pipe.flush()


def _replace_head(file: IO[bytes], old_size: int, head: bytes) -> None:
    if len(head) == old_size:
        file.seek(0)
        file.write(head)
        return
    with tempfile.TemporaryFile() as rest:
        file.seek(old_size)
        shutil.copyfileobj(file, rest, PIECE_BYTES)
        file.seek(0)
        file.write(head)
        rest.seek(0)
        shutil.copyfileobj(rest, file, PIECE_BYTES)
        file.truncate()


def _sha256(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while piece := file.read(PIECE_BYTES):
        digest.update(piece)
    return digest.hexdigest()


def _umask() -> int:
    umask = os.umask(0o077)
    os.umask(umask)
    return umask
