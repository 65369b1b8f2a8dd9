"""Idempotency keys: who claimed one, and the record that came of it.

A claim is there while its upload is under way, and KEPT after its record was published, so that a
repeat gets the same answer. With the record it goes too.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from wavepost.errors import Unauthorized
from wavepost.storage import retention, users
from wavepost.storage.models import Claim, Record
from wavepost.storage.retention import Moment

KEPT = timedelta(hours=24)


@dataclass(frozen=True)
class ClaimId:
    """Whose key, and the SHA-256 of it."""

    user_id: UUID
    key_sha256: bytes


async def make(
    session: AsyncSession, claim: ClaimId, wanted: str, abandoned: timedelta, moment: Moment
) -> Claim | None:
    """Claim the key; the claim that is there already, if there is one.

    One that a crash left behind, `abandoned` ago, counts no more, and neither does one whose
    record has expired. Raises Unauthorized where the user has just left.
    """
    now = moment["now"]
    if not await users.lock(session, claim.user_id):
        raise Unauthorized
    await session.execute(delete(Claim).where(*_of(claim), _is_over(now, abandoned)))
    # Before anything is read: the sweep may be at this very record, and the claim goes with it.
    await retention.sweep_of(session, select(Claim.record_id).where(*_of(claim)), moment)
    found = await session.scalar(select(Claim).where(*_of(claim)))
    if found is not None:
        return found
    session.add(
        Claim(
            user_id=claim.user_id,
            key_sha256=claim.key_sha256,
            wanted=wanted,
            created_at=now,
            touched_at=now,
        )
    )
    await session.flush()
    return None


async def record_of(session: AsyncSession, claim: ClaimId) -> Record | None:
    """The record that came of the claim."""
    return await session.scalar(
        select(Record).join(Claim, Claim.record_id == Record.id).where(*_of(claim))
    )


async def fulfil(session: AsyncSession, *, claim: ClaimId, record_id: UUID) -> bool:
    """Remember what came of the claim; whether it is still ours."""
    fulfilled = await session.execute(
        update(Claim)
        .where(*_of(claim), Claim.record_id.is_(None))
        .values(record_id=record_id)
        .returning(Claim.user_id)
    )
    return fulfilled.first() is not None


async def give_up(session: AsyncSession, claim: ClaimId) -> None:
    """Let go of a claim of which nothing came, so that the next try is a first one."""
    await session.execute(delete(Claim).where(*_of(claim), Claim.record_id.is_(None)))


async def touch(session: AsyncSession, claims: set[ClaimId], now: datetime) -> None:
    """Give claims whose uploads are under way a sign of life."""
    # Uploads begin and end meanwhile.
    for claim in tuple(claims):
        await session.execute(update(Claim).where(*_of(claim)).values(touched_at=now))


async def sweep(session: AsyncSession, now: datetime, abandoned: timedelta) -> None:
    """Remove those that nobody can ask for any more."""
    await session.execute(delete(Claim).where(_is_over(now, abandoned)))


def _of(claim: ClaimId) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Claim.user_id == claim.user_id, Claim.key_sha256 == claim.key_sha256


def _is_over(now: datetime, abandoned: timedelta) -> ColumnElement[bool]:
    return or_(
        and_(Claim.record_id.is_(None), Claim.touched_at < now - abandoned),
        Claim.created_at < now - KEPT,
    )
