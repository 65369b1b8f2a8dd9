"""Queries over resumable uploads and their pieces.

Any server on the database may take the next piece. A request that adds to an upload is its
holder; one that comes later takes it over, for its sender has given the earlier one up. Only
while all of it is here and being converted does it belong to one.

Each query takes the moment `since` which something must have come of an upload, for it to count.
"""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from wavepost.errors import Unauthorized
from wavepost.storage import retention, users
from wavepost.storage.models import Piece, ResumableUpload
from wavepost.storage.retention import Moment

SWEPT_AT_ONCE = 64
"""Pieces of one transaction, 64 MiB: others want to write too."""


async def create(
    session: AsyncSession, upload: ResumableUpload, since: datetime, moment: Moment
) -> ResumableUpload | None:
    """Keep a new upload; the one that was created earlier with the same key, if there is one.

    Other transactions that create uploads of this user wait for this one's end. Raises
    Unauthorized where the user has just left.
    """
    if not await users.lock(session, upload.user_id):
        raise Unauthorized
    if upload.key_sha256 is not None:
        same_key = (
            ResumableUpload.user_id == upload.user_id,
            ResumableUpload.key_sha256 == upload.key_sha256,
        )
        await session.execute(delete(ResumableUpload).where(*same_key, _is_over(since)))
        # It goes with its record, where that is kept no longer.
        of_key = select(ResumableUpload.record_id).where(*same_key)
        await retention.sweep_of(session, of_key, moment)
        earlier = await session.scalar(select(ResumableUpload).where(*same_key))
        if earlier is not None:
            return earlier
    session.add(upload)
    await session.flush()
    return None


async def find(
    session: AsyncSession, upload_id: UUID, user_id: UUID, since: datetime
) -> ResumableUpload | None:
    """The user's upload, finished or not."""
    query = select(ResumableUpload).where(*_of(upload_id, user_id, since))
    return await session.scalar(query)


async def take(
    session: AsyncSession,
    upload_id: UUID,
    user_id: UUID,
    since: datetime,
    holder: UUID,
    now: datetime,
) -> ResumableUpload | None:
    """Make `holder` the one that may add to it; None where it is finished, or being converted."""
    return await session.scalar(
        update(ResumableUpload)
        .where(*_of(upload_id, user_id, since), ResumableUpload.record_id.is_(None), _is_free(now))
        .values(holder=holder, converting_until=None)
        .returning(ResumableUpload)
    )


async def add_piece(
    session: AsyncSession, upload_id: UUID, holder: UUID, start: int, data: bytes, now: datetime
) -> bool:
    """Store what comes next; whether `holder` still is the one."""
    advanced = await session.execute(
        update(ResumableUpload)
        .where(*_held(upload_id, holder), ResumableUpload.received == start)
        .values(received=start + len(data), touched_at=now)
        .returning(ResumableUpload.id)
    )
    if advanced.first() is None:
        return False
    await session.execute(insert(Piece).values(upload_id=upload_id, start=start, data=data))
    return True


async def rewind(session: AsyncSession, upload_id: UUID, holder: UUID, to: int) -> None:
    """Forget what came from the byte `to` on."""
    rewound = await session.execute(
        update(ResumableUpload)
        .where(*_held(upload_id, holder))
        .values(received=to)
        .returning(ResumableUpload.id)
    )
    if rewound.first() is not None:
        await session.execute(delete(Piece).where(Piece.upload_id == upload_id, Piece.start >= to))


async def read_piece(session: AsyncSession, upload_id: UUID, start: int) -> bytes | None:
    """The piece that begins there; None where the upload is gone."""
    return await session.scalar(
        select(Piece.data).where(Piece.upload_id == upload_id, Piece.start == start)
    )


async def lock(
    session: AsyncSession, upload_id: UUID, holder: UUID, until: datetime | None
) -> None:
    """Have nobody else take it over before then, or let them again, if it is `holder`'s still."""
    query = update(ResumableUpload).where(*_held(upload_id, holder))
    await session.execute(query.values(converting_until=until))


async def set_length(
    session: AsyncSession, upload_id: UUID, holder: UUID, length: int | None
) -> None:
    """Remember how long it will be, if it is `holder`'s still."""
    query = update(ResumableUpload).where(*_held(upload_id, holder))
    await session.execute(query.values(length=length))


async def fulfil(
    session: AsyncSession, *, upload_id: UUID, holder: UUID, length: int | None, record_id: UUID
) -> bool:
    """Remember what became of it; whether `holder` still is the one."""
    fulfilled = await session.execute(
        update(ResumableUpload)
        .where(*_held(upload_id, holder))
        .values(
            record_id=record_id,
            length=length,
            received=length,
            holder=None,
            touched_at=datetime.now(UTC),
        )
        .returning(ResumableUpload.id)
    )
    return fulfilled.first() is not None


async def unfinished(session: AsyncSession, user_id: UUID) -> tuple[int, int]:
    """How many unfinished uploads the user has, and how many bytes they take or will take."""
    announced = func.coalesce(ResumableUpload.length, ResumableUpload.received)
    query = select(func.count(), func.coalesce(func.sum(announced), 0)).where(
        ResumableUpload.user_id == user_id, ResumableUpload.record_id.is_(None)
    )
    count, size = (await session.execute(query)).one()
    return count, int(size)


async def remove(session: AsyncSession, upload_id: UUID, user_id: UUID, since: datetime) -> bool:
    """Remove the user's upload with its pieces; whether there was one. A record stays."""
    query = delete(ResumableUpload).where(*_of(upload_id, user_id, since))
    return (await session.execute(query.returning(ResumableUpload.id))).first() is not None


async def refuse(session: AsyncSession, upload_id: UUID, holder: UUID) -> None:
    """Remove what is no WAV, if it is `holder`'s still: another may bring other bytes."""
    await session.execute(delete(ResumableUpload).where(*_held(upload_id, holder)))


async def sweep_pieces(session: AsyncSession, since: datetime) -> bool:
    """Remove some pieces of an upload that is finished, or given up; whether there were any.

    One transaction that removed gigabytes would keep SQLite's other writers waiting for seconds.
    """
    has_pieces = exists().where(Piece.upload_id == ResumableUpload.id)
    over = select(ResumableUpload.id).where(
        or_(ResumableUpload.record_id.is_not(None), _is_over(since)), has_pieces
    )
    upload_id = await session.scalar(over.limit(1))
    if upload_id is None:
        return False
    first = select(Piece.start).where(Piece.upload_id == upload_id).order_by(Piece.start)
    some = first.limit(SWEPT_AT_ONCE)
    await session.execute(delete(Piece).where(Piece.upload_id == upload_id, Piece.start.in_(some)))
    return True


async def sweep(session: AsyncSession, since: datetime) -> int:
    """Remove uploads of which nothing came since then, finished ones too; how many."""
    swept = await session.execute(
        delete(ResumableUpload).where(_is_over(since)).returning(ResumableUpload.id)
    )
    return len(swept.all())


def _of(upload_id: UUID, user_id: UUID, since: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        ResumableUpload.id == upload_id,
        ResumableUpload.user_id == user_id,
        ResumableUpload.touched_at >= since,
    )


def _held(upload_id: UUID, holder: UUID) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return ResumableUpload.id == upload_id, ResumableUpload.holder == holder


def _is_free(now: datetime) -> ColumnElement[bool]:
    until = ResumableUpload.converting_until
    return or_(until.is_(None), until < now)


def _is_over(since: datetime) -> ColumnElement[bool]:
    return ResumableUpload.touched_at < since
