"""What has become of every file of a watched folder: a SQLite file of this user alone.

A row is of a path and of how the file looked; a file that looks otherwise is another recording.
What is written here survives a crash and a power cut. Were the journal lost, the server would be
asked about each file once more, and none would be there twice.
"""

import fcntl
import hashlib
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from wavepost.client import Record
from wavepost.commands.watch.tree import Found, Look

SENT, REFUSED, HELD = "sent", "refused", "held"
"""Refused is for good; what is held is tried again, and is here for `--status` alone."""

VERSION = 1
BUSY_SECONDS = 5
KEPT_DAYS = 30
"""How long it is known of a file that is gone what became of it."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    folder BLOB NOT NULL, name BLOB NOT NULL,
    inode INTEGER NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    outcome TEXT NOT NULL, at REAL NOT NULL, is_due INTEGER NOT NULL DEFAULT 0,
    sha256 TEXT, record TEXT, link TEXT, reason TEXT,
    PRIMARY KEY (folder, name)
) WITHOUT ROWID
"""
WRITE = "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


class JournalFailed(Exception):
    """The journal can't be read or written, as a sentence."""


@dataclass(frozen=True)
class Entry:
    """What became of a file that looked so; `is_due`: it is still to be moved or deleted."""

    look: Look
    outcome: str
    is_due: bool = False
    reason: str = ""
    at: float = 0.0

    def settles(self, look: Look) -> bool:
        """Whether nothing more is to be sent of a file that looks so."""
        return self.outcome != HELD and self.look == look


class Journal:
    """The journal of one watched folder. Every method raises JournalFailed."""

    def __init__(self, path: Path) -> None:
        with _translated(path):
            # Of mode 600, for the links open the recordings; SQLite gives its other files the same.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
            self._database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
            self._path = path
            self._prepare()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(sqlite3.Error):
            self._database.close()

    def of(self, folder: str) -> Mapping[str, Entry]:
        """What is known of the files in a folder, by their paths."""
        with _translated(self._path):
            rows = self._database.execute(
                "SELECT name, inode, size, mtime_ns, outcome, is_due FROM files WHERE folder = ?",
                (os.fsencode(folder),),
            )
            return {
                os.path.join(folder, os.fsdecode(name)): Entry(Look(*look), outcome, bool(is_due))
                for name, *look, outcome, is_due in rows
            }

    def entry(self, path: str) -> Entry | None:
        """What is known of a file."""
        with _translated(self._path):
            row = self._database.execute(
                "SELECT inode, size, mtime_ns, outcome, is_due FROM files"
                " WHERE folder = ? AND name = ?",
                _key(path),
            ).fetchone()
        return Entry(Look(*row[:3]), row[3], bool(row[4])) if row else None

    def sent(self, found: Found, record: Record, *, is_due: bool) -> None:
        """The server has it."""
        self._write(found, SENT, is_due, record.source_sha256, record.id, record.url, None)

    def refused(self, found: Found, reason: str, *, is_due: bool) -> None:
        """The server will never take it."""
        self._write(found, REFUSED, is_due, None, None, None, reason)

    def held(self, found: Found, reason: str) -> None:
        """It can't be sent now."""
        self._write(found, HELD, False, None, None, None, reason)

    def put_away(self, path: str) -> None:
        """It is moved or deleted, and no longer due."""
        with _translated(self._path):
            self._database.execute(
                "UPDATE files SET is_due = 0 WHERE folder = ? AND name = ?", _key(path)
            )

    def retry(self) -> int:
        """Forget what was refused; how many files that were."""
        with _translated(self._path):
            deleted = self._database.execute("DELETE FROM files WHERE outcome = ?", (REFUSED,))
            return deleted.rowcount

    def counts(self) -> Mapping[str, tuple[int, float]]:
        """How many files of each outcome there are, and when the last one got it (Unix time)."""
        with _translated(self._path):
            rows = self._database.execute(
                "SELECT outcome, count(*), max(at) FROM files GROUP BY outcome"
            )
            return {outcome: (files, at) for outcome, files, at in rows}

    def with_reasons(self, outcome: str) -> Iterator[tuple[str, Entry]]:
        """What is refused, or held, the newest first, with its path."""
        with _translated(self._path):
            rows = self._database.execute(
                "SELECT folder, name, inode, size, mtime_ns, is_due, reason, at FROM files"
                " WHERE outcome = ? ORDER BY at DESC",
                (outcome,),
            ).fetchall()
        for folder, name, *look, is_due, reason, at in rows:
            path = os.path.join(os.fsdecode(folder), os.fsdecode(name))
            yield path, Entry(Look(*look), outcome, bool(is_due), reason, at)

    def forget_gone(self, is_there: set[str]) -> None:
        """Remove rows older than `KEPT_DAYS` whose files are not there any more."""
        with _translated(self._path):
            rows = self._database.execute(
                "SELECT folder, name FROM files WHERE at < ?", (time.time() - KEPT_DAYS * 86_400,)
            )
            gone = [
                (folder, name)
                for folder, name in rows
                if os.path.join(os.fsdecode(folder), os.fsdecode(name)) not in is_there
            ]
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany("DELETE FROM files WHERE folder = ? AND name = ?", gone)
            self._database.execute("COMMIT")

    def _write(self, found: Found, outcome: str, is_due: bool, *rest: str | None) -> None:
        row = (*_key(found.path), *found.look, outcome, time.time(), is_due, *rest)
        with _translated(self._path):
            self._database.execute(WRITE, row)

    def _prepare(self) -> None:
        version = self._database.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise JournalFailed(f"{self._path} is of a newer wavepost: use that one.")
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.execute(SCHEMA)
        self._database.execute(f"PRAGMA user_version = {VERSION}")


def path_of(state: Path, root: Path) -> Path:
    """Where the journal of a watched folder is kept in the folder for state."""
    digest = hashlib.sha256(os.fsencode(root)).hexdigest()
    return state / f"watch-{digest[:16]}.db"


@contextmanager
def only_one(root: Path, journal: Path) -> Iterator[None]:
    """Nobody else watches the folder, or with that journal. Raises JournalFailed and OSError."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    lock = os.open(journal.with_suffix(".lock"), flags, 0o600)
    try:
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        os.close(lock)
        raise
    try:
        _take(lock, root)
        # The folder itself too: another user has another journal. NFS may know no such lock.
        with suppress(OSError):
            _take(folder, root)
        yield
    finally:
        os.close(folder)
        os.close(lock)


def _take(descriptor: int, root: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise JournalFailed(f"{root} is watched already, by another wavepost watch.") from None


def _key(path: str) -> tuple[bytes, bytes]:
    folder, name = os.path.split(path)
    return os.fsencode(folder), os.fsencode(name)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise JournalFailed(f"The journal {path} can't be opened: {error.strerror}.") from error
    except sqlite3.OperationalError as error:
        raise JournalFailed(f"The journal {path} can't be written: {error}.") from error
    except sqlite3.DatabaseError as error:
        raise JournalFailed(
            f"The journal {path} is damaged ({error}). Move it away; the server is then asked "
            "about each file once, and nothing is sent twice."
        ) from error
