"""Recordings of a user: upload, list, look at one, remove."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response, status
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.datastructures import Headers

from wavepost.audio.frames import ALL_BITRATES
from wavepost.bootstrap import Service
from wavepost.errors import InvalidRequest
from wavepost.storage.models import MAX_FILE_NAME_CHARACTERS, Record
from wavepost.web import uploads
from wavepost.web.answers import RecordAnswer, RecordsAnswer
from wavepost.web.caller import (
    TOKEN_OR_NONE,
    BaseUrl,
    BearerToken,
    CallerAddress,
    CurrentService,
    CurrentUser,
)
from wavepost.web.links import parse_id
from wavepost.web.negotiation import quality
from wavepost.web.problems import responses

router = APIRouter(tags=["records"])

MAX_PAGE = 100
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

PartOfName = Annotated[
    str,
    Query(
        max_length=MAX_FILE_NAME_CHARACTERS,
        pattern=r"^[^\x00]*$",  # PostgreSQL takes no NUL
        description="Only recordings whose name contains this, regardless of case.",
    ),
]

SourceHash = Annotated[
    str,
    Query(
        pattern=r"^([0-9a-f]{64})?$",
        description="Only recordings of the WAV with this SHA-256, in hex.",
    ),
]

_OPTION_SCHEMAS = {
    "bitrate": {"enum": [*ALL_BITRATES], "description": "Constant bitrate in kbit/s."},
    "quality": {"type": "integer", "minimum": 0, "maximum": 9, "description": "Variable bitrate."},
    "expires_in": {"type": "integer", "minimum": 1, "description": "Seconds until it is removed."},
}
_FORM_SCHEMA = {
    "type": "object",
    "required": ["record"],
    "properties": {
        "user_id": {"type": "string", "format": "uuid"},
        "access_token": {"type": "string", "format": "uuid"},
        **_OPTION_SCHEMAS,
        "record": {"type": "string", "format": "binary", "description": "The WAV."},
    },
}
_UPLOAD_OPENAPI: dict[str, Any] = {
    "security": TOKEN_OR_NONE,  # a form may hold it
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": _FORM_SCHEMA},
            "audio/wav": {"schema": {"type": "string", "format": "binary"}},
        },
    },
    "parameters": [
        {"name": name, "in": "query", "schema": schema}
        for name, schema in (
            *_OPTION_SCHEMAS.items(),
            ("name", {"type": "string", "description": "The file name, for bare bytes."}),
        )
    ]
    + [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "schema": {"type": "string", "maxLength": 255},
            "description": "A repeat with the same key gets the first answer, no second record.",
        }
    ],
}


@router.post(
    "/records",
    summary="Upload a WAV",
    status_code=status.HTTP_201_CREATED,
    response_model=RecordAnswer,
    openapi_extra=_UPLOAD_OPENAPI,
    responses=responses(
        "invalid_request",
        "unauthorized",
        "not_a_wav",
        "unsupported_codec",
        "damaged_wav",
        "empty_audio",
        "too_large",
        "too_long",
        "digest_mismatch",
        "idempotency_conflict",
        "quota_exceeded",
        "rate_limited",
        "busy",
        "storage_full",
        has_body=True,
    ),
)
async def add(
    request: Request,
    service: CurrentService,
    bearer: BearerToken,
    address: CallerAddress,
    link_base: BaseUrl,
) -> Response:
    """Upload a WAV, as a form or as bare bytes; the answer holds the link to its MP3.

    201 means that the MP3 is committed, whole, and that the link works now.
    """
    known = None
    if bearer is not None:
        known = await service.accounts.authenticate(bearer, address=address)
    service.converters.gate.check(known and known.id)
    settings = service.settings
    async with uploads.receive(
        request,
        bearer,
        sender=address,
        idle_seconds=settings.idle_seconds,
        max_bytes=settings.max_upload_bytes,
        waiting_room=service.waiting_room,
    ) as upload:
        user = known
        if user is None or upload.user_id is not None:
            user = await service.accounts.authenticate(upload.token, upload.user_id, address)
        upload.confirm(user.id)
        key = idempotency_key(request.headers)
        record = await service.uploads.add(user, upload.incoming, key)
    answer = _answer(service, record, link_base)
    headers = {"Location": answer.url}
    if _prefers_text(request.headers.get("accept", "")):
        return PlainTextResponse(answer.url, status.HTTP_201_CREATED, headers)
    return JSONResponse(answer.model_dump(mode="json"), status.HTTP_201_CREATED, headers)


@router.get(
    "/records",
    summary="List your recordings",
    responses=responses("invalid_request", "unauthorized", "rate_limited", "busy"),
)
async def page(
    user: CurrentUser,
    service: CurrentService,
    link_base: BaseUrl,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    name: PartOfName = "",
    sha256: SourceHash = "",
) -> RecordsAnswer:
    """Your recordings, newest first; `next` is the cursor of the page after."""
    before = _read_cursor(cursor) if cursor is not None else None
    found = await service.recordings.page(user, before, limit + 1, name=name, sha256=sha256)
    shown = found[:limit]
    return RecordsAnswer(
        records=[_answer(service, record, link_base) for record in shown],
        next=_cursor(shown[-1]) if len(found) > limit else None,
    )


@router.get(
    "/records/{record_id}",
    summary="Look at a recording",
    responses=responses("unauthorized", "not_found", "rate_limited", "busy"),
)
async def show(
    record_id: str, user: CurrentUser, service: CurrentService, link_base: BaseUrl
) -> RecordAnswer:
    """One of your recordings with its receipt."""
    record = await service.recordings.find(parse_id(record_id), user.id)
    return _answer(service, record, link_base)


@router.delete(
    "/records/{record_id}",
    summary="Remove a recording",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses("unauthorized", "not_found", "rate_limited", "busy"),
)
async def remove(record_id: str, user: CurrentUser, service: CurrentService) -> None:
    """Remove one of your recordings. Its link stops at once."""
    await service.recordings.remove(parse_id(record_id), user)


def _answer(service: Service, record: Record, link_base: str) -> RecordAnswer:
    return RecordAnswer.of(record, link_base, service.recordings.expires_at(record))


def idempotency_key(headers: Headers) -> str | None:
    """What `Idempotency-Key` says, without the quotes that its draft standard gives it."""
    sent = headers.get("idempotency-key")
    if sent is None:
        return None
    key = sent.strip().removeprefix('"').removesuffix('"')
    if not re.fullmatch(r"[\x20-\x7e]{1,255}", key):
        raise InvalidRequest.field("Idempotency-Key", "send 1 to 255 characters of ASCII")
    return key


def _prefers_text(accept: str) -> bool:
    return quality(accept, "text/plain") > quality(accept, "application/json")


def _cursor(record: Record) -> str:
    microseconds = (record.created_at - EPOCH) // timedelta(microseconds=1)
    return f"{microseconds}.{record.id.hex}"


def _read_cursor(cursor: str) -> tuple[datetime, UUID]:
    match = re.fullmatch(r"([0-9]{1,17})\.([0-9a-f]{32})", cursor)
    if match is None:
        raise InvalidRequest.field("cursor", "send what `next` held, or leave it out")
    return EPOCH + timedelta(microseconds=int(match[1])), UUID(match[2])
