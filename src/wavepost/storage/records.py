"""Queries over records. All but the last section see only those that are ready."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from wavepost.errors import Unauthorized
from wavepost.storage.models import Record, Status


async def find(session: AsyncSession, record_id: UUID, user_id: UUID) -> Record | None:
    """The user's record, if there is one and it is whole."""
    return await session.scalar(
        select(Record).where(
            Record.id == record_id, Record.user_id == user_id, Record.status == Status.READY
        )
    )


_IS_READY = select(Record.id).where(
    Record.id == bindparam("record_id"),
    Record.user_id == bindparam("user_id"),
    Record.status == Status.READY,
)


async def is_ready(session: AsyncSession, record_id: UUID, user_id: UUID) -> bool:
    """Whether `find` would find it; nothing is read but its id."""
    ids = {"record_id": record_id, "user_id": user_id}
    connection = await session.connection()
    return (await connection.execute(_IS_READY, ids)).first() is not None


async def page(
    session: AsyncSession, user_id: UUID, before: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Record]:
    """The user's records, newest first, that are older than `before` (created_at, id)."""
    query = select(Record).where(Record.user_id == user_id, Record.status == Status.READY)
    if before is not None:
        created_at, record_id = before
        query = query.where(
            or_(
                Record.created_at < created_at,
                and_(Record.created_at == created_at, Record.id < record_id),
            )
        )
    query = query.order_by(Record.created_at.desc(), Record.id.desc()).limit(limit)
    return (await session.scalars(query)).all()


async def remove(session: AsyncSession, record_id: UUID, user_id: UUID) -> bool:
    """Remove the user's record with its chunks; whether there was one."""
    removed = await session.execute(
        delete(Record)
        .where(Record.id == record_id, Record.user_id == user_id, Record.status == Status.READY)
        .returning(Record.id)
    )
    return removed.first() is not None


# Unfinished records: an upload under way, or what a crash left of one.


async def begin(
    session: AsyncSession, record_id: UUID, user_id: UUID, name: str, now: datetime
) -> None:
    """Insert an unfinished record. Raises Unauthorized where the user has just left."""
    record = Record(
        id=record_id,
        user_id=user_id,
        status=Status.UPLOADING,
        name=name,
        created_at=now,
        touched_at=now,
    )
    session.add(record)
    try:
        await session.flush()
    except IntegrityError as error:
        raise Unauthorized from error


async def publish(session: AsyncSession, record_id: UUID, facts: dict[str, Any]) -> Record | None:
    """Make an unfinished record ready, with `facts` for its columns; None where it is gone."""
    return await session.scalar(
        update(Record)
        .where(Record.id == record_id, Record.status == Status.UPLOADING)
        .values(status=Status.READY, **facts)
        .returning(Record)
    )


async def discard(session: AsyncSession, record_id: UUID) -> None:
    """Remove an unfinished record with its chunks."""
    await session.execute(
        delete(Record).where(Record.id == record_id, Record.status == Status.UPLOADING)
    )


async def touch(session: AsyncSession, record_ids: set[UUID], now: datetime) -> None:
    """Give unfinished records a sign of life."""
    await session.execute(update(Record).where(Record.id.in_(record_ids)).values(touched_at=now))


async def sweep(session: AsyncSession, untouched_since: datetime) -> int:
    """Remove unfinished records without a sign of life since then; how many there were."""
    swept = await session.execute(
        delete(Record)
        .where(Record.status == Status.UPLOADING, Record.touched_at < untouched_since)
        .returning(Record.id)
    )
    return len(swept.all())
