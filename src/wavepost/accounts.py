"""Who may upload: register, authenticate, rotate a token, leave."""

import hashlib
import hmac
import uuid
from datetime import UTC, datetime

from wavepost.errors import Unauthorized
from wavepost.rate_limit import RateLimit, network
from wavepost.storage import users
from wavepost.storage.database import Database
from wavepost.storage.models import User


class Accounts:
    """Users and their access tokens. A token is shown once and kept only as its SHA-256."""

    def __init__(
        self,
        database: Database,
        *,
        signup: str = "open",
        signup_key: str = "",
        signups_a_minute: int = 0,
        failures_a_minute: int = 0,
    ) -> None:
        """`signup` is `open`, `key` or `closed`: who may register. 0 a minute is no limit."""
        self._database = database
        self._signups = RateLimit(database, "sign-ups", signups_a_minute)
        self._failures = RateLimit(database, "wrong tokens and keys", failures_a_minute)
        self._signup = signup
        self._signup_key_sha256 = _hash(signup_key)

    async def register(
        self, name: str, key: str | None = None, address: str = ""
    ) -> tuple[User, str]:
        """A new user and their access token. Names need not be unique.

        Raises Unauthorized where `key` is not the sign-up key, or nobody may register, and
        RateLimited where `address` sent too many, right or wrong ones.
        """
        if self._signup == "closed":
            raise Unauthorized("This server takes no new users. Ask its operator for an account.")
        if self._signup == "key" and not hmac.compare_digest(
            _hash(key or ""), self._signup_key_sha256
        ):
            if key is not None:
                await self._failures.hit(network(address))
            raise Unauthorized(
                "Here only holders of the sign-up key may register: send it as "
                "'Authorization: Bearer <sign-up key>'. Ask the server's operator for it."
            )
        await self._signups.hit(network(address))
        token = str(uuid.uuid4())
        user = User(
            id=uuid.uuid4(), name=name, token_sha256=_hash(token), created_at=datetime.now(UTC)
        )
        async with self._database.write() as session:
            session.add(user)
        return user, token

    async def authenticate(self, token: str, user_id: str | None = None, address: str = "") -> User:
        """The token's user.

        Raises Unauthorized, also where `user_id` is given and not theirs, and RateLimited where
        `address` sent too many wrong ones. The right one is taken all the same, for many share an
        address, and 122 random bits can't be guessed.
        """
        async with self._database.read() as session:
            user = await users.by_token(session, _hash(token))
        if user is None or (user_id is not None and user_id.lower() != str(user.id)):
            await self._failures.hit(network(address))
            raise Unauthorized
        return user

    async def rotate_token(self, user: User) -> str:
        """A new token; the old one stops at once. Raises Unauthorized where it just has."""
        token = str(uuid.uuid4())
        async with self._database.write() as session:
            if not await users.replace_token(session, user, _hash(token)):
                raise Unauthorized
        return token

    async def remove(self, user: User) -> None:
        """The user and every record of theirs are gone."""
        async with self._database.write() as session:
            await users.remove(session, user.id)


def _hash(token: str) -> bytes:
    # 122 random bits can't be guessed: a slow hash would cost every request 50 ms for nothing.
    return hashlib.sha256(token.encode(errors="replace")).digest()
