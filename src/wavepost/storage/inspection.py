"""Whether what is kept is whole: each record's bytes against its receipt. Changes nothing."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Connection,
    Row,
    Select,
    Text,
    bindparam,
    cast,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.exc import DBAPIError

from wavepost.storage import chunks
from wavepost.storage.copies import understood
from wavepost.storage.failures import is_unreadable, reason
from wavepost.storage.models import Chunk, Kind, Record, Status

PAGE_RECORDS = 100
MAX_FAULTS = 100
"""How many faults of SQLite's file are named."""

_PAGE: Select[*tuple[Any, ...]] = (
    select(
        Record.id,
        Record.user_id,
        Record.name,
        Record.bytes,
        Record.head_bytes,
        Record.wav_bytes,
        # As text, so that one that is no JSON spoils only its own record.
        cast(Record.receipt, Text).label("receipt"),
    )
    .where(Record.status == Status.READY)
    .order_by(Record.id)
    .limit(PAGE_RECORDS)
)
_IS_READY = select(Record.id).where(
    Record.id == bindparam("record_id"), Record.status == Status.READY
)
_OF_FILE = (Chunk.record_id == bindparam("record_id"), Chunk.kind == bindparam("kind"))
_COUNT = bindparam("count", type_=BigInteger)
_NEXT_CHUNK = (
    select(Chunk.number, Chunk.data)
    .where(*_OF_FILE, Chunk.number >= bindparam("number"), Chunk.number < _COUNT)
    .order_by(Chunk.number)
    .limit(1)
)
_SURPLUS = select(func.count()).where(*_OF_FILE, or_(Chunk.number < 0, Chunk.number >= _COUNT))


@dataclass(frozen=True)
class DamagedRecord:
    """A record that can't be served as it was converted, and why."""

    id: UUID
    user_id: UUID
    name: str
    problems: tuple[str, ...]


class Inspection:
    """Reads a database, a chunk at a time, each by a statement of its own.

    Attributes:
        records: how many were read.
        bytes: how many were read of them.
        damaged: how many of them are damaged.
    """

    def __init__(self, connection: Connection) -> None:
        self.records = self.bytes = self.damaged = 0
        self._connection = connection

    def damaged_records(self, advance: Callable[[int], None]) -> Iterator[DamagedRecord]:
        """Read every ready record; `advance` hears how many bytes were."""
        for record in self._ready():
            with understood("records and chunks"):
                problems = tuple(self._problems(record, advance))
            # One that was removed meanwhile goes with all its chunks, which is no damage.
            if problems and not self._is_ready(record):
                continue
            self.records += 1
            if problems:
                self.damaged += 1
                yield DamagedRecord(record.id, record.user_id, record.name, problems)

    def unfinished(self) -> int:
        """How many records' uploads are under way, or were when a crash came."""
        return self._count(select(func.count()).where(Record.status != Status.READY))

    def stray_chunks(self) -> int:
        """How many chunks belong to no record."""
        of_a_record = exists().where(Record.id == Chunk.record_id)
        return self._count(select(func.count()).select_from(Chunk).where(~of_a_record))

    def file_faults(self) -> Iterator[str]:
        """What is wrong with SQLite's file itself; a PostgreSQL looks after its own."""
        if self._connection.dialect.name != "sqlite":
            return
        try:
            for (found,) in self._connection.exec_driver_sql(f"PRAGMA quick_check({MAX_FAULTS})"):
                if found != "ok":
                    yield str(found)
            broken = self._connection.exec_driver_sql("PRAGMA foreign_key_check")
            for (table, parent), rows in Counter((row[0], row[2]) for row in broken).items():
                yield f"rows of {table} whose row in {parent} is missing: {rows}"
        except DBAPIError as error:
            if not is_unreadable(error):
                raise
            yield reason(error)

    def _ready(self) -> Iterator[Row[Any]]:
        query = _PAGE
        while True:
            with understood("records"):
                page = self._connection.execute(query).all()
            yield from page
            if len(page) < PAGE_RECORDS:
                return
            query = _PAGE.where(Record.id > page[-1].id)

    def _is_ready(self, record: Row[Any]) -> bool:
        return self._connection.execute(_IS_READY, {"record_id": record.id}).first() is not None

    def _problems(self, record: Row[Any], advance: Callable[[int], None]) -> Iterator[str]:
        receipt = _parsed(record.receipt)
        for kind, size, head_bytes, of_receipt in (
            (Kind.MP3, record.bytes, record.head_bytes, "mp3"),
            (Kind.WAV, record.wav_bytes, 0, "source"),
        ):
            file = _File(kind, size or 0, head_bytes)
            values = {"record_id": record.id, "kind": kind, "count": file.count}
            try:
                for number, data in self._chunks(values):
                    file.take(number, data)
                    self.bytes += len(data)
                    advance(len(data))
                surplus = self._count(_SURPLUS, values)
            except DBAPIError as error:
                if not is_unreadable(error):
                    raise
                yield f"{kind.upper()}: chunk {file.next} can't be read: {reason(error)}"
                continue
            wanted = None if size is None else _sha256(receipt, of_receipt)
            yield from file.problems(surplus, wanted)

    def _chunks(self, values: dict[str, Any]) -> Iterator[tuple[int, bytes]]:
        number = 0
        while row := self._connection.execute(_NEXT_CHUNK, values | {"number": number}).first():
            yield row.number, row.data
            number = row.number + 1

    def _count(self, query: Any, values: dict[str, Any] | None = None) -> int:
        return int(self._connection.execute(query, values or {}).scalar_one())


class _File:
    """A record's MP3 or WAV, as far as its chunks have come by.

    Attributes:
        count: how many there should be.
        next: the number of the one that should come next.
    """

    def __init__(self, kind: Kind, total_bytes: int, head_bytes: int) -> None:
        self.count = chunks.count(total_bytes, head_bytes)
        self.next = 0
        self._kind = kind.upper()
        self._total_bytes = total_bytes
        self._head_bytes = head_bytes
        self._digest = hashlib.sha256()
        self._missing: list[range] = []
        self._misshapen: list[range] = []

    def take(self, number: int, data: bytes) -> None:
        """The next chunk that there is."""
        self._skip(number)
        self.next = number + 1
        if len(data) != chunks.size(number, self._total_bytes, self._head_bytes):
            self._misshapen.append(range(number, number + 1))
        self._digest.update(data)

    def problems(self, surplus: int, sha256: str | None) -> Iterator[str]:
        """What is wrong, now that all have come by, and `surplus` that should not be there.

        `sha256` is what the receipt says, or None where there should be no chunk at all.
        """
        self._skip(self.count)
        yield from self._named(self._missing, "missing")
        yield from self._named(self._misshapen, "of the wrong size")
        if surplus:
            yield f"{self._kind}: {_number(surplus)} too many"
        if sha256 is None or self._missing or self._misshapen:
            return
        if self._digest.hexdigest() != sha256:
            yield f"{self._kind}: the SHA-256 is not the receipt's"

    def _skip(self, number: int) -> None:
        if self.next < number:
            self._missing.append(range(self.next, number))

    def _named(self, numbers: list[range], wrong: str) -> Iterator[str]:
        count = sum(map(len, numbers))
        if count == 1:
            yield f"{self._kind}: chunk {numbers[0][0]} is {wrong}"
        elif count:
            yield f"{self._kind}: {_number(count)} are {wrong}, the first is {numbers[0][0]}"


def _number(count: int) -> str:
    return "1 chunk" if count == 1 else f"{count} chunks"


def _parsed(receipt: str) -> Any:
    try:
        return json.loads(receipt)
    except (ValueError, RecursionError):
        return None


def _sha256(receipt: Any, of: str) -> str:
    """The hash that the receipt says; one that fits nothing where it says none."""
    try:
        return str(receipt[of]["sha256"])
    except (KeyError, TypeError):
        return "none"
