"""How much of its rate each party has used: one row for each, shared by all servers.

This is the generic cell rate algorithm (ITU-T I.371): so many at once, and each comes back after
its share of a minute. A row says when all of it will be back.
"""

from sqlalchemy import case, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from wavepost.storage.models import Allowance

WINDOW_SECONDS = 60


async def take(session: AsyncSession, party: str, a_minute: int, now: float) -> bool:
    """Use one of the party's `a_minute`; whether there was one. `now` is Unix time."""
    share = WINDOW_SECONDS / a_minute
    restored_at = Allowance.restored_at
    later = case((restored_at > now, restored_at), else_=now) + share
    taken = await session.execute(
        _insert(session)
        .values(party=party, restored_at=now + share)
        .on_conflict_do_update(
            index_elements=[Allowance.party],
            set_={"restored_at": later},
            where=later <= now + WINDOW_SECONDS,
        )
        .returning(Allowance.party)
    )
    return taken.first() is not None


async def seconds_to_wait(session: AsyncSession, party: str, a_minute: int, now: float) -> float:
    """How long until the party may `take` again; 0 where it may now."""
    query = select(Allowance.restored_at).where(Allowance.party == party)
    restored_at = await session.scalar(query) or 0.0
    return max(0.0, restored_at + WINDOW_SECONDS / a_minute - WINDOW_SECONDS - now)


async def sweep(session: AsyncSession, now: float) -> None:
    """Forget those who have everything back."""
    await session.execute(delete(Allowance).where(Allowance.restored_at <= now))


def _insert(session: AsyncSession) -> postgresql.Insert | sqlite.Insert:
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(Allowance)
    return sqlite.insert(Allowance)
