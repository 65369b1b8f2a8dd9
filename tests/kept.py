"""Records put into a database as uploads would leave them, of any bytes at all."""

import hashlib
import os
import uuid
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, create_engine, insert, text

from wavepost.storage import connections, schema
from wavepost.storage.chunks import CHUNK_BYTES
from wavepost.storage.database import is_sqlite, with_driver
from wavepost.storage.models import Chunk, Kind, Record, Status, User

HEAD_BYTES = 417


def keep_user(url: str, name: str = "Ann") -> uuid.UUID:
    """A user of a database, whose tables are made where there are none."""
    schema.upgrade(url)
    user_id = uuid.uuid4()
    with connections.filling(url) as database:
        database.execute(
            insert(User).values(
                id=user_id, name=name, token_sha256=os.urandom(32), created_at=datetime.now(UTC)
            )
        )
    return user_id


def keep_record(
    url: str,
    user_id: uuid.UUID,
    mp3: bytes,
    wav: bytes | None = None,
    name: str = "call.wav",
    status: Status = Status.READY,
) -> uuid.UUID:
    """A record with these bytes; an unfinished one is without its head, as such are."""
    record_id = uuid.uuid4()
    receipt = {"mp3": {"sha256": sha256(mp3)}, "source": {"sha256": sha256(wav or b"a wav")}}
    with connections.filling(url) as database:
        database.execute(
            insert(Record).values(
                id=record_id,
                user_id=user_id,
                status=status,
                name=name,
                created_at=datetime.now(UTC),
                touched_at=datetime.now(UTC),
                bytes=len(mp3),
                head_bytes=HEAD_BYTES,
                wav_bytes=None if wav is None else len(wav),
                receipt=receipt,
            )
        )
        if status is Status.READY:
            add_chunk(database, record_id, Kind.MP3, 0, mp3[:HEAD_BYTES])
        add_chunks(database, record_id, Kind.MP3, 1, mp3[HEAD_BYTES:])
        add_chunks(database, record_id, Kind.WAV, 0, wav or b"")
    return record_id


def add_chunks(
    database: Connection, record_id: uuid.UUID, kind: Kind, first: int, data: bytes
) -> None:
    """The bytes, cut as uploads cut them."""
    for number, start in enumerate(range(0, len(data), CHUNK_BYTES), first):
        add_chunk(database, record_id, kind, number, data[start : start + CHUNK_BYTES])


def add_chunk(
    database: Connection, record_id: uuid.UUID, kind: Kind, number: int, data: bytes
) -> None:
    """One chunk, with whatever in it."""
    database.execute(insert(Chunk).values(record_id=record_id, kind=kind, number=number, data=data))


def change(url: str, statement: str, **values: Any) -> None:
    """Run SQL of the test's own, with no rule between tables on SQLite."""
    engine = create_engine(with_driver(url, "sqlite" if is_sqlite(url) else "postgresql+psycopg"))
    with engine.begin() as connection:
        connection.execute(text(statement), values)
    engine.dispose()


def sha256(data: bytes) -> str:
    """In hex."""
    return hashlib.sha256(data).hexdigest()
