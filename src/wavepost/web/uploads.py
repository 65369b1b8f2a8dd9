"""A recording coming in, as a form or as bare bytes: the same `Upload` either way."""

import logging
import re
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import IO
from urllib.parse import unquote
from uuid import UUID

from multipart import parse_options_header
from starlette.requests import Request

from wavepost.audio.gate import Gate
from wavepost.audio.source import PIECE_BYTES
from wavepost.errors import InvalidRequest, StorageFull, TooLarge, Unauthorized
from wavepost.uploads import Incoming
from wavepost.web.body import Body
from wavepost.web.forms import Event, Field, FileStart, parts, text
from wavepost.web.options import OPTIONS, clean_file_name, expires_in, wanted

log = logging.getLogger(__name__)

FILE_FIELD = "record"
CREDENTIALS = ("user_id", "access_token")

FORM_OVERHEAD_BYTES = 64 * 1024
"""What a form may hold beside the WAV."""

FILE_FIRST_BYTES = 256 * 1024 * 1024
"""The largest WAV that may come before the credentials: it waits in a temporary file for them."""

_EXTENDED_FILE_NAME = re.compile(
    r";[ \t]*filename\*=(utf-8|iso-8859-1)'[A-Za-z0-9-]*'([^;\s]*)", re.IGNORECASE
)


@dataclass
class Upload:
    """What was sent. Its WAV is still arriving, and is to be read once."""

    incoming: Incoming
    token: str
    user_id: str | None
    fields: "_Fields"

    def confirm(self, user_id: UUID) -> None:
        """Say whose token it is; credentials that come after the WAV must agree with it."""
        self.fields.confirmed_user_id = user_id


@asynccontextmanager
async def receive(
    request: Request,
    bearer: str | None,
    *,
    sender: str,
    idle_seconds: float,
    max_bytes: int,
    waiting_room: Gate,
) -> AsyncIterator[Upload]:
    """The upload, once all but the WAV itself is known.

    Args:
        request: its body has not been read.
        bearer: the token of the Authorization header.
        sender: the address that it comes from.
        idle_seconds: how long the sender may be silent.
        max_bytes: the largest WAV.
        waiting_room: lets in those whose WAV comes before their credentials.

    Raises InvalidRequest, TooLarge or Unauthorized; reading the WAV may raise them too.
    """
    fields = _Fields(bearer)
    for name, value in request.query_params.multi_items():
        fields.add(name, value, allowed=(*OPTIONS, "name"))
    content_type, parameters = parse_options_header(request.headers.get("content-type", ""))
    if content_type != "multipart/form-data":
        body = Body(request, idle_seconds, max_bytes)
        yield fields.upload(body.pieces(), _sent_name(request))
        return
    body = Body(request, idle_seconds, max_bytes + FORM_OVERHEAD_BYTES)
    events = parts(body.pieces(), parameters.get("boundary", ""))
    file_name = await _read_to_file(events, fields)
    if fields.has_credentials:
        yield fields.upload(_rest_of_form(events, fields, max_bytes), file_name)
        return
    async with waiting_room.enter(sender) as place:
        await place.slot()
        with _temporary_file() as waiting:
            await _set_aside(events, fields, waiting, min(max_bytes, FILE_FIRST_BYTES))
            yield fields.upload(_taken_up(waiting), file_name)


@dataclass
class _Fields:
    """The fields of the form and the query, each known and at most once."""

    bearer: str | None
    values: dict[str, str] = field(default_factory=dict)
    confirmed_user_id: UUID | None = None

    def add(self, name: str, value: str, allowed: tuple[str, ...]) -> None:
        if name == FILE_FIELD:
            raise InvalidRequest.field(name, "send it once, as a file: curl -F record=@call.wav")
        if name not in allowed:
            known = ", ".join(allowed)
            raise InvalidRequest.field(name[:100], f"there is no such field; there are {known}")
        if name in self.values:
            raise InvalidRequest.field(name, "send it once")
        self.values[name] = value

    @property
    def has_credentials(self) -> bool:
        return self.bearer is not None or all(name in self.values for name in CREDENTIALS)

    def upload(self, wav: AsyncIterator[bytes], sent_name: str) -> Upload:
        tokens = {self.bearer, self.values.get("access_token")} - {None}
        if len(tokens) != 1 or not self.has_credentials:
            raise Unauthorized
        return Upload(
            incoming=Incoming(
                wav=wav,
                name=clean_file_name(self.values.get("name", sent_name)),
                wanted=wanted(self.values),
                expires_in=expires_in(self.values),
            ),
            token=str(tokens.pop()),
            user_id=self.values.get("user_id"),
            fields=self,
        )

    def add_late(self, name: str, value: str) -> None:
        """A field after a WAV whose conversion has begun: only credentials, and the same ones."""
        if name in OPTIONS and name not in self.values:
            raise InvalidRequest.field(name, f"send it before {FILE_FIELD}")
        self.add(name, value, allowed=(*CREDENTIALS, *OPTIONS))
        known = self.bearer if name == "access_token" else str(self.confirmed_user_id)
        if value != known and (name == "access_token" or value.lower() != known):
            raise Unauthorized


async def _read_to_file(events: AsyncIterator[Event], fields: _Fields) -> str:
    """Take the fields before the file; the file's name."""
    async for event in events:
        if isinstance(event, Field):
            fields.add(event.name, event.value, allowed=(*CREDENTIALS, *OPTIONS))
        elif isinstance(event, FileStart):
            if event.name != FILE_FIELD:
                raise InvalidRequest.field(event.name[:100], f"send the WAV as {FILE_FIELD}")
            return event.file_name
    if not fields.has_credentials:
        raise Unauthorized
    raise InvalidRequest.field(FILE_FIELD, "send the WAV as a file in this field")


async def _rest_of_form(
    events: AsyncIterator[Event], fields: _Fields, max_bytes: int
) -> AsyncIterator[bytes]:
    """The WAV, when its conversion begins before the form has ended."""
    async for piece in _file(events, max_bytes):
        if isinstance(piece, Field):
            fields.add_late(piece.name, piece.value)
        else:
            yield piece


@contextmanager
def _temporary_file() -> Iterator[IO[bytes]]:
    try:
        with tempfile.TemporaryFile() as file:
            yield file
    except OSError as error:
        # Full, or as good as that: a limit on files, a disk that failed or became read-only.
        log.warning("the folder for temporary files fails: %s", error)
        raise StorageFull(
            "The server has no room for uploads whose credentials come after the file. "
            "Send the credentials first."
        ) from error


async def _set_aside(
    events: AsyncIterator[Event], fields: _Fields, waiting: IO[bytes], most: int
) -> None:
    """Keep the WAV until the credentials come."""
    async for piece in _file(events, most):
        if isinstance(piece, Field):
            fields.add(piece.name, piece.value, allowed=(*CREDENTIALS, *OPTIONS))
        else:
            waiting.write(piece)


async def _file(events: AsyncIterator[Event], most: int) -> AsyncIterator[bytes | Field]:
    """The file's bytes up to `most`, and the fields after it."""
    received = 0
    async for event in events:
        if isinstance(event, FileStart):
            raise InvalidRequest.field(event.name[:100], "send one file in each request")
        if isinstance(event, bytes):
            received += len(event)
            if received > most:
                raise TooLarge(
                    f"WAVs of up to {most} bytes are taken here. GET /limits has the limits; "
                    "with the credentials before the file, the larger one holds."
                )
        yield event


async def _taken_up(waiting: IO[bytes]) -> AsyncIterator[bytes]:
    waiting.seek(0)
    while piece := waiting.read(PIECE_BYTES):
        yield piece


def _sent_name(request: Request) -> str:
    """The file name of bare bytes; `filename*` goes before `filename` (RFC 6266)."""
    disposition = text(request.headers.get("content-disposition", ""))
    if extended := _EXTENDED_FILE_NAME.search(disposition):
        charset, encoded = extended.groups()
        return unquote(encoded, encoding=charset, errors="replace")
    return str(parse_options_header(disposition)[1].get("filename", ""))
