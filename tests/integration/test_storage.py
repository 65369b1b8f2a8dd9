"""What is durable: the tables, unfinished records, and the sweep."""

import asyncio
import threading
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from psycopg.pq import Format
from sqlalchemy import create_engine, event, text

from tests import sound
from tests.postgres import Postgres
from wavepost.accounts import Accounts
from wavepost.audio.converters import Converters
from wavepost.audio.encoder import Wanted
from wavepost.errors import Busy, NotFound, StorageFull, Unauthorized
from wavepost.housekeeping import Housekeeping
from wavepost.recordings import Recordings
from wavepost.storage import chunks, claims, records, resumable, retention, schema, unfinished
from wavepost.storage.chunks import CHUNK_BYTES, ChunkWriter
from wavepost.storage.claims import ClaimId
from wavepost.storage.database import Database, with_driver
from wavepost.storage.models import Base, Claim, Kind, ResumableUpload, User
from wavepost.storage.retention import Retention
from wavepost.storage.unfinished import UnfinishedRecord
from wavepost.uploads import BEGINNING_BYTES, Incoming, Uploads

FOR_EVER = Retention()


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


async def begun(database: Database, user: User) -> UnfinishedRecord:
    """An upload under way that has one full chunk."""
    record = UnfinishedRecord(user.id, "a.wav")
    await ChunkWriter(database, record, Kind.MP3, first_number=1).write(bytes(CHUNK_BYTES))
    return record


async def age(database: Database, record: UnfinishedRecord, touched_at: datetime) -> None:
    async with database.write() as session:
        await unfinished.touch(session, {record.id}, touched_at)


async def count(database: Database, table: str) -> int:
    async with database.read() as session:
        return (await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()


async def test_the_sweep_takes_what_shows_no_sign_of_life(database: Database, user: User) -> None:
    now = datetime.now(UTC)
    abandoned, alive = await begun(database, user), await begun(database, user)
    await age(database, abandoned, now - timedelta(minutes=20))
    await age(database, alive, now - timedelta(minutes=5))
    async with database.write() as session:
        assert await unfinished.sweep(session, now - timedelta(minutes=10)) == 1
    assert await count(database, "records") == await count(database, "chunks") == 1
    async with database.read() as session:
        assert await chunks.read(session, abandoned.id, Kind.MP3, 1) is None
        assert await chunks.read(session, alive.id, Kind.MP3, 1) == bytes(CHUNK_BYTES)


async def test_an_unfinished_record_can_not_be_seen(database: Database, user: User) -> None:
    record = await begun(database, user)
    async with database.write() as session:
        assert await records.find(session, record.id, user.id, FOR_EVER.moment()) is None
        assert await records.page(session, user.id, None, 10, FOR_EVER.moment()) == []
        assert not await records.remove(session, record.id, user.id, FOR_EVER.moment())
    assert (await Recordings(database, FOR_EVER, cache_bytes=0).usage(user)).records == 0


async def test_a_swept_record_takes_no_more_chunks_and_is_never_published(
    database: Database, user: User
) -> None:
    record = await begun(database, user)
    async with database.write() as session:
        await record.discard(session)
    writer = ChunkWriter(database, record, Kind.MP3, first_number=1)
    with pytest.raises(Busy, match="interrupted"):
        await writer.write(bytes(CHUNK_BYTES))
    async with database.write() as session:
        assert await record.publish(session, {}) is None
    assert await count(database, "chunks") == 0


async def test_a_record_removed_by_another_process_is_gone_at_once(
    database: Database, user: User
) -> None:
    record = await begun(database, user)
    async with database.write() as session:
        assert await record.publish(session, {"bytes": 1, "head_bytes": 0})
    here, elsewhere = (Recordings(database, FOR_EVER, cache_bytes=1000) for _ in range(2))
    for _ in range(2):  # the second time from memory
        assert (await here.find(record.id, user.id)).id == record.id
    await elsewhere.remove(record.id, user)
    with pytest.raises(NotFound):
        await here.find(record.id, user.id)


async def test_an_upload_that_is_cancelled_when_it_is_published_leaves_nothing(
    database: Database, user: User
) -> None:
    """As a server does that stops: its sender hears that nothing was kept."""
    converters = Converters(slots=1, queue=0, wait_seconds=1, max_seconds=60, threads=1)
    uploads = Uploads(
        database,
        converters,
        Housekeeping(database, FOR_EVER, abandoned_seconds=60, resumable_kept=timedelta(days=1)),
        FOR_EVER,
        keep_wav=False,
        quota_bytes=0,
        uploads_a_minute=0,
    )
    held = threading.Event()

    async def wav() -> AsyncIterator[bytes]:
        whole = sound.wav(sound.tone(10, 8_000), 8_000)
        yield whole[:BEGINNING_BYTES]
        yield whole[BEGINNING_BYTES:]
        converters._processes.submit(held.wait)  # ahead of the converter's end, which comes last

    adding = asyncio.create_task(uploads.add(user, Incoming(wav(), "a.wav", Wanted()), "a key"))
    async with asyncio.timeout(60):
        while not await count(database, "records"):
            pass
    adding.cancel()
    held.set()
    with pytest.raises(asyncio.CancelledError):
        await adding
    assert await count(database, "records") == await count(database, "claims") == 0
    await converters.close()


async def test_a_connection_given_back_by_a_cancelled_upload_is_no_error(
    database: Database, user: User, caplog: pytest.LogCaptureFixture
) -> None:
    """The pool drops it, and would log a traceback."""
    adding = asyncio.create_task(begun(database, user))
    engine = database._engine.sync_engine
    event.listen(engine, "reset", lambda *_: adding.cancel(), once=True)
    with pytest.raises(asyncio.CancelledError):
        await adding
    assert await count(database, "records") == 1
    assert caplog.text == ""


async def test_a_user_who_left_gets_no_record(database: Database, user: User) -> None:
    await Accounts(database).remove(user)
    with pytest.raises(Unauthorized):
        await begun(database, user)
    record = UnfinishedRecord(user.id, "a.wav")
    async with database.read() as session:
        with pytest.raises(Unauthorized):
            await record.publish(session, {})


async def test_a_short_recording_has_no_row_before_it_is_whole(
    database: Database, user: User
) -> None:
    record = UnfinishedRecord(user.id, "a.wav")
    writer = ChunkWriter(database, record, Kind.MP3, first_number=1)
    await writer.write(b"short")
    assert await count(database, "records") == 0
    async with database.write() as session:
        assert await record.publish(session, {})
        await writer.finish(session)
    async with database.read() as session:
        assert await records.find(session, record.id, user.id, FOR_EVER.moment())
        assert await chunks.read(session, record.id, Kind.MP3, 1) == b"short"


async def test_a_disk_that_is_nearly_full_takes_no_more_sound(
    database_kind: str, database: Database, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = await begun(database, user)
    monkeypatch.setattr("wavepost.storage.database.SQLITE_RESERVE_BYTES", 10**18)
    writer = ChunkWriter(database, record, Kind.MP3, first_number=2)
    if database_kind == "sqlite":
        with pytest.raises(StorageFull):
            await writer.write(bytes(CHUNK_BYTES))
    else:
        await writer.write(bytes(CHUNK_BYTES))
    async with database.write() as session:
        await record.discard(session)
    assert await count(database, "chunks") == 0


async def test_a_record_that_a_resumable_upload_became_is_not_discarded(
    database: Database, user: User
) -> None:
    """Its sender finds it there, and what was sent is kept in no other place."""
    record = await begun(database, user)
    now = datetime.now(UTC)
    upload = ResumableUpload(
        id=uuid.uuid4(),
        user_id=user.id,
        name="a.wav",
        holder=uuid.uuid4(),
        created_at=now,
        touched_at=now,
    )
    async with database.write() as session:
        session.add(upload)
    async with database.write() as session:
        assert await record.publish(session, {"bytes": 1, "head_bytes": 0})
        assert await resumable.fulfil(
            session, upload_id=upload.id, holder=upload.holder, length=1, record_id=record.id
        )
    async with database.write() as session:
        await record.discard(session)
    assert await count(database, "records") == await count(database, "resumable_uploads") == 1


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


async def test_a_database_that_is_read_only_is_busy(postgres: Postgres) -> None:
    url = postgres.migrated()
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(
            f'ALTER DATABASE "{other.info.dbname}" SET default_transaction_read_only = on'.encode()
        )
    database = Database(url)
    with pytest.raises(Busy):
        await Accounts(database).register("Ann")
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


async def test_recordings_from_before_waveforms_have_none(
    database_kind: str, tmp_path: Path, postgres: Postgres
) -> None:
    sqlite = database_kind == "sqlite"
    url = f"sqlite:///{tmp_path}/old.db" if sqlite else postgres.empty()
    schema.upgrade(url, "0001")
    engine = create_engine(with_driver(url, "sqlite" if sqlite else "postgresql+psycopg"))
    user_id, record_id = uuid.uuid4(), uuid.uuid4()
    values = {"now": datetime.now(UTC), "token": b"1" * 32}
    ids = {"user": user_id.hex if sqlite else user_id, "id": record_id.hex if sqlite else record_id}
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO users VALUES (:user, 'Ann', :token, :now)"), values | ids
        )
        connection.execute(
            text(
                "INSERT INTO records VALUES"
                " (:id, :user, 'ready', 'a.wav', :now, :now, 1.5, 1, 8000, 24, 9, 9, NULL, '{}')"
            ),
            values | ids,
        )
    engine.dispose()
    schema.upgrade(url)
    database = Database(url)
    async with database.read() as session:
        found = await records.find(session, record_id, user_id, FOR_EVER.moment())
        assert found
        assert (found.duration, found.bytes) == (1.5, 9)
        assert await records.waveform(session, record_id) is None
    await database.close()


def test_an_empty_database_is_not_current(postgres: Postgres) -> None:
    assert not schema.is_current(postgres.empty())


async def waits_for_a_lock(database: Database) -> None:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    async with asyncio.timeout(10), database.read() as session:
        while not await session.scalar(text(f"{query} AND wait_event_type = 'Lock'")):
            await session.commit()


async def test_a_key_whose_record_is_being_swept_at_this_moment_is_free(
    database: Database, database_kind: str, user: User
) -> None:
    claim, days = ClaimId(user.id, b"key"), Retention(days=1)
    now, abandoned = days.moment(), timedelta(minutes=10)
    async with database.write() as session:
        assert await claims.make(session, claim, "", abandoned, now) is None
        record = await UnfinishedRecord(user.id, "a.wav").publish(session, {})
        assert record is not None
        assert await claims.fulfil(session, claim=claim, record_id=record.id)
    async with database.write() as session:
        assert await claims.make(session, claim, "", abandoned, now) is not None
    later = {"now": now["now"], "kept_since": now["now"] + timedelta(seconds=1)}

    async def make() -> Claim | None:
        async with database.write() as session:
            return await claims.make(session, claim, "", abandoned, later)

    async with database.write() as session:
        assert await retention.sweep(session, later) == 1
        repeat = asyncio.create_task(make())
        if database_kind == "postgresql":
            await waits_for_a_lock(database)
    assert await repeat is None
