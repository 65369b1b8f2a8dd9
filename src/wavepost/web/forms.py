"""`multipart/form-data` (RFC 7578), part by part while it arrives; no temporary file."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from multipart import MultipartError, MultipartSegment, PushMultipartParser

from wavepost.errors import InvalidRequest

MAX_FIELD_BYTES = 1024
MAX_PARTS = 16


@dataclass(frozen=True)
class Field:
    """A form field, whole."""

    name: str
    value: str


@dataclass(frozen=True)
class FileStart:
    """A file's part begins; its bytes follow, in pieces."""

    name: str
    file_name: str


Event = Field | FileStart | bytes


async def parts(body: AsyncIterator[bytes], boundary: str) -> AsyncIterator[Event]:
    """What the form holds, in order.

    Raises InvalidRequest: 400 where the body can't be parsed or ends too soon, 422 for a field
    that is too long or not text.
    """
    try:
        # Names and file names are decoded by us: some clients send them in their own charset.
        parser = PushMultipartParser(boundary, max_segment_count=MAX_PARTS, header_charset="latin1")
        with parser:
            reader = _PartReader()
            async for piece in body:
                for event in parser.parse(piece):
                    if (found := reader.take(event)) is not None:
                        yield found
    except MultipartError as error:
        raise InvalidRequest(
            f"The multipart/form-data body can't be parsed: {error}.", status=400
        ) from error


class _PartReader:
    """Gathers the parser's events: fields whole, files as they come."""

    def __init__(self) -> None:
        self._field: str | None = None
        self._value = bytearray()

    def take(self, event: MultipartSegment | bytes | bytearray | None) -> Event | None:
        if isinstance(event, MultipartSegment):
            return self._begin(text(event.name or ""), event.filename)
        if self._field is None:
            return None if event is None else bytes(event)
        if event is None:
            return Field(self._field, _value(self._field, self._value))
        self._value += event
        if len(self._value) > MAX_FIELD_BYTES:
            raise InvalidRequest.field(
                self._field[:100], f"send at most {MAX_FIELD_BYTES} bytes, or send it as a file"
            )
        return None

    def _begin(self, name: str, file_name: str | None) -> FileStart | None:
        if file_name is not None:
            self._field = None
            return FileStart(name, text(file_name))
        self._field = name
        self._value.clear()
        return None


def _value(name: str, value: bytearray) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise InvalidRequest.field(name, "send text in UTF-8") from None


def text(latin1: str) -> str:
    """A header's text: UTF-8 as browsers and curl send it, else Latin-1 as it stands."""
    try:
        return latin1.encode("latin1").decode()
    except UnicodeDecodeError:
        return latin1
