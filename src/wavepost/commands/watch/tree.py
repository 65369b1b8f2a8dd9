"""The watched folder: which files are in it, and opening them without being led out of it.

Whoever may write into the folder may put links there, also while we look. So every step down is
made from the folder above it and follows no link.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from wavepost.commands.finding import WAV_SUFFIXES

MAX_DEPTH = 40
"""Phone systems need five; without an end, somebody else's folders would have none."""

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
INODE_MASK = 2**63 - 1  # what SQLite can hold

OnTrouble = Callable[[str, OSError], None]
"""Told which folder can't be read."""


class NotAFile(OSError):
    """What was a file is something else now."""


class Look(NamedTuple):
    """What tells whether a file is still the same: one that is written to has another size or time.

    The device is left out: its number may be another one after a restart.
    """

    inode: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Look":
        """From what the kernel says."""
        return cls(status.st_ino & INODE_MASK, status.st_size, status.st_mtime_ns)


@dataclass(frozen=True)
class Found:
    """A file: its path from the watched folder on, and how it looked."""

    path: str
    look: Look


@dataclass(frozen=True)
class Folder:
    """A folder, "" for the watched one itself, and the WAVs in it."""

    path: str
    inode: int
    files: list[Found]


class Tree:
    """The watched folder and all below, but for what is hidden and what is left out.

    Attributes:
        root: the folder's real path.
    """

    def __init__(self, root: Path, left_out: Iterable[Path] = ()) -> None:
        """`left_out` are folders in it that are not looked into. Raises OSError."""
        self.root = root.resolve(strict=True)
        self._left_out = {str(path.resolve()) for path in left_out}

    def full(self, path: str) -> str:
        """The path as others have it."""
        return os.path.join(self.root, path) if path else str(self.root)

    def relative(self, full: str) -> str:
        """The path from the watched folder on."""
        path = os.path.relpath(full, self.root)
        return "" if path == os.curdir else path

    def folders(self, on_trouble: OnTrouble, below: str = "") -> Iterator[Folder]:
        """Every folder from `below` on with the WAVs in it."""
        waiting = [below]
        while waiting:
            path = waiting.pop()
            try:
                folder, deeper = self._read(path)
            except OSError as error:
                if not _is_gone(error) or not path:
                    on_trouble(path, error)
                continue
            waiting += deeper
            yield folder

    def look(self, path: str) -> Look | None:
        """How a WAV looks now; None where there is none."""
        head, name = os.path.split(path)
        if not self._is_ours(head) or not _is_wav(name):
            return None
        with suppress(OSError), self.folder(head) as folder:
            return look_at(folder, name)
        return None

    def is_folder(self, path: str) -> bool:
        """Whether a folder of that path is to be looked into."""
        with suppress(OSError):
            return self._is_ours(path) and stat.S_ISDIR(os.lstat(self.full(path)).st_mode)
        return False

    @contextmanager
    def folder(self, path: str) -> Iterator[int]:
        """A descriptor of a folder in it. Raises OSError, also where a link is on the way."""
        with opened_folder(self.root, path) as folder:
            yield folder

    @contextmanager
    def opened(self, path: str) -> Iterator[IO[bytes]]:
        """A file, to be read. Raises OSError, and NotAFile for a pipe, a device or a link."""
        head, name = os.path.split(path)
        with self.folder(head) as folder:
            try:
                descriptor = os.open(name, FILE, dir_fd=folder)
            except OSError as error:
                raise NotAFile(*error.args) if _is_gone(error) else error from None
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise NotAFile(errno.EINVAL, "It is no file")
            yield file

    def _read(self, path: str) -> tuple[Folder, list[str]]:
        files, deeper = [], []
        with self.folder(path) as descriptor, os.scandir(descriptor) as entries:
            inode = os.fstat(descriptor).st_ino
            for entry in entries:
                below = os.path.join(path, entry.name)
                if _is_wav(entry.name) and entry.is_file(follow_symlinks=False):
                    with suppress(OSError):
                        files.append(Found(below, Look.of(entry.stat(follow_symlinks=False))))
                elif entry.is_dir(follow_symlinks=False) and self._is_ours(below):
                    deeper.append(below)
        return Folder(path, inode, files), deeper

    def _is_ours(self, path: str) -> bool:
        parts = path.split(os.sep) if path else []
        if len(parts) > MAX_DEPTH or any(part.startswith(".") for part in parts):
            return False
        if not self._left_out:
            return True
        above = (os.sep.join(parts[: count + 1]) for count in range(len(parts)))
        return not any(self.full(folder) in self._left_out for folder in above)


@contextmanager
def opened_folder(root: Path, path: str, *, make: bool = False) -> Iterator[int]:
    """A descriptor of the folder `path` below `root`, made if wanted. Raises OSError."""
    here = os.open(root, FOLDER)
    try:
        for part in path.split(os.sep) if path else []:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(part, dir_fd=here)
            below = os.open(part, FOLDER, dir_fd=here)
            os.close(here)
            here = below
        yield here
    finally:
        os.close(here)


def look_at(folder: int, name: str) -> Look | None:
    """How a file looks, and None where there is none, or something else of that name."""
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if _is_gone(error):
            return None
        raise
    return Look.of(status) if stat.S_ISREG(status.st_mode) else None


def _is_wav(name: str) -> bool:
    """Hidden names are those of files that are still being made: rsync's, for one."""
    return not name.startswith(".") and name.lower().endswith(WAV_SUFFIXES)


def _is_gone(error: OSError) -> bool:
    return error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
