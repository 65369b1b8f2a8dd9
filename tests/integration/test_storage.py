"""What is durable: the tables, unfinished records, and the sweep."""

import uuid
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from psycopg.pq import Format
from sqlalchemy import create_engine, text

from tests.postgres import Postgres
from wavepost.accounts import Accounts
from wavepost.audio.converter import Converters
from wavepost.errors import Busy, NotFound, StorageFull, Unauthorized
from wavepost.recordings import Recordings
from wavepost.storage import chunks, records, schema
from wavepost.storage.chunks import CHUNK_BYTES, ChunkWriter
from wavepost.storage.database import Database, with_driver
from wavepost.storage.models import Base, Kind, Record, Status, User


@pytest.fixture
async def database(database_url: str):
    schema.upgrade(database_url)
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def user(database: Database) -> User:
    found, _ = await Accounts(database).register("Ann")
    return found


async def unfinished(database: Database, user: User, touched_at: datetime) -> uuid.UUID:
    """An unfinished record with a chunk, as a crash would leave it."""
    record = Record(
        id=uuid.uuid4(),
        user_id=user.id,
        status=Status.UPLOADING,
        name="a.wav",
        created_at=touched_at,
        touched_at=touched_at,
    )
    async with database.write() as session:
        session.add(record)
    async with database.write() as session:
        await chunks.add(session, record.id, Kind.MP3, 1, b"x")
    return record.id


async def count(database: Database, table: str) -> int:
    async with database.read() as session:
        return (await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()


async def test_the_sweep_takes_what_shows_no_sign_of_life(database: Database, user: User) -> None:
    now = datetime.now(UTC)
    abandoned = await unfinished(database, user, now - timedelta(minutes=20))
    alive = await unfinished(database, user, now - timedelta(minutes=20))
    async with database.write() as session:
        await records.touch(session, {alive}, now)
    async with database.write() as session:
        assert await records.sweep(session, now - timedelta(minutes=10)) == 1
    assert await count(database, "records") == await count(database, "chunks") == 1
    async with database.read() as session:
        assert await chunks.read(session, abandoned, Kind.MP3, 1) is None
        assert await chunks.read(session, alive, Kind.MP3, 1) == b"x"


async def test_an_unfinished_record_can_not_be_seen(database: Database, user: User) -> None:
    record_id = await unfinished(database, user, datetime.now(UTC))
    async with database.write() as session:
        assert await records.find(session, record_id, user.id) is None
        assert await records.page(session, user.id, None, 10) == []
        assert not await records.remove(session, record_id, user.id)
    assert (await Accounts(database).usage(user)).records == 0


async def test_a_swept_record_takes_no_more_chunks_and_is_never_published(
    database: Database, user: User
) -> None:
    record_id = await unfinished(database, user, datetime.now(UTC))
    async with database.write() as session:
        await records.discard(session, record_id)
    writer = ChunkWriter(database, record_id, Kind.MP3, first_number=1)
    with pytest.raises(Busy, match="interrupted"):
        await writer.write(bytes(CHUNK_BYTES))
    async with database.write() as session:
        assert await records.publish(session, record_id, {}) is None
    assert await count(database, "chunks") == 0


async def test_a_record_removed_by_another_process_is_gone_at_once(
    database: Database, user: User
) -> None:
    record_id = await unfinished(database, user, datetime.now(UTC))
    async with database.write() as session:
        assert await records.publish(session, record_id, {"bytes": 1, "head_bytes": 0})
    converters = Converters(slots=1, queue=1, wait_seconds=1, max_seconds=1, threads=1)
    here, elsewhere = (
        Recordings(database, converters, cache_bytes=1000, keep_wav=False, abandoned_seconds=1)
        for _ in range(2)
    )
    for _ in range(2):  # the second time from memory
        assert (await here.find(record_id, user.id)).id == record_id
    await elsewhere.remove(record_id, user)
    with pytest.raises(NotFound):
        await here.find(record_id, user.id)


async def test_a_user_who_left_begins_no_record(database: Database, user: User) -> None:
    await Accounts(database).remove(user)
    with pytest.raises(Unauthorized):
        async with database.write() as session:
            await records.begin(session, uuid.uuid4(), user.id, "a.wav", datetime.now(UTC))


async def test_a_disk_that_is_nearly_full_takes_no_more_sound(
    database_kind: str, database: Database, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_id = await unfinished(database, user, datetime.now(UTC))
    monkeypatch.setattr("wavepost.storage.database.SQLITE_RESERVE_BYTES", 10**18)
    writer = ChunkWriter(database, record_id, Kind.MP3, first_number=2)
    if database_kind == "sqlite":
        with pytest.raises(StorageFull):
            await writer.write(bytes(CHUNK_BYTES))
    else:
        await writer.write(bytes(CHUNK_BYTES))
    async with database.write() as session:
        await records.discard(session, record_id)
    assert await count(database, "chunks") == 0


async def test_a_failed_transaction_leaves_nothing(database: Database, user: User) -> None:
    async def fail() -> None:
        other = User(id=uuid.uuid4(), name="x", token_sha256=b"x", created_at=user.created_at)
        async with database.write() as session:
            session.add(other)
            await session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await count(database, "users") == 1


async def test_postgresql_sends_bytes_as_bytes(postgres: Postgres) -> None:
    """As hex text they would be twice as long and three times as slow."""
    database = Database(postgres.migrated())
    async with database.read() as session:
        result = await session.execute(text("SELECT CAST('\\x00ff' AS bytea)"))
        assert result.cursor._cursor.pgresult.fformat(0) == Format.BINARY
        assert result.scalar_one() == b"\x00\xff"
    await database.close()


async def test_a_database_that_hangs_is_found_out(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wavepost.storage.database.READ_SECONDS", 0.3)
    url = postgres.migrated()
    database = Database(url)
    with psycopg.connect(url) as other:
        other.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Busy):
            await Accounts(database).authenticate("any")
    with pytest.raises(Unauthorized):
        await Accounts(database).authenticate("any")
    await database.close()


async def test_times_come_back_in_utc_to_the_microsecond(database: Database, user: User) -> None:
    async with database.read() as session:
        found = await session.get(User, user.id)
    assert found is not None
    assert found.created_at == user.created_at
    assert found.created_at.tzinfo is not None


@pytest.mark.parametrize(
    ("offset", "head", "expected"),
    [
        (0, 0, (0, 0)),
        (CHUNK_BYTES, 0, (1, 0)),
        (0, 417, (0, 0)),
        (416, 417, (0, 416)),
        (417, 417, (1, 0)),
        (417 + CHUNK_BYTES - 1, 417, (1, CHUNK_BYTES - 1)),
        (417 + CHUNK_BYTES, 417, (2, 0)),
    ],
)
def test_the_place_of_a_byte(offset: int, head: int, expected: tuple[int, int]) -> None:
    assert chunks.place(offset, head) == expected


def test_the_migrations_make_the_tables_that_the_code_expects(
    database_kind: str, database_url: str, postgres: Postgres
) -> None:
    sqlite = database_kind == "sqlite"
    url = database_url if sqlite else postgres.empty()
    schema.upgrade(url)
    schema.upgrade(url)
    assert schema.is_current(url)
    engine = create_engine(with_driver(url, "sqlite" if sqlite else "postgresql+psycopg"))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_an_empty_database_is_not_current(postgres: Postgres) -> None:
    assert not schema.is_current(postgres.empty())
