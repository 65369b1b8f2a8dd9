"""What is sent: its bytes, its hash, and whether it stayed as it was."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from wavepost.client.errors import SourceChanged

PIECE_BYTES = 256 * 1024
Openable = str | os.PathLike[str] | IO[bytes]
Progress = Callable[[int], None]
"""Told how many bytes of the recording have been sent; less than before, where some were lost."""


@dataclass(frozen=True)
class Options:
    """How a recording is to be kept; see `Client.push`."""

    name: str | None = None
    bitrate: int | None = None
    quality: int | None = None
    expires_in: int | None = None

    def fields(self) -> dict[str, str]:
        """Those of them that were given, but for the name."""
        given = {"bitrate": self.bitrate, "quality": self.quality, "expires_in": self.expires_in}
        return {name: str(value) for name, value in given.items() if value is not None}


class Source:
    """A file that can be read more than once, from where it stands to its end.

    Attributes:
        size: in bytes.
        sha256: in hexadecimal.
    """

    def __init__(self, file: IO[bytes]) -> None:
        """Reads all of it, for the hash. Raises OSError and SourceChanged."""
        self._file = file
        self._start = file.tell()
        self.size = file.seek(0, os.SEEK_END) - self._start
        self._looks = self._look()
        digest = hashlib.sha256()
        for piece in self.pieces(0, self.size):
            digest.update(piece)
        self.sha256 = digest.hexdigest()

    def key(self, options: Options) -> str:
        """An Idempotency-Key that follows from the bytes and the options."""
        fields = sorted(options.fields().items())
        return hashlib.sha256(f"{self.sha256} {fields}".encode()).hexdigest()

    def pieces(self, offset: int, count: int) -> Iterator[bytes]:
        """`count` bytes from `offset` on. Raises SourceChanged before the file's last ones.

        So nothing is made of a file that another program writes to.
        """
        self._file.seek(self._start + offset)
        left = count
        while left:
            piece = self._file.read(min(PIECE_BYTES, left))
            left -= len(piece)
            if not piece or (not left and offset + count == self.size):
                self.check(bool(piece))
            yield piece

    def check(self, is_whole: bool = True) -> None:
        """Raises SourceChanged where the file is no more what it was."""
        if not is_whole or self._look() != self._looks:
            raise SourceChanged(
                "The file changed while it was sent: send it again once nothing writes to it."
            )

    def _look(self) -> tuple[int, int] | None:
        try:
            status = os.fstat(self._file.fileno())
        except OSError:  # of memory, not of a file
            return None
        return status.st_size, status.st_mtime_ns


@contextmanager
def opened(source: Openable) -> Iterator[IO[bytes]]:
    """The file itself; one that is given open stays so. Raises OSError."""
    if isinstance(source, str | os.PathLike):
        with Path(source).open("rb") as file:
            yield file
    else:
        yield source


def name_of(source: object) -> str | None:
    """What a file is called, without its folders, as text that can be sent."""
    path = source if isinstance(source, str | os.PathLike) else getattr(source, "name", None)
    if not isinstance(path, str | os.PathLike):
        return None
    return sendable(os.path.basename(os.fsdecode(path)))


def sendable(name: str) -> str:
    """The name with a mark for each byte that is no text; the server takes out the rest."""
    return os.fsencode(name).decode("utf-8", "replace")


def read_from(file: IO[bytes]) -> Iterator[bytes]:
    """A pipe's bytes, to its end."""
    while piece := file.read(PIECE_BYTES):
        yield piece


def counted(pieces: Iterable[bytes], progress: Progress | None, offset: int) -> Iterator[bytes]:
    """The same pieces; `progress` is told after each how far it has come from `offset`."""
    for piece in pieces:
        yield piece
        offset += len(piece)
        if progress:
            progress(offset)
