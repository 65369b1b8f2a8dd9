"""The headers of tus 1.0.0, the protocol of resumable uploads (https://tus.io/protocols)."""

import base64
import binascii
import re
from email.utils import format_datetime
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wavepost.bootstrap import Service
from wavepost.errors import InvalidRequest
from wavepost.resumable import Addition, Plan
from wavepost.storage.models import ResumableUpload
from wavepost.web.body import Body
from wavepost.web.options import clean_file_name, expires_in, wanted

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-defer-length,creation-with-upload,expiration,termination"
PATH = "/uploads"
PIECE_TYPE = "application/offset+octet-stream"

_BYTES = re.compile(r"[0-9]{1,18}")


class TusHeaders:
    """Says the version in every answer, refusals included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_version(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                headers["Tus-Resumable"] = headers["Tus-Version"] = VERSION
                message["headers"] = headers.raw
            await send(message)

        is_tus = scope["type"] == "http" and scope["path"].startswith(PATH)
        await self._app(scope, receive, send_with_version if is_tus else send)


async def _version(request: Request) -> None:
    if request.headers.get("tus-resumable") != VERSION:
        raise InvalidRequest(
            f"Send Tus-Resumable: {VERSION}; this server knows no other version.", status=412
        )


Version = Depends(_version)
"""Refuses requests that are not of this version."""


def discovery(service: Service) -> dict[str, str]:
    """What a client may want to know before it begins."""
    return {
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(service.settings.max_upload_bytes),
    }


def plan(headers: Headers) -> Plan:
    """What is to be created. Raises InvalidRequest."""
    length = byte_count(headers, "Upload-Length")
    deferred = headers.get("upload-defer-length")
    if deferred not in (None, "1") or (length is None) != (deferred == "1"):
        raise InvalidRequest.field(
            "Upload-Length", "send the WAV's size, or Upload-Defer-Length: 1 where it is not known"
        )
    values = _metadata(headers.get("upload-metadata", ""))
    name = values.get("filename") or values.get("name", "")
    return Plan(clean_file_name(name), length, wanted(values), expires_in(values))


def addition(request: Request, service: Service, *, offset: int) -> Addition:
    """What the request brings. Raises InvalidRequest or TooLarge."""
    headers = request.headers
    if headers.get("content-type") != PIECE_TYPE:
        raise InvalidRequest(f"Send it as Content-Type: {PIECE_TYPE}.", status=415)
    size = None if "transfer-encoding" in headers else int(headers.get("content-length", "0"))
    settings = service.settings
    body = Body(request, settings.idle_seconds, settings.max_upload_bytes)
    return Addition(offset, body.pieces(), size, byte_count(headers, "Upload-Length"))


def byte_count(headers: Headers, name: str) -> int | None:
    """A header that counts bytes, if it is there. Raises InvalidRequest."""
    value = headers.get(name)
    if value is None:
        return None
    if not _BYTES.fullmatch(value):
        raise InvalidRequest.field(name, "send a number of bytes")
    return int(value)


def state(service: Service, upload: ResumableUpload) -> dict[str, str]:
    """Where the upload stands, for its sender."""
    headers = {"Upload-Offset": str(upload.received)}
    if upload.record_id is None:
        expires_at = service.resumable_uploads.expires_at(upload)
        headers["Upload-Expires"] = format_datetime(expires_at, usegmt=True)
    return headers


def description(upload: ResumableUpload) -> dict[str, str]:
    """What the upload was created with."""
    name = base64.b64encode(upload.name.encode()).decode()
    length = (
        {"Upload-Defer-Length": "1"}
        if upload.length is None
        else {"Upload-Length": str(upload.length)}
    )
    return {**length, "Upload-Metadata": f"filename {name}"}


async def read_offset(request: Request) -> int:
    """Where the piece begins. Raises InvalidRequest."""
    offset = byte_count(request.headers, "Upload-Offset")
    if offset is None:
        raise InvalidRequest.field("Upload-Offset", "send where the piece begins")
    return offset


Offset = Annotated[int, Depends(read_offset)]
"""Where the piece begins, in bytes."""


def _metadata(sent: str) -> dict[str, str]:
    """The pairs of `Upload-Metadata`; clients send some of their own, which are left alone."""
    values = {}
    for pair in filter(None, (part.strip() for part in sent.split(","))):
        key, _, encoded = pair.partition(" ")
        try:
            values[key] = base64.b64decode(encoded, validate=True).decode(errors="replace")
        except (binascii.Error, ValueError):
            raise InvalidRequest.field(
                "Upload-Metadata", "write it as a key, a space and its value in base64"
            ) from None
    return values
