"""Resumable uploads: a WAV in several requests, by tus 1.0.0."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response, status
from starlette.datastructures import Headers

from wavepost.bootstrap import Service
from wavepost.errors import InvalidRequest
from wavepost.storage.models import ResumableUpload, User
from wavepost.web import tus
from wavepost.web.answers import RecordAnswer, UploadAnswer
from wavepost.web.caller import BaseUrl, CurrentService, CurrentUser
from wavepost.web.links import parse_id
from wavepost.web.openapi import header_parameter
from wavepost.web.problems import responses
from wavepost.web.routes.records import idempotency_key

router = APIRouter(prefix=tus.PATH, tags=["uploads"])

_BYTES = {"type": "integer", "minimum": 0}
_VERSION = header_parameter("Tus-Resumable", "The protocol's version", {"enum": [tus.VERSION]})
_LENGTH = header_parameter("Upload-Length", "The WAV's size in bytes", _BYTES)
_PIECE: dict[str, Any] = {
    "content": {tus.PIECE_TYPE: {"schema": {"type": "string", "format": "binary"}}}
}
_REFUSALS = ("invalid_request", "unauthorized", "not_found", "rate_limited", "busy")
_PIECE_REFUSALS = (
    *_REFUSALS,
    "upload_locked",
    "offset_conflict",
    "too_large",
    "not_a_wav",
    "unsupported_codec",
    "damaged_wav",
    "empty_audio",
    "too_long",
    "digest_mismatch",
    "quota_exceeded",
    "storage_full",
)


@router.options("", include_in_schema=False)
@router.options("/{upload_id}", include_in_schema=False)
async def discover(service: CurrentService) -> Response:
    """What a tus client asks first."""
    return Response(status_code=status.HTTP_204_NO_CONTENT, headers=tus.discovery(service))


@router.post(
    "",
    summary="Begin a resumable upload",
    status_code=status.HTTP_201_CREATED,
    response_class=Response,
    dependencies=[tus.Version],
    openapi_extra={
        "parameters": [
            _VERSION,
            _LENGTH,
            header_parameter(
                "Upload-Defer-Length", "1: the size is not known yet", {"enum": ["1"]}
            ),
            header_parameter(
                "Upload-Metadata",
                "`filename`, `bitrate`, `quality`, `expires_in`, each with its value in base64",
                {"type": "string"},
            ),
            header_parameter(
                "Idempotency-Key",
                "A repeat with the same key gets the same upload, with what is here of it.",
                {"type": "string", "maxLength": 255},
            ),
        ],
        "requestBody": _PIECE,
    },
    responses={
        200: {"description": "It was begun earlier with this key"},
        **responses(*_PIECE_REFUSALS, "idempotency_conflict", has_body=True, refusals=(412, 415)),
    },
)
async def create(request: Request, user: CurrentUser, service: CurrentService) -> Response:
    """Begin an upload; `Location` is where its pieces go. A body is its first piece."""
    planned = tus.plan(request.headers)
    key = idempotency_key(request.headers)
    # What is wrong with the piece is said before anything is kept.
    piece = tus.addition(request, service, offset=0) if _has_body(request.headers) else None
    upload, is_new = await service.resumable_uploads.create(user, planned, key)
    headers = {"Location": f"{tus.PATH[1:]}/{upload.id}"}
    if is_new and piece:
        try:
            upload = await service.resumable_uploads.add(upload.id, user, piece)
        except BaseException:
            if key is None:
                await asyncio.shield(service.resumable_uploads.forget(upload.id, user))
            raise
    code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
    return Response(status_code=code, headers={**headers, **tus.state(service, upload)})


@router.head(
    "/{upload_id}",
    summary="Ask where an upload stands",
    response_class=Response,
    dependencies=[tus.Version],
    openapi_extra={"parameters": [_VERSION]},
    responses=responses(*_REFUSALS, "upload_locked", refusals=(412,)),
)
async def stand(upload_id: str, user: CurrentUser, service: CurrentService) -> Response:
    """Where the next piece begins, in `Upload-Offset`. A request that still sends some ends."""
    upload = await service.resumable_uploads.take_over(parse_id(upload_id), user)
    return Response(headers={**tus.description(upload), **tus.state(service, upload)})


@router.get(
    "/{upload_id}",
    summary="Look at an upload",
    responses=responses("unauthorized", "not_found", "rate_limited", "busy"),
)
async def show(
    upload_id: str, user: CurrentUser, service: CurrentService, link_base: BaseUrl
) -> UploadAnswer:
    """How far it has come; `record` is what became of it, once all of it is here."""
    upload = await service.resumable_uploads.find(parse_id(upload_id), user)
    return await _answer(service, upload, user, link_base)


@router.patch(
    "/{upload_id}",
    summary="Send a piece",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=[tus.Version],
    openapi_extra={
        "parameters": [
            _VERSION,
            header_parameter("Upload-Offset", "Where in the WAV it begins", _BYTES),
            _LENGTH,
        ],
        "requestBody": _PIECE,
    },
    responses=responses(*_PIECE_REFUSALS, has_body=True, refusals=(412, 415)),
)
async def add(
    upload_id: str,
    request: Request,
    offset: tus.Offset,
    user: CurrentUser,
    service: CurrentService,
) -> Response:
    """Send what comes next. With the last byte the recording is there when this is answered.

    What came of a request that was cut off stays: HEAD says where to go on.
    """
    piece = tus.addition(request, service, offset=offset)
    upload = await service.resumable_uploads.add(parse_id(upload_id), user, piece)
    return Response(status_code=status.HTTP_204_NO_CONTENT, headers=tus.state(service, upload))


@router.delete(
    "/{upload_id}",
    summary="Give an upload up",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=[tus.Version],
    openapi_extra={"parameters": [_VERSION]},
    responses=responses(*_REFUSALS, refusals=(412,)),
)
async def remove(upload_id: str, user: CurrentUser, service: CurrentService) -> None:
    """Remove what came of it. A recording that it became stays."""
    await service.resumable_uploads.remove(parse_id(upload_id), user)


@router.post(
    "/{upload_id}",
    summary="PATCH and DELETE by another name",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=[tus.Version],
    openapi_extra={
        "parameters": [
            _VERSION,
            header_parameter(
                "X-HTTP-Method-Override", "What is meant", {"enum": ["PATCH", "DELETE"]}
            ),
            header_parameter("Upload-Offset", "As in PATCH", _BYTES),
            _LENGTH,
        ],
        "requestBody": _PIECE,
    },
    responses=responses(*_PIECE_REFUSALS, has_body=True, refusals=(412, 415)),
)
async def overridden(
    upload_id: str, request: Request, user: CurrentUser, service: CurrentService
) -> Response:
    """For those whose network lets neither through: the method in `X-HTTP-Method-Override`."""
    method = request.headers.get("x-http-method-override")
    if method == "PATCH":
        offset = await tus.read_offset(request)
        return await add(upload_id, request, offset, user, service)
    if method == "DELETE":
        await remove(upload_id, user, service)
        return Response(status_code=status.HTTP_204_NO_CONTENT)
    raise InvalidRequest.field("X-HTTP-Method-Override", "send PATCH or DELETE")


async def _answer(
    service: Service, upload: ResumableUpload, user: User, link_base: str
) -> UploadAnswer:
    record = None
    if upload.record_id is not None:
        found = await service.recordings.find(upload.record_id, user.id)
        record = RecordAnswer.of(found, link_base, service.recordings.expires_at(found))
    return UploadAnswer(
        id=upload.id,
        name=upload.name,
        offset=upload.received,
        length=upload.length,
        created_at=upload.created_at,
        expires_at=service.resumable_uploads.expires_at(upload),
        record=record,
    )


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
