"""Copies all that is finished from one database into another, of whatever kind either is."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, func, insert, select
from sqlalchemy.exc import DBAPIError

from wavepost.storage.failures import reason
from wavepost.storage.models import Base, Chunk, Piece, Record, ResumableUpload, Status, User

ROWS = 32
"""How many are in memory at a time: 8 MiB of chunks."""

UNFINISHED = (ResumableUpload.__table__, Piece.__table__)
"""What is of no worth once its sender is cut off: they would not look for it elsewhere."""

_RECORD_ID = Base.metadata.tables["records"].c.id


class UnreadableRow(Exception):
    """A value that no version of ours has written."""


@dataclass(frozen=True)
class Contents:
    """How much is in a database that can be seen."""

    users: int
    records: int
    bytes: int


def contents(connection: Connection) -> Contents:
    """The database's, kept WAVs included."""
    users = connection.execute(select(func.count()).select_from(User)).scalar_one()
    size = func.coalesce(func.sum(Record.bytes + func.coalesce(Record.wav_bytes, 0)), 0)
    records, kept = connection.execute(
        select(func.count(), size).where(Record.status == Status.READY)
    ).one()
    return Contents(int(users), int(records), int(kept))


def copy(source: Connection, target: Connection, advance: Callable[[int], None]) -> None:
    """Copy every row but those of unfinished records and of resumable uploads.

    `advance` hears how many bytes were copied. `source` sees one moment, `target` has the same
    tables without rows. Raises UnreadableRow, or SQLAlchemy's errors.
    """
    for table in Base.metadata.sorted_tables:
        if table in UNFINISHED:
            continue
        for rows in _read(source, table):
            with understood(table.name):
                target.execute(insert(table), [dict(row._mapping) for row in rows])
            if table is Chunk.__table__:
                advance(sum(len(row.data) for row in rows))


@contextmanager
def understood(what: str) -> Iterator[None]:
    """Have whatever a value that is not ours makes of its column's type raise UnreadableRow.

    SQLite's columns hold any type, and each of ours fails in its own way.
    """
    try:
        yield
    except (DBAPIError, UnreadableRow):
        raise
    except Exception as error:
        raise UnreadableRow(f"a value in {what} can't be read: {reason(error)}") from error


def _read(source: Connection, table: Table) -> Iterator[Sequence[Row[Any]]]:
    with understood(table.name):
        result = source.execute(_finished(table), execution_options={"yield_per": ROWS})
    while True:
        with understood(table.name):
            rows = result.fetchmany(ROWS)
        if not rows:
            return
        yield rows


def _finished(table: Table) -> Select[Any]:
    """All rows of the table but unfinished records and what belongs to such, or to none."""
    if table is Record.__table__:
        return select(table).where(Record.status == Status.READY)
    ready = select(Record.id).where(Record.status == Status.READY)
    query = select(table)
    for column in table.columns:
        if column.references(_RECORD_ID):
            query = query.where(column.in_(ready))
    return query


def strange_parts(connection: Connection) -> list[str]:
    """What a SQLite file has beside our tables and their indexes.

    A view or a trigger that somebody put there would run when it is read or migrated.
    """
    ours = {"alembic_version", *Base.metadata.tables}
    parts = connection.exec_driver_sql("SELECT type, name, sql FROM sqlite_master").all()
    strange = []
    for kind, name, sql in parts:
        is_table = kind == "table" and not str(sql).upper().startswith("CREATE VIRTUAL")
        if not (kind == "index" or (is_table and (name in ours or name.startswith("sqlite_")))):
            strange.append(f"the {kind} {name!r}")
    return strange
