"""How long records are kept: as long as the operator says, or their upload asked for."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, delete, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from wavepost.storage.models import Record, Status

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Moment = dict[str, datetime]
"""The parameters that `IS_KEPT` needs."""

SWEPT_AT_ONCE = 50
"""Records of one transaction: others want to write too."""

_NOT_EXPIRED = and_(
    Record.created_at > bindparam("kept_since"),
    or_(Record.expires_at.is_(None), Record.expires_at > bindparam("now")),
)

IS_KEPT = and_(Record.status == Status.READY, _NOT_EXPIRED)
"""What can be seen: every query for ready records asks for it, with a `Retention.moment()`."""


class Retention:
    """The operator's rule: records go after so many days, older ones too once it is set."""

    def __init__(self, days: float = 0) -> None:
        """`days` of 0 keep records until they are removed."""
        self._days = timedelta(days=days)

    def moment(self) -> Moment:
        """Now."""
        now = datetime.now(UTC)
        return {"now": now, "kept_since": now - self._days if self._days else EPOCH}

    def expires_at(self, record: Record) -> datetime | None:
        """When the record goes; None where it stays until it is removed."""
        by_rule = record.created_at + self._days if self._days else None
        return min(filter(None, (by_rule, record.expires_at)), default=None)


async def sweep(session: AsyncSession, moment: Moment) -> int:
    """Remove some of the records that are kept no longer; how many: 0 when none is left."""
    expired = (select(Record.id).where(Record.status == Status.READY, not_(_NOT_EXPIRED))).limit(
        SWEPT_AT_ONCE
    )
    swept = await session.execute(
        delete(Record).where(Record.id.in_(expired)).returning(Record.id), moment
    )
    return len(swept.all())


async def sweep_of(session: AsyncSession, record_ids: Select[UUID | None], moment: Moment) -> None:
    """Remove those of the records that are kept no longer."""
    await session.execute(
        delete(Record).where(Record.id.in_(record_ids), not_(_NOT_EXPIRED)), moment
    )
