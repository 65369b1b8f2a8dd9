"""One recording in as many requests as the line needs: the tus protocol, 1.0.0.

The rest of the file goes in one request. What arrived before the line broke is kept by the server,
and the next request begins behind it. Where nothing of a request arrived, something on the way
holds requests back until they are whole, so the next one is smaller.
"""

import base64
from collections.abc import Iterator
from urllib.parse import urlsplit

from wavepost.client.answers import Malformed, Record, identifier
from wavepost.client.connection import Answered, Connection
from wavepost.client.errors import NotWavepost, Refused
from wavepost.client.patience import Patience
from wavepost.client.sending import read_record, same
from wavepost.client.source import Options, Progress, Source, counted

LEAST_PIECE_BYTES = 1024**2


class NotOffered(Exception):
    """The server is older than resumable uploads."""


class Resuming:
    """A file on its way to a server."""

    def __init__(
        self,
        connection: Connection,
        source: Source,
        options: Options,
        key: str,
        patience: Patience,
        progress: Progress | None,
    ) -> None:
        self._connection = connection
        self._source = source
        self._options = options
        self._key = key
        self._patience = patience
        self._progress = progress
        self._id: str | None = None
        self._piece_bytes = max(source.size, LEAST_PIECE_BYTES)
        self._furthest = -1
        self._last_sent: tuple[int, int] | None = None  # where the last request began and ended

    def send(self) -> Record:
        """Send what the server does not have. Raises ClientError, OSError or NotOffered."""
        return same(self._patience.call(self._go_on), self._source.sha256)

    def _go_on(self) -> Record:
        try:
            return self._send_rest()
        except Refused as error:
            if self._id is not None and error.status in (404, 410):
                # What the server had of it is gone: it begins anew.
                self._id, error.passes = None, True
            raise

    def _send_rest(self) -> Record:
        if self._id is None:
            self._create()
        # Also of an upload just found: HEAD ends a request of ours that the server still reads.
        offset = self._ask("HEAD", f"/uploads/{self._id}").offset()
        self._note(offset)
        while offset < self._source.size:
            offset = self._patch(offset)
        return self._record()

    def _create(self) -> None:
        """Find the upload with our key, new or left at some other time."""
        fields = {"filename": self._options.name or "recording.wav", **self._options.fields()}
        headers = {
            "Upload-Length": str(self._source.size),
            "Upload-Metadata": ",".join(f"{name} {_base64(fields[name])}" for name in fields),
            "Idempotency-Key": self._key,
        }
        try:
            answered = self._ask("POST", "/uploads", headers)
        except Refused as error:
            if error.status in (404, 405):
                raise NotOffered from error
            raise
        self._id = _id_in(answered)

    def _patch(self, offset: int) -> int:
        """Send from `offset` on; the new offset, or the same where less is to be sent at once."""
        count = min(self._piece_bytes, self._source.size - offset)
        self._last_sent = offset, offset
        pieces = counted(self._source.pieces(offset, count), self._sent, offset)
        headers = {
            "Content-Type": "application/offset+octet-stream",
            "Content-Length": str(count),
            "Upload-Offset": str(offset),
        }
        try:
            answered = self._ask("PATCH", f"/uploads/{self._id}", headers, pieces)
        except NotWavepost as error:
            if error.status != 413 or count <= LEAST_PIECE_BYTES:
                raise
            self._piece_bytes = max(LEAST_PIECE_BYTES, count // 2)
            return offset
        reached = answered.offset()
        if reached != offset + count:
            raise NotWavepost("The server lost count of the upload.", answered.status)
        self._note(reached)
        return reached

    def _sent(self, offset: int) -> None:
        assert self._last_sent is not None
        self._last_sent = self._last_sent[0], offset
        if self._progress:
            self._progress(offset)

    def _note(self, offset: int) -> None:
        """The server has so much. It may be less than it had, where it found no time to convert."""
        if offset > self._furthest:
            self._furthest = offset
            self._patience.got_on()
        elif self._last_sent and self._last_sent[1] > self._last_sent[0] == offset:
            sent = self._last_sent[1] - offset
            self._piece_bytes = max(LEAST_PIECE_BYTES, min(sent, self._piece_bytes) // 2)
        self._last_sent = None
        if self._progress:
            self._progress(offset)

    def _record(self) -> Record:
        answered = self._ask("GET", f"/uploads/{self._id}")
        record = answered.json().get("record")
        if record is None:
            raise Refused("busy", 423, "The server has all of it, and is not done yet.")
        return read_record(record, answered.status)

    def _ask(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        content: Iterator[bytes] | None = None,
    ) -> Answered:
        sent = {"Tus-Resumable": "1.0.0", **(headers or {})}
        return self._connection.ask(method, path, headers=sent, content=content)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _id_in(answered: Answered) -> str:
    """The upload's id, the end of its address. The rest of that is not followed, but our own."""
    path = urlsplit(answered.headers.get("location", "")).path
    try:
        return identifier({"id": path.rpartition("/")[2]}, "id")
    except Malformed:
        raise NotWavepost("The server did not say where to send it.", answered.status) from None
