"""The tables: users, records, the chunks that hold a record's bytes, and what leads to them."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

MAX_NAME_CHARACTERS = 200
MAX_FILE_NAME_CHARACTERS = 255


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC, also on SQLite, which keeps no time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC."""
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give UTC back."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Names every constraint, so that migrations can speak of them on any database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class User(Base):
    """Who uploads. The access token itself is nowhere: only its SHA-256 is kept."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    name: Mapped[str] = mapped_column(String(MAX_NAME_CHARACTERS))
    token_sha256: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Status(StrEnum):
    """An `uploading` record is nobody's business; only a `ready` one can be seen."""

    UPLOADING = "uploading"
    READY = "ready"


class Record(Base):
    """One recording. All that describes the MP3 is empty until it is whole."""

    __tablename__ = "records"
    __table_args__ = (
        CheckConstraint("status IN ('uploading', 'ready')", name="status"),
        Index(None, "user_id", "created_at", "id"),
        Index(None, "user_id", "source_sha256"),
        Index(None, "created_at"),
        Index(
            "ix_records_expires_at",
            "expires_at",
            postgresql_where=text("expires_at IS NOT NULL"),
            sqlite_where=text("expires_at IS NOT NULL"),
        ),
        Index(
            "ix_records_uploading",
            "touched_at",
            postgresql_where=text("status = 'uploading'"),
            sqlite_where=text("status = 'uploading'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("users.id", ondelete="CASCADE"))
    status: Mapped[Status] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(MAX_FILE_NAME_CHARACTERS))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    touched_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """The last sign of life while `uploading`."""
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    """When it goes, where its upload asked for that; the operator's rule may be sooner."""
    waveform: Mapped[bytes | None] = mapped_column(LargeBinary, default=None, deferred=True)
    """For drawing, as BBC audiowaveform's .dat, version 2; read only when asked for."""
    duration: Mapped[float] = mapped_column(Double, default=0.0)
    """Seconds."""
    channels: Mapped[int] = mapped_column(default=0)
    sample_rate: Mapped[int] = mapped_column(default=0)
    bitrate: Mapped[int] = mapped_column(default=0)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    """The MP3's size."""
    head_bytes: Mapped[int] = mapped_column(default=0)
    """The size of the MP3's chunk 0; all others are of one size."""
    wav_bytes: Mapped[int | None] = mapped_column(BigInteger, default=None)
    """The kept WAV's size; None where it was not kept."""
    receipt: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    source_sha256: Mapped[str | None] = mapped_column(String(64), default=None)
    """Of the WAV, in hex, as in the receipt, so that it can be looked for."""


class Claim(Base):
    """An idempotency key that a user sent, and what came of it."""

    __tablename__ = "claims"

    user_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    key_sha256: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    wanted: Mapped[str] = mapped_column(String(32))
    """The options of the upload, for a repeat has to have the same."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    touched_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """The last sign of life while nothing came of it yet."""
    record_id: Mapped[UUID | None] = mapped_column(
        Uuid, ForeignKey("records.id", ondelete="CASCADE"), index=True, default=None
    )


class Allowance(Base):
    """How much somebody has used of what they may do in a minute."""

    __tablename__ = "allowances"

    party: Mapped[str] = mapped_column(String(100), primary_key=True)
    """What is counted, and whose: a user's id, or an address."""
    restored_at: Mapped[float] = mapped_column(Double, index=True)
    """When nothing of it is used any more, in Unix time."""


class Kind(StrEnum):
    """What a chunk is a piece of."""

    MP3 = "mp3"
    WAV = "wav"


class Chunk(Base):
    """A piece of a record's bytes, as long as `chunks.CHUNK_BYTES`, the last one shorter."""

    __tablename__ = "chunks"
    __table_args__ = (CheckConstraint("kind IN ('mp3', 'wav')", name="kind"),)

    record_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("records.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[Kind] = mapped_column(String(3), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    """Counts from 0. An MP3's chunk 0 is its head, which is known last."""
    data: Mapped[bytes] = mapped_column(LargeBinary)


class ResumableUpload(Base):
    """A WAV that comes in several requests. It stays a while after its record was made of it."""

    __tablename__ = "resumable_uploads"
    __table_args__ = (UniqueConstraint("user_id", "key_sha256"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("users.id", ondelete="CASCADE"))
    key_sha256: Mapped[bytes | None] = mapped_column(LargeBinary(32), default=None)
    """Of the idempotency key that it was created with."""
    name: Mapped[str] = mapped_column(String(MAX_FILE_NAME_CHARACTERS))
    bitrate: Mapped[int | None] = mapped_column(default=None)
    quality: Mapped[int | None] = mapped_column(default=None)
    expires_in: Mapped[int | None] = mapped_column(BigInteger, default=None)
    """Seconds after which the record is to go."""
    length: Mapped[int | None] = mapped_column(BigInteger, default=None)
    """The WAV's size; None while its sender does not know it."""
    received: Mapped[int] = mapped_column(BigInteger, default=0)
    """How many bytes of it are here: where the next piece begins."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    touched_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    """When something of it came last."""
    holder: Mapped[UUID | None] = mapped_column(Uuid, default=None)
    """The request that may add to it; who comes later takes it over."""
    converting_until: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    """Nobody takes it over before: all of it is here, and is being converted."""
    record_id: Mapped[UUID | None] = mapped_column(
        Uuid, ForeignKey("records.id", ondelete="CASCADE"), index=True, default=None
    )


class Piece(Base):
    """Some bytes of a resumable upload, until there is a record."""

    __tablename__ = "pieces"

    upload_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("resumable_uploads.id", ondelete="CASCADE"), primary_key=True
    )
    start: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    """Where in the WAV they begin."""
    data: Mapped[bytes] = mapped_column(LargeBinary)
