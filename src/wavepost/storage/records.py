"""Queries over records that are ready."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

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


async def waveform(session: AsyncSession, record_id: UUID) -> bytes | None:
    """The record's waveform, if it has one."""
    return await session.scalar(select(Record.waveform).where(Record.id == record_id))


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
