"""Records whose upload is under way, or was when a crash came. Nobody sees them."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from wavepost.errors import Unauthorized
from wavepost.storage.models import Record, ResumableUpload, Status


class UnfinishedRecord:
    """A record to be. It gets its row with its first full chunk; a short one only at the end.

    Attributes:
        id: what it will be found by.
        has_row: whether anything of it may be in the database.
    """

    def __init__(self, user_id: UUID, name: str, expires_in: timedelta | None = None) -> None:
        self.id = uuid.uuid4()
        self.has_row = False
        self._expires_in = expires_in
        self._columns = {"id": self.id, "user_id": user_id, "name": name}

    async def begin(self, session: AsyncSession) -> None:
        """See to its row. Raises Unauthorized where the user has just left."""
        if not self.has_row:
            self.has_row = True
            await self._insert(session, status=Status.UPLOADING, created_at=datetime.now(UTC))

    async def publish(self, session: AsyncSession, facts: dict[str, Any]) -> Record | None:
        """Make it ready, with `facts` for its columns; None where its row is gone.

        Raises Unauthorized where the user has just left.
        """
        now = datetime.now(UTC)
        facts = {
            **facts,
            "created_at": now,
            "expires_at": now + self._expires_in if self._expires_in else None,
        }
        if not self.has_row:
            self.has_row = True
            return await self._insert(session, status=Status.READY, **facts)
        return await session.scalar(
            update(Record)
            .where(Record.id == self.id, Record.status == Status.UPLOADING)
            .values(status=Status.READY, **facts)
            .returning(Record)
        )

    async def discard(self, session: AsyncSession) -> None:
        """Remove its row with its chunks, published or not: its sender was not told of it.

        But what a resumable upload became stays: its sender asks, and would have to send it all
        again, for the upload goes with its record.
        """
        is_asked_for = exists().where(ResumableUpload.record_id == self.id)
        await session.execute(delete(Record).where(Record.id == self.id, ~is_asked_for))

    async def _insert(self, session: AsyncSession, **columns: Any) -> Record:
        record = Record(**self._columns, touched_at=columns["created_at"], **columns)
        session.add(record)
        try:
            await session.flush()
        except IntegrityError as error:
            raise Unauthorized from error
        return record


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
