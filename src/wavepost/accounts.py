"""Who may upload: register, authenticate, rotate a token, leave."""

import hashlib
import hmac
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from wavepost.errors import Unauthorized
from wavepost.storage import users
from wavepost.storage.database import Database
from wavepost.storage.models import User


@dataclass(frozen=True)
class Usage:
    """What a user keeps here: ready records, and the bytes of their MP3s and kept WAVs."""

    records: int
    bytes: int


class Accounts:
    """Users and their access tokens. A token is shown once and kept only as its SHA-256."""

    def __init__(self, database: Database, *, signup: str = "open", signup_key: str = "") -> None:
        """`signup` is `open`, `key` or `closed`: who may register."""
        self._database = database
        self._signup = signup
        self._signup_key_sha256 = _hash(signup_key)

    async def register(self, name: str, key: str | None = None) -> tuple[User, str]:
        """A new user and their access token. Names need not be unique.

        Raises Unauthorized where `key` is not the sign-up key, or nobody may register.
        """
        if self._signup == "closed":
            raise Unauthorized("This server takes no new users. Ask its operator for an account.")
        if self._signup == "key" and not hmac.compare_digest(
            _hash(key or ""), self._signup_key_sha256
        ):
            raise Unauthorized(
                "Here only holders of the sign-up key may register: send it as "
                "'Authorization: Bearer <sign-up key>'. Ask the server's operator for it."
            )
        token = str(uuid.uuid4())
        user = User(
            id=uuid.uuid4(), name=name, token_sha256=_hash(token), created_at=datetime.now(UTC)
        )
        async with self._database.write() as session:
            session.add(user)
        return user, token

    async def authenticate(self, token: str, user_id: str | None = None) -> User:
        """The token's user. Raises Unauthorized, also where `user_id` is given and not theirs."""
        async with self._database.read() as session:
            user = await users.by_token(session, _hash(token))
        if user is None or (user_id is not None and user_id.lower() != str(user.id)):
            raise Unauthorized
        return user

    async def rotate_token(self, user: User) -> str:
        """A new token; the old one stops at once."""
        token = str(uuid.uuid4())
        async with self._database.write() as session:
            await users.set_token(session, user.id, _hash(token))
        return token

    async def usage(self, user: User) -> Usage:
        """How much the user keeps here."""
        async with self._database.read() as session:
            return Usage(*await users.usage(session, user.id))

    async def remove(self, user: User) -> None:
        """The user and every record of theirs are gone."""
        async with self._database.write() as session:
            await users.remove(session, user.id)


def _hash(token: str) -> bytes:
    # 122 random bits can't be guessed: a slow hash would cost every request 50 ms for nothing.
    return hashlib.sha256(token.encode(errors="replace")).digest()
