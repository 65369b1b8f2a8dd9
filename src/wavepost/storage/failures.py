"""What databases say when they fail, and what that is in our words."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from wavepost.errors import Busy, StorageFull

UNREADABLE_SQLITE = (
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_TOOBIG,
)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raises Busy or StorageFull for what passes or is the operator's; the rest as it is."""
    try:
        yield
    except PoolTimeoutError as error:
        raise Busy("The database is busy. Try again in a few seconds.") from error
    except DBAPIError as error:
        if is_full(error):
            raise storage_full() from error
        if isinstance(error, OperationalError | InterfaceError) or _is_read_only(error):
            raise Busy("The database is out of reach. Try again in a few seconds.") from error
        raise
    except OSError as error:
        # A socket that is gone, a folder that is; a TimeoutError is one too.
        raise Busy("The database is out of reach. Try again in a few seconds.") from error


def _is_read_only(error: DBAPIError) -> bool:
    # PostgreSQL's word, while it is a standby's turn or an operator wants peace. SQLite's is an
    # OperationalError.
    return isinstance(error.orig, psycopg.Error) and error.orig.sqlstate == "25006"


def storage_full() -> StorageFull:
    """There is no room; nothing of the recording was kept."""
    return StorageFull("The server has no room for more recordings. Ask its operator for space.")


def reason(error: Exception) -> str:
    """What the database, or whatever had the last word, says is wrong, in a line."""
    orig = getattr(error, "orig", None) or error
    return (str(orig).strip() or type(orig).__name__).splitlines()[0]


def is_full(error: DBAPIError) -> bool:
    """Whether there was no room left to write."""
    orig = error.orig
    if isinstance(orig, sqlite3.Error):
        return _sqlite_code(orig) == sqlite3.SQLITE_FULL
    return isinstance(orig, psycopg.Error) and orig.sqlstate == "53100"


def is_unreadable(error: DBAPIError) -> bool:
    """Whether the database has found its own files damaged where it was to read them."""
    orig = error.orig
    if isinstance(orig, sqlite3.Error):
        return _sqlite_code(orig) in UNREADABLE_SQLITE
    # Classes of SQLSTATE: internal errors, to which corruption belongs, and the system's.
    return isinstance(orig, psycopg.Error) and (orig.sqlstate or "")[:2] in ("XX", "58")


def is_locked(error: DBAPIError) -> bool:
    """Whether somebody else kept the database from us for too long."""
    orig = error.orig
    if isinstance(orig, sqlite3.Error):
        return _sqlite_code(orig) == sqlite3.SQLITE_BUSY
    return isinstance(orig, psycopg.Error) and orig.sqlstate == "55P03"


def is_interrupted(error: DBAPIError) -> bool:
    """Whether somebody stopped SQLite in the middle of a statement: see `connections`."""
    orig = error.orig
    return isinstance(orig, sqlite3.Error) and _sqlite_code(orig) == sqlite3.SQLITE_INTERRUPT


def _sqlite_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
