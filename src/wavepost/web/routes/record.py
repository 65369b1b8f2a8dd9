"""The link: whoever holds it may download that one recording.

What is asked for most is read from the request without FastAPI's dependencies and their
validation, which took 0.1 ms of the 0.9 that a download of 1 MB took.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from urllib.parse import quote

from fastapi import APIRouter, Request, Response, status
from fastapi.responses import JSONResponse
from starlette.datastructures import QueryParams
from starlette.types import Receive, Scope, Send

from wavepost.audio.waveform import as_json
from wavepost.errors import InvalidRequest, NotFound, WavepostError
from wavepost.recordings import Recordings
from wavepost.storage.models import Kind, Record
from wavepost.web.caller import service_of
from wavepost.web.conditions import (
    Part,
    Representation,
    Unsatisfiable,
    is_not_modified,
    requested_part,
)
from wavepost.web.links import parse_id
from wavepost.web.openapi import query_parameter
from wavepost.web.problems import CutOff, problem, responses

router = APIRouter(tags=["record"])

PIECES_A_CHECK = 16
"""After so many (4 MiB), see whether the caller is still there."""

STALLED_SECONDS = 300
"""How long a caller may take nothing; players that pause ask again for what they lack."""

MEDIA_TYPES = {Kind.MP3: "audio/mpeg", Kind.WAV: "audio/wav"}


HEADERS_CACHED = 1000
YEAR_SECONDS = 365 * 24 * 60 * 60

PARAMETERS = [
    query_parameter("id", "The record's id", {"type": "string", "format": "uuid"}, required=True),
    query_parameter("user", "Its user's id", {"type": "string", "format": "uuid"}, required=True),
    query_parameter("format", "What to download", {"enum": [*Kind], "default": Kind.MP3}),
    query_parameter("inline", "1: for playing, not saving", {"enum": ["0", "1"], "default": "0"}),
]


@router.head("/record", include_in_schema=False)
@router.get(
    "/record",
    summary="Download by the link",
    response_class=Response,
    openapi_extra={"parameters": PARAMETERS},
    responses={
        200: {"content": {"audio/mpeg": {}, "audio/wav": {}}},
        206: {"description": "The part that `Range` asks for"},
        304: {"description": "What `If-None-Match` or `If-Modified-Since` names is current"},
        416: {"description": "The range lies outside the file"},
        **responses("invalid_request", "not_found", "busy"),
    },
)
async def download(request: Request) -> Response:
    """Download the MP3 (or the WAV, where it was kept), whole or in part."""
    query, recordings = request.query_params, service_of(request).recordings
    kind = Kind(_choice(query, "format", Kind.MP3, Kind.WAV))
    inline = _choice(query, "inline", "0", "1") == "1"
    record = await recordings.find(parse_id(query.get("id", "")), parse_id(query.get("user", "")))
    current = _representation(record, kind)
    headers = dict(_headers(record, kind, current, inline=inline))
    headers["Cache-Control"] = _cache_control(recordings.expires_at(record))
    if is_not_modified(request.headers, current):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    if request.method == "HEAD":
        return Response(headers=headers | {"Content-Length": str(current.size)})
    try:
        part = requested_part(request.headers, current)
    except Unsatisfiable:
        error = InvalidRequest(
            f"The file has {current.size} bytes; ask for a range within them.", status=416
        )
        where = {"Content-Range": f"bytes */{current.size}"}
        return problem(error, request.state.request_id, where)
    return await _answer(request, recordings, record, kind, part, current.size, headers)


@router.get(
    "/record/waveform",
    summary="The waveform, by the link's ids",
    response_class=Response,
    openapi_extra={"parameters": PARAMETERS[:2]},
    responses={
        200: {"content": {"application/json": {}}, "description": "BBC audiowaveform, version 2"},
        **responses("not_found", "busy"),
    },
)
async def waveform(request: Request) -> Response:
    """Peaks for drawing: the lowest and highest sample of up to 4,096 stretches of the sound."""
    query, recordings = request.query_params, service_of(request).recordings
    record = await recordings.find(parse_id(query.get("id", "")), parse_id(query.get("user", "")))
    document = as_json(await recordings.waveform(record))
    cached = _cache_control(recordings.expires_at(record))
    return JSONResponse(document, headers={"Cache-Control": cached})


async def _answer(
    request: Request,
    recordings: Recordings,
    record: Record,
    kind: Kind,
    part: Part | None,
    size: int,
    headers: dict[str, str],
) -> Response:
    code = status.HTTP_200_OK
    if part is None:
        part = Part(0, size)
    else:
        code = status.HTTP_206_PARTIAL_CONTENT
        headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{size}"
    headers["Content-Length"] = str(part.end - part.start)
    pieces = recordings.read(record, kind, part.start, part.end)
    # The first piece is fetched before the headers go out: a failure still gets its own status.
    first = await anext(pieces)
    return _Pieces(_chained(request, first, pieces), part.end - part.start, code, headers)


class _Pieces(Response):
    """Sends piece after piece, without a task beside it that waits for the caller to hang up."""

    def __init__(
        self, pieces: AsyncIterator[bytes], size: int, code: int, headers: dict[str, str]
    ) -> None:
        super().__init__(None, code, headers)
        self._pieces = pieces
        self._left = size

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **start})
        async for piece in self._pieces:
            self._left -= len(piece)
            more = self._left > 0
            try:
                async with asyncio.timeout(STALLED_SECONDS):
                    await send({"type": "http.response.body", "body": piece, "more_body": more})
            except TimeoutError:
                raise CutOff("its caller took nothing any more") from None


def _choice(query: QueryParams, name: str, default: str, other: str) -> str:
    value = query.get(name, default)
    if value not in (default, other):
        raise InvalidRequest.field(name, f"send {default} or {other}")
    return value


async def _chained(
    request: Request, first: bytes, rest: AsyncIterator[bytes]
) -> AsyncIterator[bytes]:
    yield first
    sent = 1
    try:
        async for piece in rest:
            yield piece
            sent += 1
            if sent % PIECES_A_CHECK == 0 and await request.is_disconnected():
                raise CutOff("its caller hung up")
    except WavepostError as error:
        # The server closes the connection: fewer bytes than promised say that it is not all.
        raise CutOff(f"while it was answered: {error.detail}") from None


def _representation(record: Record, kind: Kind) -> Representation:
    if kind is Kind.MP3:
        return Representation(
            f'"{record.receipt["mp3"]["sha256"]}"', record.created_at, record.bytes
        )
    if record.wav_bytes is None:
        raise NotFound("The WAV of this recording was not kept. Its MP3 is at the same link.")
    return Representation(
        f'"{record.receipt["source"]["sha256"]}"', record.created_at, record.wav_bytes
    )


@lru_cache(HEADERS_CACHED)
def _headers(
    record: Record, kind: Kind, current: Representation, *, inline: bool
) -> dict[str, str]:
    return {
        "Content-Type": MEDIA_TYPES[kind],
        "Accept-Ranges": "bytes",
        "ETag": current.etag,
        "Last-Modified": format_datetime(current.last_modified, usegmt=True),
        "Content-Disposition": content_disposition(record.name, kind, inline=inline),
        "X-Content-Type-Options": "nosniff",
    }


def _cache_control(expires_at: datetime | None) -> str:
    """It never changes, but where it goes it is not to stay with its callers."""
    left = (expires_at - datetime.now(UTC)).total_seconds() if expires_at else YEAR_SECONDS
    return f"private, max-age={max(0, min(int(left), YEAR_SECONDS))}, immutable"


def content_disposition(name: str, kind: Kind, *, inline: bool) -> str:
    """RFC 6266: a plain `filename` for old clients, the real one in `filename*`."""
    stem, dot, _ = name.rpartition(".")
    file_name = f"{stem if dot else name}.{kind}"
    plain = "".join(
        letter if " " <= letter <= "~" and letter not in '"\\%' else "_" for letter in file_name
    )
    shown = "inline" if inline else "attachment"
    return f"{shown}; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"
