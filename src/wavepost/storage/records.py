"""Queries over records that can be seen: ready ones that are kept still.

Each takes the moment for which it asks: see `retention`.
"""

from collections.abc import Sequence
from datetime import datetime
from unicodedata import normalize
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from wavepost.storage.models import Record
from wavepost.storage.retention import IS_KEPT, Moment


async def find(
    session: AsyncSession, record_id: UUID, user_id: UUID, moment: Moment
) -> Record | None:
    """The user's record, if there is one and it is whole."""
    query = select(Record).where(Record.id == record_id, Record.user_id == user_id, IS_KEPT)
    return await session.scalar(query, moment)


_IS_READY = select(Record.id).where(
    Record.id == bindparam("record_id"), Record.user_id == bindparam("user_id"), IS_KEPT
)


async def is_ready(session: AsyncSession, record_id: UUID, user_id: UUID, moment: Moment) -> bool:
    """Whether `find` would find it; nothing is read but its id."""
    ids = {"record_id": record_id, "user_id": user_id}
    connection = await session.connection()
    return (await connection.execute(_IS_READY, {**ids, **moment})).first() is not None


async def waveform(session: AsyncSession, record_id: UUID) -> bytes | None:
    """The waveform of a record that was found, if it has one."""
    return await session.scalar(select(Record.waveform).where(Record.id == record_id))


async def page(
    session: AsyncSession,
    user_id: UUID,
    before: tuple[datetime, UUID] | None,
    limit: int,
    moment: Moment,
    name: str = "",
    sha256: str = "",
) -> Sequence[Record]:
    """The user's records, newest first, that are older than `before` (created_at, id).

    With a `name`, only those whose own contains it, regardless of case; with a `sha256` in hex,
    only those that were made of this very WAV.
    """
    query = select(Record).where(Record.user_id == user_id, IS_KEPT)
    if name:
        query = query.where(_is_named(name))
    if sha256:
        query = query.where(Record.source_sha256 == sha256)
    if before is not None:
        created_at, record_id = before
        query = query.where(
            or_(
                Record.created_at < created_at,
                and_(Record.created_at == created_at, Record.id < record_id),
            )
        )
    query = query.order_by(Record.created_at.desc(), Record.id.desc()).limit(limit)
    return (await session.scalars(query, moment)).all()


def _is_named(text: str) -> ColumnElement[bool]:
    # Macs send names as they keep them, with the parts of letters such as й apart: no keyboard
    # types them so.
    spellings = {normalize("NFC", text), normalize("NFD", text)}
    return or_(*(Record.name.icontains(each, autoescape=True) for each in spellings))


async def usage(session: AsyncSession, user_id: UUID, moment: Moment) -> tuple[int, int]:
    """How many records the user has, and how many bytes they take, kept WAVs included."""
    taken = func.sum(Record.bytes + func.coalesce(Record.wav_bytes, 0))
    query = select(func.count(), func.coalesce(taken, 0)).where(Record.user_id == user_id, IS_KEPT)
    records, size = (await session.execute(query, moment)).one()
    return records, int(size)


async def remove(session: AsyncSession, record_id: UUID, user_id: UUID, moment: Moment) -> bool:
    """Remove the user's record with its chunks; whether there was one."""
    query = delete(Record).where(Record.id == record_id, Record.user_id == user_id, IS_KEPT)
    removed = await session.execute(query.returning(Record.id), moment)
    return removed.first() is not None
