"""Engines and short transactions."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.pq import Format
from sqlalchemy import Connection, PoolResetState, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from wavepost.storage.failures import storage_full, translated_errors

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
        with translated_errors():
            async with (
                asyncio.timeout(READ_SECONDS),
                AsyncSession(self._engine, expire_on_commit=False) as session,
            ):
                yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A transaction that commits when the context ends well."""
        with translated_errors():
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
                raise storage_full()

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
        pool_reset_on_return=None,
        connect_args={"timeout": BUSY_SECONDS},
    )
    event.listen(engine.sync_engine, "reset", _reset_sqlite)
    event.listen(engine.sync_engine, "connect", configure_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def configure_sqlite(connection: Any, _record: object) -> None:
    """Set a new connection up: we begin transactions ourselves, and a commit is on the disk."""
    connection.isolation_level = None
    # SQLite's own knows ASCII only. Not str.lower: what it makes of a Greek sigma depends on the
    # letters around it, so that a part of a name may not be found in the whole.
    connection.create_function("lower", 1, str.casefold, deterministic=True)
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


def _reset_sqlite(connection: Any, _record: object, state: PoolResetState) -> None:
    # The pool itself would always roll back, a wait in which an upload may be cancelled; it then
    # logs a traceback. Whatever ended well has nothing to be rolled back.
    if state.asyncio_safe and connection.driver_connection.in_transaction:
        connection.rollback()


def _begin_sqlite(connection: Connection) -> None:
    # A reader that turns writer fails at once when another wrote meanwhile; a writer that says
    # so from the start waits its turn. What only reads needs no transaction: it is one statement.
    if connection.get_execution_options().get("writes"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
