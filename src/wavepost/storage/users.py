"""Queries over users."""

from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from wavepost.storage.models import User


async def by_token(session: AsyncSession, token_sha256: bytes) -> User | None:
    """The user whose token has this hash."""
    return await session.scalar(select(User).where(User.token_sha256 == token_sha256))


async def lock(session: AsyncSession, user_id: UUID) -> bool:
    """Have other transactions that lock the user wait for this one's end; whether they are there.

    SQLite has one writer at a time anyway.
    """
    locked = select(User.id).where(User.id == user_id).with_for_update(key_share=True)
    return await session.scalar(locked) is not None


async def replace_token(session: AsyncSession, user: User, token_sha256: bytes) -> bool:
    """Replace the token that `user` came with; whether it still was the user's."""
    query = update(User).where(User.id == user.id, User.token_sha256 == user.token_sha256)
    replaced = await session.execute(query.values(token_sha256=token_sha256).returning(User.id))
    return replaced.first() is not None


async def remove(session: AsyncSession, user_id: UUID) -> None:
    """Remove the user; their records and chunks go with them."""
    await session.execute(delete(User).where(User.id == user_id))
