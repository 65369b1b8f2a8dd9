"""What a server says, as Python has it. What newer servers add is left to `answer`.

Nothing in an answer is believed before it has been looked at: a link is one line and begins with
http, a number is a number.
"""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self, TypeVar

Answer = Mapping[str, Any]
Kind = TypeVar("Kind")
FIRST_YEAR, LAST_YEAR = 1970, 9999


class Malformed(ValueError):
    """An answer that no wavepost gives."""


@dataclass(frozen=True)
class User:
    """A user."""

    id: str
    name: str
    created_at: datetime

    @classmethod
    def read(cls, answer: Answer) -> Self:
        """From JSON. Raises Malformed."""
        return cls(**_user(answer))


@dataclass(frozen=True)
class NewUser(User):
    """A user just made; the token is shown this once, and by no repr."""

    access_token: str = field(repr=False)

    @classmethod
    def read(cls, answer: Answer) -> Self:
        """From JSON. Raises Malformed."""
        return cls(**_user(answer), access_token=taken(answer, "access_token", str))


@dataclass(frozen=True)
class Account(User):
    """Who has the token, and what they keep: `bytes` of MP3; `quota` of them, or None."""

    records: int
    bytes: int
    quota: int | None

    @classmethod
    def read(cls, answer: Answer) -> Self:
        """From JSON. Raises Malformed."""
        quota = None if answer.get("quota") is None else taken(answer, "quota", int)
        return cls(
            **_user(answer),
            records=taken(answer, "records", int),
            bytes=taken(answer, "bytes", int),
            quota=quota,
        )


@dataclass(frozen=True)
class Limits:
    """What the server takes; `retention_days` is None where recordings stay."""

    signup: str
    max_upload_bytes: int
    max_seconds: float
    retention_days: float | None
    answer: Answer = field(repr=False, compare=False)

    @classmethod
    def read(cls, answer: Answer) -> Self:
        """From JSON. Raises Malformed."""
        days = answer.get("retention_days")
        return cls(
            signup=taken(answer, "signup", str),
            max_upload_bytes=taken(answer, "max_upload_bytes", int),
            max_seconds=number(answer, "max_seconds"),
            retention_days=None if days is None else number(answer, "retention_days"),
            answer=answer,
        )


@dataclass(frozen=True)
class Record:
    """A recording that is kept.

    Attributes:
        url: the link. Whoever holds it can download the MP3.
        duration: in seconds.
        sample_rate: in Hz.
        bitrate: in kbit/s.
        bytes: of the MP3.
        expires_at: when it will be gone, if it will.
        receipt: hashes, samples, tags and warnings, as docs/api.md has them.
        answer: all that the server said, also what is newer than this client.
    """

    id: str
    user: str
    url: str
    name: str
    created_at: datetime
    expires_at: datetime | None
    duration: float
    channels: int
    sample_rate: int
    bitrate: int
    bytes: int
    receipt: Answer = field(repr=False)
    answer: Answer = field(repr=False, compare=False)

    @classmethod
    def read(cls, answer: Answer) -> Self:
        """From JSON. Raises Malformed."""
        return cls(
            id=identifier(answer, "id"),
            user=identifier(answer, "user"),
            url=_link(answer),
            name=taken(answer, "name", str),
            created_at=_time(answer, "created_at"),
            expires_at=_time(answer, "expires_at") if answer.get("expires_at") else None,
            duration=number(answer, "duration"),
            channels=taken(answer, "channels", int),
            sample_rate=taken(answer, "sample_rate", int),
            bitrate=taken(answer, "bitrate", int),
            bytes=taken(answer, "bytes", int),
            receipt=taken(answer, "receipt", dict),
            answer=answer,
        )

    @property
    def source_sha256(self) -> str:
        """The SHA-256 of the WAV that it was made of, in hexadecimal."""
        return _hash(self.receipt, "source")

    @property
    def mp3_sha256(self) -> str:
        """The SHA-256 of the MP3, in hexadecimal."""
        return _hash(self.receipt, "mp3")


def taken(answer: Answer, name: str, kind: type[Kind]) -> Kind:
    """The field of that name. Raises Malformed where it is missing or of another type."""
    value = answer.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise Malformed(name)
    return value


def number(answer: Answer, name: str) -> float:
    """The same for any number from 0 on; JSON may hold such as are infinite, or none."""
    value = answer.get(name)
    found = value if type(value) is int else taken(answer, name, float)
    if not 0 <= found <= sys.float_info.max:
        raise Malformed(name)
    return float(found)


def identifier(answer: Answer, name: str) -> str:
    """The same for an id, which is put into paths."""
    value = taken(answer, name, str)
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,128}", value):
        raise Malformed(name)
    return value


def _user(answer: Answer) -> dict[str, Any]:
    return {
        "id": identifier(answer, "id"),
        "name": taken(answer, "name", str),
        "created_at": _time(answer, "created_at"),
    }


def _link(answer: Answer) -> str:
    link = taken(answer, "url", str)
    if not re.fullmatch(r"https?://[!-~]{1,2000}", link):
        raise Malformed("url")
    return link


def _time(answer: Answer, name: str) -> datetime:
    try:
        time = datetime.fromisoformat(taken(answer, name, str))
    except ValueError:
        raise Malformed(name) from None
    # What is to be shown in another time zone must not leave the calendar there.
    if time.tzinfo is None or not FIRST_YEAR <= time.year < LAST_YEAR:
        raise Malformed(name)
    return time


def _hash(receipt: Answer, part: str) -> str:
    sha256 = receipt.get(part, {}).get("sha256") if isinstance(receipt.get(part), dict) else None
    return sha256 if isinstance(sha256, str) else ""
