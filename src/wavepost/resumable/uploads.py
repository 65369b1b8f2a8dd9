"""Resumable uploads: created, found, added to, given up; what a user's may take."""

import asyncio
import hashlib
import logging
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from wavepost.audio.encoder import Wanted
from wavepost.errors import (
    DigestMismatch,
    EmptyAudio,
    IdempotencyConflict,
    InvalidRequest,
    NotFound,
    OffsetConflict,
    QuotaExceeded,
    TooLarge,
    UploadLocked,
    WavepostError,
    WavError,
)
from wavepost.resumable.adding import Adding, Addition
from wavepost.storage import resumable, users
from wavepost.storage.database import Database
from wavepost.storage.models import ResumableUpload, User
from wavepost.storage.pieces import Pieces
from wavepost.storage.retention import Retention
from wavepost.uploads import Uploads

log = logging.getLogger(__name__)

UNFINISHED_UPLOADS = 100
"""How many a user may have."""


@dataclass(frozen=True)
class Plan:
    """What is to come, and what its sender wants of it; `length` is None where it is not known."""

    name: str
    length: int | None
    wanted: Wanted
    expires_in: timedelta | None = None


class ResumableUploads:
    """Takes recordings in, piece by piece."""

    def __init__(
        self,
        database: Database,
        uploads: Uploads,
        retention: Retention,
        *,
        kept: timedelta,
        max_bytes: int,
        unfinished_bytes: int,
    ) -> None:
        """`kept` is how long an upload waits for its next piece, `max_bytes` the largest WAV.

        `unfinished_bytes` is what a user's unfinished uploads may take.
        """
        self._database = database
        self._uploads = uploads
        self._retention = retention
        self._kept = kept
        self._max_bytes = max_bytes
        self._unfinished_bytes = unfinished_bytes

    async def create(
        self, user: User, plan: Plan, key: str | None = None
    ) -> tuple[ResumableUpload, bool]:
        """A new upload and True, or that of an idempotency `key` that was sent before, and False.

        Raises RateLimited, TooLarge, EmptyAudio, QuotaExceeded, or
        IdempotencyConflict where what was planned with the key differs.
        """
        await self._uploads.begin(user)
        self._check_length(plan.length)
        await self._uploads.check_room_left(user)
        upload = _planned(user, plan, key)
        async with self._database.write() as session:
            moment = self._retention.moment()
            earlier = await resumable.create(session, upload, self._since(), moment)
            if earlier is None:
                await self._check_unfinished(session, user.id)
        if earlier is not None and _differs(earlier, upload):
            raise IdempotencyConflict(
                "This Idempotency-Key belongs to another upload. Send a new key with a new one.",
                status=422,
            )
        return earlier or upload, earlier is None

    async def find(self, upload_id: UUID, user: User) -> ResumableUpload:
        """The user's upload. Raises NotFound."""
        async with self._database.read() as session:
            upload = await resumable.find(session, upload_id, user.id, self._since())
        if upload is None:
            raise _unknown()
        return upload

    async def take_over(self, upload_id: UUID, user: User) -> ResumableUpload:
        """The user's upload, to which no earlier request adds any more: where it stands, it stays.

        Raises NotFound, or UploadLocked while all of it is being converted.
        """
        return (await self._take(upload_id, user, uuid.uuid4()))[0]

    async def add(self, upload_id: UUID, user: User, addition: Addition) -> ResumableUpload:
        """Store what comes; with the last byte, convert it all, and have it published.

        What came stays where the line is cut, or where no converter is free; an upload that is
        no WAV goes. Raises NotFound, UploadLocked, OffsetConflict, TooLarge, and
        all that `Uploads.add` raises.
        """
        holder = uuid.uuid4()
        upload, is_ours = await self._take(upload_id, user, holder)
        if upload.received != addition.offset:
            raise OffsetConflict
        if not is_ours:
            return upload
        pieces = self._pieces(upload, holder, addition.length)
        try:
            await self._add(user, upload, addition, pieces)
        except DigestMismatch:
            await asyncio.shield(pieces.rewind(addition.offset))
            raise
        except WavError:
            await asyncio.shield(self._refuse(upload.id, holder))
            raise
        except BaseException:
            await asyncio.shield(_keep(pieces))
            raise
        return await self.find(upload.id, user)

    async def remove(self, upload_id: UUID, user: User) -> None:
        """Give the user's upload up; a record that was made of it stays. Raises NotFound."""
        if not await self._remove(upload_id, user):
            raise _unknown()

    async def forget(self, upload_id: UUID, user: User) -> None:
        """Remove an upload whose sender never heard of it: it would count for a day."""
        with suppress(WavepostError):
            await self._remove(upload_id, user)

    def expires_at(self, upload: ResumableUpload) -> datetime:
        """When it goes, unless more of it comes."""
        return upload.touched_at + self._kept

    async def _take(
        self, upload_id: UUID, user: User, holder: UUID
    ) -> tuple[ResumableUpload, bool]:
        """The upload, and whether it is `holder`'s: it is nobody's once it is finished."""
        since, now = self._since(), datetime.now(UTC)
        async with self._database.write() as session:
            taken = await resumable.take(session, upload_id, user.id, since, holder, now)
            if taken is not None:
                return taken, True
            upload = await resumable.find(session, upload_id, user.id, since)
        if upload is None:
            raise _unknown()
        if upload.record_id is None:
            raise UploadLocked
        return upload, False

    def _pieces(self, upload: ResumableUpload, holder: UUID, length: int | None) -> Pieces:
        if upload.length is not None and length not in (None, upload.length):
            raise InvalidRequest.field("Upload-Length", f"it was {upload.length} before")
        self._check_length(length)
        if length is not None and length < upload.received:
            raise InvalidRequest.field("Upload-Length", f"{upload.received} bytes are here already")
        known = upload.length if length is None else length
        pieces = Pieces(self._database, upload.id, holder, upload.received, known)
        if upload.length is None:
            pieces.before_storing = partial(self._check_unfinished, user_id=upload.user_id)
            pieces.most_bytes = self._max_bytes
        return pieces

    async def _add(
        self, user: User, upload: ResumableUpload, addition: Addition, pieces: Pieces
    ) -> None:
        await Adding(self._uploads, user, upload, pieces).take(addition)
        if pieces.is_whole:
            return
        await pieces.keep()
        if pieces.length != upload.length:
            async with self._database.write() as session:
                await users.lock(session, user.id)
                await resumable.set_length(session, upload.id, pieces.holder, pieces.length)
                await self._check_unfinished(session, user.id)

    def _check_length(self, length: int | None) -> None:
        if length == 0:
            raise EmptyAudio("There is nothing in it. Send a WAV.")
        if length is not None and length > self._max_bytes:
            raise TooLarge(
                f"Uploads of up to {self._max_bytes} bytes are taken; GET /limits says so too."
            )

    async def _check_unfinished(self, session: AsyncSession, user_id: UUID) -> None:
        count, size = await resumable.unfinished(session, user_id)
        if count > UNFINISHED_UPLOADS or size > self._unfinished_bytes:
            raise QuotaExceeded.of_unfinished(self._unfinished_bytes, UNFINISHED_UPLOADS)

    async def _remove(self, upload_id: UUID, user: User) -> bool:
        async with self._database.write() as session:
            return await resumable.remove(session, upload_id, user.id, self._since())

    async def _refuse(self, upload_id: UUID, holder: UUID) -> None:
        async with self._database.write() as session:
            await resumable.refuse(session, upload_id, holder)

    def _since(self) -> datetime:
        return datetime.now(UTC) - self._kept


async def _keep(pieces: Pieces) -> None:
    try:
        await pieces.keep()
    except WavepostError as error:
        log.info("the last bytes of a piece are not kept: %s", error.detail)


def _planned(user: User, plan: Plan, key: str | None) -> ResumableUpload:
    now = datetime.now(UTC)
    return ResumableUpload(
        id=uuid.uuid4(),
        user_id=user.id,
        key_sha256=None if key is None else hashlib.sha256(key.encode()).digest(),
        name=plan.name,
        bitrate=plan.wanted.bitrate,
        quality=plan.wanted.quality,
        expires_in=None if plan.expires_in is None else int(plan.expires_in.total_seconds()),
        length=plan.length,
        received=0,
        created_at=now,
        touched_at=now,
    )


def _differs(earlier: ResumableUpload, later: ResumableUpload) -> bool:
    return later.length not in (None, earlier.length) or any(
        getattr(earlier, option) != getattr(later, option)
        for option in ("bitrate", "quality", "expires_in")
    )


def _unknown() -> NotFound:
    return NotFound("There is no such upload, or its time is over. Create one with POST /uploads.")
