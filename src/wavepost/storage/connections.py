"""One connection for a command that goes over the whole database; no event loop.

`database` has the server's connections, `schema` those of the migrations.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.pq import Format
from sqlalchemy import Connection, Engine, NullPool, create_engine, event, text

from wavepost.storage.database import BUSY_SECONDS, CONNECT_SECONDS, is_sqlite, with_driver
from wavepost.storage.models import Base

MAX_VALUE_BYTES = 16 * 1024 * 1024
"""What we read of a SQLite file in one value or row. The largest of ours are chunks; a file that
somebody made could have a GB."""

STEPS_BETWEEN_SIGNALS = 1_000_000
"""Of SQLite's virtual machine: a few milliseconds."""

LOOKING = ("mode=rw", "query_only=ON")
"""A connection that may write nothing at all could not take its log away when it is the last."""

PAGES = 1024
"""How many are copied at a time, between which a Ctrl-C is heard."""


@contextmanager
def looking(url: str) -> Iterator[Connection]:
    """Each statement sees the database of its own moment. No row is changed, no database made."""
    engine = _engine(url, *LOOKING) if is_sqlite(url) else _engine(url)
    with _connected(engine.execution_options(isolation_level="AUTOCOMMIT")) as connection:
        yield connection


@contextmanager
def snapshot(url: str) -> Iterator[Connection]:
    """All statements see the database of one moment, and hold up no writer. No row is changed."""
    if is_sqlite(url):
        engine = _engine(url, *LOOKING, begin="BEGIN")
    else:
        engine = _engine(url).execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
    with _connected(engine) as connection:
        yield connection


@contextmanager
def untouched(file: Path) -> Iterator[Connection]:
    """A SQLite file that nobody writes; nothing is made beside it, so its folder may be read-only.

    A log or a journal beside it is not seen.
    """
    with _connected(_engine(f"sqlite:///{file}", "immutable=1")) as connection:
        yield connection


@contextmanager
def filling(url: str) -> Iterator[Connection]:
    """One transaction, committed if the context ends well. Nobody else writes while it lasts."""
    if is_sqlite(url):
        # With a journal of the old kind, which can't be had while anybody else has the file open,
        # new pages are written once, not first to a log: a transaction may be as large as it likes.
        engine = _engine(
            url, "mode=rw", "journal_mode=DELETE", "synchronous=FULL", "foreign_keys=ON",
            begin="BEGIN EXCLUSIVE",
        )  # fmt: skip
    else:
        engine = _engine(url)
    with _connected(engine) as connection:
        if not is_sqlite(url):
            connection.execute(text(f"SET LOCAL lock_timeout = '{BUSY_SECONDS}s'"))
            tables = ", ".join(table.name for table in Base.metadata.sorted_tables)
            connection.execute(text(f"LOCK TABLE {tables} IN EXCLUSIVE MODE"))
        yield connection
        connection.commit()


def copy_file(source: Connection, file: Path) -> None:
    """Copy the SQLite database of `source`, page by page, to a new file."""
    copied = sqlite3.connect(file)
    try:
        source.connection.driver_connection.backup(  # type: ignore[union-attr]
            copied, pages=PAGES, progress=lambda *_: None
        )
    finally:
        copied.close()


@contextmanager
def _connected(engine: Engine) -> Iterator[Connection]:
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _engine(url: str, option: str = "", *pragmas: str, begin: str = "") -> Engine:
    if not is_sqlite(url):
        return _postgresql_engine(url)
    file = Path(url.partition(":///")[2]).absolute()

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{file.as_uri()}?{option}", uri=True, timeout=BUSY_SECONDS, isolation_level=None
        )
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
        connection.set_progress_handler(_let_signals_in, STEPS_BETWEEN_SIGNALS)
        try:
            for pragma in ("trusted_schema=OFF", *pragmas):
                connection.execute(f"PRAGMA {pragma}")
        except BaseException:
            connection.close()
            raise
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)
    if begin:
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _postgresql_engine(url: str) -> Engine:
    engine = create_engine(
        with_driver(url, "postgresql+psycopg"),
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={
            "cursor_factory": _BinaryCursor,
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "wavepost",
        },
    )
    event.listen(engine, "connect", _stream_binary)
    return engine


class _BinaryCursor(psycopg.Cursor[Any]):
    """Reads `bytea` as bytes, not as hex text, like the server's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.format = Format.BINARY


class _BinaryServerCursor(psycopg.ServerCursor[Any]):
    """The same, for rows that come a few at a time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.format = Format.BINARY


def _stream_binary(connection: psycopg.Connection[Any], _record: object) -> None:
    connection.server_cursor_factory = _BinaryServerCursor


def _let_signals_in() -> int:
    """SQLite calls it while a statement runs: a Ctrl-C raises here, which stops the statement.

    During its quick_check only SQLite 3.42 and newer do.
    """
    return 0
