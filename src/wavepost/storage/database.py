"""Engines, short transactions, and the databases' errors in our words."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.pq import Format
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from wavepost.errors import Busy, StorageFull

BUSY_SECONDS = 10
"""How long a statement waits for SQLite's only writer, or for a connection of the pool."""

READ_SECONDS, WRITE_SECONDS = 15, 120
"""How long a transaction may take, so that a database that hangs is found out.

Removing a user with very many recordings is the longest.
"""

CONNECT_SECONDS = 5
SQLITE_PAGE_BYTES = 16 * 1024
SQLITE_RESERVE_BYTES = 64 * 1024 * 1024
POOL_CONNECTIONS = 20

UNREADABLE_SQLITE = (
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_TOOBIG,
)


class Database:
    """One engine and its two kinds of transaction."""

    def __init__(self, url: str) -> None:
        """`url` is `postgresql://…` or `sqlite:///…`."""
        self._folder = Path(url.partition(":///")[2]).parent if is_sqlite(url) else None
        self._engine = _sqlite_engine(url) if is_sqlite(url) else _postgresql_engine(url)
        self._writing = self._engine.execution_options(writes=True)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A transaction that only reads."""
        with _translated_errors():
            async with (
                asyncio.timeout(READ_SECONDS),
                AsyncSession(self._engine, expire_on_commit=False) as session,
            ):
                yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A transaction that commits when the context ends well."""
        with _translated_errors():
            async with (
                asyncio.timeout(WRITE_SECONDS),
                AsyncSession(self._writing, expire_on_commit=False) as session,
            ):
                yield session
                await session.commit()

    async def check_room(self) -> None:
        """Raises StorageFull while removing a record would still work.

        On a full disk SQLite can't even delete, so the last of the room is not for recordings.
        What was removed leaves its room in SQLite's file, for the next ones to use.
        """
        if self._folder is None:
            return
        free = shutil.disk_usage(self._folder).free
        if free < SQLITE_RESERVE_BYTES:
            async with self.read() as session:
                pages = await session.scalar(text("SELECT * FROM pragma_freelist_count"))
            if free + (pages or 0) * SQLITE_PAGE_BYTES < SQLITE_RESERVE_BYTES:
                raise _storage_full()

    async def check(self) -> None:
        """Raises Busy where the database does not answer."""
        async with self.read() as session:
            await session.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


class _BinaryCursor(psycopg.AsyncCursor[Any]):
    """Reads `bytea` as bytes, not as hex text: 750 instead of 250 MB/s in the driver."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.format = Format.BINARY


def is_sqlite(url: str) -> bool:
    """Whether the database is a file that only we use."""
    return url.startswith("sqlite")


def with_driver(url: str, driver: str) -> URL:
    """`url` for SQLAlchemy, with the name of a driver."""
    if is_sqlite(url):
        # A path is taken as it stands, whatever a URL would make of its letters.
        return URL.create(driver, database=url.partition(":///")[2])
    return make_url(url).set(drivername=driver)


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


def _postgresql_engine(url: str) -> AsyncEngine:
    return create_async_engine(
        with_driver(url, "postgresql+psycopg"),
        hide_parameters=True,
        pool_size=POOL_CONNECTIONS,
        max_overflow=0,
        pool_timeout=BUSY_SECONDS,
        pool_pre_ping=True,
        connect_args={
            "cursor_factory": _BinaryCursor,
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "wavepost",
        },
    )


def _sqlite_engine(url: str) -> AsyncEngine:
    engine = create_async_engine(
        with_driver(url, "sqlite+aiosqlite"),
        hide_parameters=True,
        pool_size=POOL_CONNECTIONS,
        max_overflow=0,
        pool_timeout=BUSY_SECONDS,
        connect_args={"timeout": BUSY_SECONDS},
    )
    event.listen(engine.sync_engine, "connect", configure_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def configure_sqlite(connection: Any, _record: object) -> None:
    """Set a new connection up: we begin transactions ourselves, and a commit is on the disk."""
    connection.isolation_level = None
    cursor = connection.cursor()
    # The page size holds only for a new file, so it comes before the journal mode makes one.
    for pragma in (
        f"page_size={SQLITE_PAGE_BYTES}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=FAST",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A reader that turns writer fails at once when another wrote meanwhile; a writer that says
    # so from the start waits its turn. What only reads needs no transaction: it is one statement.
    if connection.get_execution_options().get("writes"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except PoolTimeoutError as error:
        raise Busy("The database is busy. Try again in a few seconds.") from error
    except DBAPIError as error:
        if is_full(error):
            raise _storage_full() from error
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


def _storage_full() -> StorageFull:
    return StorageFull("The server has no room for more recordings. Ask its operator for space.")
