"""The JSON that goes out. Field names are the contract's and do not change."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel

from wavepost.storage.models import Record


class UserAnswer(BaseModel):
    """A user, as they see themselves."""

    id: UUID
    name: str
    created_at: datetime


class NewUserAnswer(UserAnswer):
    """A user just made. The token is shown this once."""

    access_token: str


class AccountAnswer(UserAnswer):
    """A user and what they keep here; `quota` is in bytes, null where there is none."""

    records: int
    bytes: int
    quota: int | None


class TokenAnswer(BaseModel):
    """A new access token, shown this once."""

    access_token: str


class RecordAnswer(BaseModel):
    """A recording with its link and its receipt."""

    id: UUID
    user: UUID
    status: Literal["ready"]
    url: str
    name: str
    created_at: datetime
    expires_at: datetime | None
    duration: float
    channels: int
    sample_rate: int
    bitrate: int
    bytes: int
    receipt: dict[str, Any]

    @classmethod
    def of(cls, record: Record, base_url: str, expires_at: datetime | None) -> "RecordAnswer":
        """The record, with links that begin with `base_url`; `expires_at` is when it goes."""
        return cls(
            id=record.id,
            user=record.user_id,
            status="ready",
            url=f"{base_url}/record?id={record.id}&user={record.user_id}",
            name=record.name,
            created_at=record.created_at,
            expires_at=expires_at,
            duration=record.duration,
            channels=record.channels,
            sample_rate=record.sample_rate,
            bitrate=record.bitrate,
            bytes=record.bytes,
            receipt=record.receipt,
        )


class RecordsAnswer(BaseModel):
    """A page of recordings, newest first. `next` is the cursor of the page after, or null."""

    records: list[RecordAnswer]
    next: str | None


class UploadAnswer(BaseModel):
    """A resumable upload: `offset` of its `length` bytes are here; in the end it is a record."""

    id: UUID
    name: str
    offset: int
    length: int | None
    created_at: datetime
    expires_at: datetime
    record: RecordAnswer | None


class LimitsAnswer(BaseModel):
    """What this server accepts; `signup` is who may register: anyone, holders of a key, nobody."""

    signup: Literal["open", "key", "closed"]
    max_upload_bytes: int
    max_upload_bytes_file_first: int
    unfinished_bytes: int
    resumable_hours: float
    max_seconds: float
    formats: list[str]
    codecs: list[str]
    min_sample_rate: int
    max_sample_rate: int
    max_channels: int
    bitrates: list[int]
    qualities: list[int]
    keeps_wav: bool
    retention_days: float | None
    uploads_a_minute: int | None


class HealthAnswer(BaseModel):
    """`ok` while the process answers."""

    status: Literal["ok"]


class ReadinessAnswer(BaseModel):
    """`ok`, or what is wrong, for each part that serving needs."""

    status: Literal["ok", "unavailable"]
    checks: dict[str, str]


class ProblemAnswer(BaseModel):
    """RFC 9457. `code` never changes once released."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[dict[str, str]] | None = None
