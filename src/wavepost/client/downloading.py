"""An MP3, whole and checked: what is cut off is gone on with, and has no name until it is whole."""

import hashlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import httpx2

from wavepost.client.connection import Connection
from wavepost.client.errors import Damaged
from wavepost.client.patience import Patience
from wavepost.client.source import Progress


class Download:
    """Of one link, into one open file."""

    def __init__(
        self,
        connection: Connection,
        link: str,
        file: IO[bytes],
        sha256: str,
        progress: Progress | None,
    ) -> None:
        """`sha256` is what to expect, or "" where the link's ETag is to say so."""
        self._connection = connection
        self._link = link
        self._file = file
        self._sha256 = sha256
        self._progress = progress
        self._digest = hashlib.sha256()
        self._etag = ""
        self._got = 0
        self._furthest = 0

    def run(self, patience: Patience) -> int:
        """Get all of it; how many bytes. Raises ClientError, and OSError where it can't be kept."""
        patience.call(lambda: self._go_on(patience))
        if self._sha256 and self._digest.hexdigest() != self._sha256:
            raise Damaged("What came is not what the server keeps: download it again.")
        return self._got

    def _go_on(self, patience: Patience) -> None:
        resumable = self._got and self._etag
        headers = {"Range": f"bytes={self._got}-", "If-Range": self._etag} if resumable else {}
        with self._connection.fetch(self._link, headers) as answer:
            self._begin(answer)
            for piece in answer.iter_raw():
                self._file.write(piece)
                self._digest.update(piece)
                self._got += len(piece)
                self._note(patience)
                if self._progress:
                    self._progress(self._got)

    def _note(self, patience: Patience) -> None:
        """What had come before is nothing new: a line that always breaks there is given up."""
        if self._got > self._furthest:
            self._furthest = self._got
            patience.got_on()

    def _begin(self, answer: httpx2.Response) -> None:
        if answer.status_code == 206:
            if not answer.headers.get("content-range", "").startswith(f"bytes {self._got}-"):
                raise Damaged("The server sent another part than was asked for: download it again.")
            return
        if self._got:
            self._restart()
        self._etag = _strong(answer.headers.get("etag", ""))
        if not self._sha256 and re.fullmatch('"[0-9a-f]{64}"', self._etag):
            self._sha256 = self._etag.strip('"')

    def _restart(self) -> None:
        """The server sends it from the beginning again."""
        if not self._file.seekable():
            raise Damaged("The download broke, and the server can't go on with it: try again.")
        self._file.seek(-self._got, os.SEEK_CUR)
        self._file.truncate()
        self._digest, self._got = hashlib.sha256(), 0


@contextmanager
def created(target: str | os.PathLike[str] | IO[bytes]) -> Iterator[IO[bytes]]:
    """A file to write that becomes `target` once the context ends well. Raises OSError.

    What `target` held before stays whole until then; a device, a pipe, or a file that is given
    open, gets the bytes as they come.
    """
    if not isinstance(target, str | os.PathLike):
        yield target
        return
    path = Path(target)
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        with path.open("wb") as device:
            yield device
        return
    path = path.resolve()
    part = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            if path.exists():
                # Who could not read the old one is not to read the new one.
                os.fchmod(file.fileno(), stat.S_IMODE(path.stat().st_mode))
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            part.unlink()
        raise


def _strong(etag: str) -> str:
    return "" if etag.startswith("W/") else etag
