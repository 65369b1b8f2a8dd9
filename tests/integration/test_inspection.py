"""What is kept is compared with its receipt: damage is found, and nothing else is."""

import asyncio
import os
import uuid
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, delete, update

from tests.kept import HEAD_BYTES, add_chunk, keep_record, keep_user
from wavepost.storage import chunks, connections, records
from wavepost.storage.chunks import CHUNK_BYTES
from wavepost.storage.database import Database
from wavepost.storage.inspection import DamagedRecord, Inspection
from wavepost.storage.models import Chunk, Kind, Record, Status
from wavepost.storage.retention import Retention

MP3 = os.urandom(HEAD_BYTES + 2 * CHUNK_BYTES + 1000)
WAV = os.urandom(CHUNK_BYTES + 1)
Damage = Callable[[Connection, uuid.UUID], None]


@pytest.fixture
def user_id(database_url: str) -> uuid.UUID:
    return keep_user(database_url)


def inspected(url: str) -> tuple[Inspection, list[DamagedRecord]]:
    """An inspection that is over, and what it found."""
    with connections.looking(url) as database:
        inspection = Inspection(database)
        return inspection, list(inspection.damaged_records(lambda _: None))


def chunk(record_id: uuid.UUID, kind: Kind, number: int):
    """The condition that finds it."""
    return (Chunk.record_id == record_id) & (Chunk.kind == kind) & (Chunk.number == number)


def replaced(kind: Kind, number: int, data: bytes) -> Damage:
    return lambda database, record_id: database.execute(
        update(Chunk).where(chunk(record_id, kind, number)).values(data=data)
    )


def removed(kind: Kind, *numbers: int) -> Damage:
    def remove(database: Connection, record_id: uuid.UUID) -> None:
        for number in numbers:
            database.execute(delete(Chunk).where(chunk(record_id, kind, number)))

    return remove


def added(kind: Kind, number: int) -> Damage:
    return lambda database, record_id: add_chunk(database, record_id, kind, number, b"more")


def changed(**columns: object) -> Damage:
    return lambda database, record_id: database.execute(
        update(Record).where(Record.id == record_id).values(**columns)
    )


def flipped(data: bytes) -> bytes:
    return data[:100] + bytes([data[100] ^ 1]) + data[101:]


DAMAGE: dict[str, tuple[Damage, str]] = {
    "a flipped bit in the head": (
        replaced(Kind.MP3, 0, flipped(MP3[:HEAD_BYTES])),
        "MP3: the SHA-256 is not the receipt's",
    ),
    "a flipped bit in a WAV": (
        replaced(Kind.WAV, 0, flipped(WAV[:CHUNK_BYTES])),
        "WAV: the SHA-256 is not the receipt's",
    ),
    "a missing chunk": (removed(Kind.MP3, 1), "MP3: chunk 1 is missing"),
    "a missing end": (removed(Kind.MP3, 2, 3), "MP3: 2 chunks are missing, the first is 2"),
    "a missing WAV": (removed(Kind.WAV, 0, 1), "WAV: 2 chunks are missing, the first is 0"),
    "a surplus chunk": (added(Kind.MP3, 4), "MP3: 1 chunk too many"),
    "a chunk before the first": (added(Kind.MP3, -1), "MP3: 1 chunk too many"),
    "a short chunk": (replaced(Kind.MP3, 2, b"short"), "MP3: chunk 2 is of the wrong size"),
    "a WAV that should not be there": (changed(wav_bytes=None), "WAV: 2 chunks too many"),
    "an absurd size": (changed(bytes=2**62), "are missing, the first is 4"),
    "another receipt": (changed(receipt={}), "MP3: the SHA-256 is not the receipt's"),
}


@pytest.mark.parametrize("kind_of_damage", DAMAGE)
def test_damage_is_named_with_its_record(
    database_url: str, user_id: uuid.UUID, kind_of_damage: str
) -> None:
    keep_record(database_url, user_id, MP3, WAV)
    record_id = keep_record(database_url, user_id, MP3, WAV, name="x.wav")
    damage, problem = DAMAGE[kind_of_damage]
    with connections.filling(database_url) as database:
        damage(database, record_id)
    inspection, (found,) = inspected(database_url)
    assert (found.id, found.user_id, found.name) == (record_id, user_id, "x.wav")
    assert problem in "; ".join(found.problems)
    assert (inspection.records, inspection.damaged) == (2, 1)


@pytest.mark.parametrize("head_bytes", [0, HEAD_BYTES])
def test_where_a_byte_is_and_how_large_the_chunks_are_agree(head_bytes: int) -> None:
    for total in (HEAD_BYTES + 1, HEAD_BYTES + CHUNK_BYTES, 3 * CHUNK_BYTES):
        count = chunks.count(total, head_bytes)
        sizes = [chunks.size(number, total, head_bytes) for number in range(count)]
        assert sum(sizes) == total
        assert chunks.place(total - 1, head_bytes) == (count - 1, sizes[-1] - 1)


def test_a_file_of_any_length_is_whole(database_url: str, user_id: uuid.UUID) -> None:
    sizes = (HEAD_BYTES + 1, HEAD_BYTES + CHUNK_BYTES, HEAD_BYTES + CHUNK_BYTES + 1)
    for size in sizes:
        keep_record(database_url, user_id, MP3[:size], WAV[:size])
    inspection, found = inspected(database_url)
    assert found == []
    assert inspection.bytes == sum(sizes) + sum(len(WAV[:size]) for size in sizes)


def test_more_records_than_a_page_are_all_read(database_url: str, user_id: uuid.UUID) -> None:
    damaged = {keep_record(database_url, user_id, MP3[:1000]) for _ in range(105)}
    for _ in range(105):
        keep_record(database_url, user_id, MP3[:1000])
    with connections.filling(database_url) as database:
        database.execute(delete(Chunk).where(Chunk.record_id.in_(damaged), Chunk.number == 1))
    inspection, found = inspected(database_url)
    assert {record.id for record in found} == damaged
    assert (inspection.records, inspection.damaged) == (210, 105)


def test_a_record_that_is_removed_while_it_is_read_is_no_damage(
    database_url: str, user_id: uuid.UUID
) -> None:
    record_id = keep_record(database_url, user_id, MP3)
    read: list[int] = []

    async def remove() -> None:
        database = Database(database_url)
        async with database.write() as session:
            assert await records.remove(session, record_id, user_id, Retention().moment())
        await database.close()

    def remove_it(count: int) -> None:
        read.append(count)
        asyncio.run(remove())

    with connections.looking(database_url) as connection:
        inspection = Inspection(connection)
        assert list(inspection.damaged_records(remove_it)) == []
    assert read == [HEAD_BYTES]
    assert (inspection.records, inspection.damaged) == (0, 0)


def test_an_upload_under_way_is_no_damage(database_url: str, user_id: uuid.UUID) -> None:
    keep_record(database_url, user_id, MP3, status=Status.UPLOADING)
    inspection, found = inspected(database_url)
    assert (inspection.records, found) == (0, [])
    with connections.looking(database_url) as database:
        assert Inspection(database).unfinished() == 1
