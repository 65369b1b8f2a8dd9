"""Resumable uploads as their senders make them, one request at a time."""

import base64
import socket
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx2

from tests import sound
from tests.service import Caller, Server, execute
from wavepost.storage.database import is_sqlite

PIECE_TYPE = "application/offset+octet-stream"
TUS = {"Tus-Resumable": "1.0.0"}

RATE = 44_100
SOUND = sound.speech_like(50, RATE)
WAV = sound.wav(SOUND, RATE)
HALF = len(WAV) // 2


class Upload:
    """One upload of a caller's.

    Attributes:
        answer: what its creation was answered with.
        path: where its pieces go.
    """

    def __init__(
        self, caller: Caller, length: int | None, key: str = "", body: Any = b"", **metadata: Any
    ) -> None:
        """`length` of None is not known yet; `body` is a first piece."""
        self.caller = caller
        headers = {"Upload-Defer-Length": "1"} if length is None else {"Upload-Length": str(length)}
        headers |= {"Idempotency-Key": key} if key else {}
        headers |= {"Content-Type": PIECE_TYPE} if body else {}
        pairs = {"filename": "call.wav", **metadata}.items()
        headers["Upload-Metadata"] = ",".join(
            f"{name} {base64.b64encode(str(value).encode()).decode()}" for name, value in pairs
        )
        self.answer = self._request("POST", "/uploads", headers, content=body)
        self.path = f"/{self.answer.headers.get('location')}"

    def add(self, offset: int, piece: Any, **headers: str) -> httpx2.Response:
        """PATCH; an iterator's size is not known."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._request(
            "PATCH",
            self.path,
            {"Upload-Offset": str(offset), "Content-Type": PIECE_TYPE, **names},
            content=piece,
        )

    def head(self) -> httpx2.Response:
        """HEAD."""
        return self._request("HEAD", self.path)

    @property
    def offset(self) -> int:
        """Where HEAD says that it stands."""
        return int(self.head().headers["upload-offset"])

    def give_up(self) -> httpx2.Response:
        """DELETE."""
        return self._request("DELETE", self.path)

    def show(self) -> dict[str, Any]:
        """What GET says, which takes nothing over."""
        answer = self.caller.get(self.path)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    @property
    def record(self) -> dict[str, Any]:
        """The record that it became."""
        record: dict[str, Any] = self.show()["record"]
        return record

    def sending(self, server: Server, offset: int, length: int, sent: bytes) -> socket.socket:
        """A raw PATCH that announces `length` bytes, of which `sent` are on their way."""
        lines = [
            f"PATCH {self.path} HTTP/1.1",
            "Host: localhost",
            f"Authorization: Bearer {self.caller.token}",
            f"Content-Type: {PIECE_TYPE}",
            "Tus-Resumable: 1.0.0",
            f"Upload-Offset: {offset}",
            f"Content-Length: {length}",
        ]
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + sent)
        return connection

    def _request(
        self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any
    ) -> httpx2.Response:
        headers = {**TUS, **self.caller.bearer, **(headers or {})}
        return self.caller.server.client.request(method, path, headers=headers, **options)


def stored(server: Server, upload: Upload) -> int:
    """How many bytes of the upload the database holds in pieces."""
    query = "SELECT coalesce(sum(length(data)), 0) FROM pieces WHERE upload_id = :id"
    upload_id: Any = UUID(upload.path.rpartition("/")[2])
    url = server.settings["database_url"]
    return int(execute(url, query, id=upload_id.hex if is_sqlite(url) else upload_id))


def pieces(data: bytes, size: int = 64 * 1024) -> Iterator[bytes]:
    """Chunked, so that the server does not know how much comes."""
    for start in range(0, len(data), size):
        yield data[start : start + size]
