"""Senders who break off, stall, crawl, or say one thing and send another."""

import http.client
import json
import random
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tests.chaos.clips import LONG, LONG_BITRATE, SHORT
from tests.chaos.findings import Findings, Wrong
from tests.chaos.ledger import Ledger, Upload
from tests.service import Server, connected, count_unfinished, wait_for

AT_ONCE = 3
BYTE_SECONDS = 1
WRONG_DIGEST = "Content-Digest: sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
RESET = struct.pack("ii", 1, 0)


class RudeClients:
    """A few at once. Nothing that they leave unfinished may be kept."""

    def __init__(
        self,
        server: Server,
        token: str,
        ledger: Ledger,
        findings: Findings,
        dice: random.Random,
    ) -> None:
        self._server = server
        self._token = token
        self._ledger = ledger
        self._findings = findings
        self._dice = dice

    @contextmanager
    def half_sent(self, database_url: str) -> Iterator[None]:
        """One upload of which some is stored, and the last byte is missing."""
        upload = next(self._uploads())
        query = f"bitrate={LONG_BITRATE}"
        with self._begun(upload, len(upload.wav), query=query) as connection:
            connection.sendall(upload.wav[:-1])
            wait_for(lambda: count_unfinished(database_url), "a chunk to be stored")
            yield

    def hang_up(self) -> None:
        """In the middle, with a goodbye or without."""
        for upload in self._uploads():
            with self._begun(upload, len(upload.wav)) as connection:
                connection.sendall(self._part_of(upload.wav))
                if self._dice.random() < 0.5:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    def stall(self) -> None:
        """Send a part, and wait for the server to lose its patience."""
        with ExitStack() as stack:
            connections = []
            for upload in self._uploads():
                connection = stack.enter_context(self._begun(upload, len(upload.wav)))
                connection.sendall(self._part_of(upload.wav))
                connections.append(connection)
            for connection in connections:
                self._expect(connection, 408)

    def crawl_in_the_headers(self, seconds: float) -> None:
        """One byte a second, and no end of the headers."""
        with ExitStack() as stack:
            address = ("127.0.0.1", self._server.port)
            connections = [
                stack.enter_context(socket.create_connection(address)) for _ in range(AT_ONCE)
            ]
            for connection in connections:
                connection.sendall(b"POST /records HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            _crawl(connections, b"s" * 100, seconds)

    def crawl_in_the_body(self, seconds: float) -> None:
        """One byte a second of what should have been a recording."""
        with ExitStack() as stack:
            uploads = list(self._uploads())
            connections = [
                stack.enter_context(self._begun(upload, len(upload.wav))) for upload in uploads
            ]
            _crawl(connections, uploads[0].wav, seconds)

    def send_less(self) -> None:
        """Than Content-Length says."""
        for upload in self._uploads():
            with self._begun(upload, len(upload.wav) + 1000) as connection:
                connection.sendall(upload.wav)
                connection.shutdown(socket.SHUT_WR)
                self._expect(connection, None)

    def send_more(self) -> None:
        """Than Content-Length says; what it says makes a recording."""
        for upload in self._uploads():
            with self._begun(upload, len(upload.wav)) as connection:
                connection.sendall(upload.wav + b"and more of it\r\n" * 100)
                if (record := self._expect(connection, 201)) is not None:
                    self._ledger.keep(upload, record)

    def send_another_digest(self) -> None:
        """Than the bytes have."""
        for upload in self._uploads():
            with self._begun(upload, len(upload.wav), WRONG_DIGEST) as connection:
                connection.sendall(upload.wav)
                self._expect(connection, 422)

    def _uploads(self) -> Iterator[Upload]:
        for clip in [LONG, *self._dice.choices((*SHORT, LONG), k=AT_ONCE - 1)]:
            name = f"rude-{self._dice.getrandbits(64)}.wav"
            upload = Upload(name, clip, self._dice.randrange(clip.samples))
            self._ledger.open(upload)
            yield upload

    def _part_of(self, wav: bytes) -> bytes:
        return wav[: self._dice.randrange(len(wav))]

    @contextmanager
    def _begun(
        self, upload: Upload, length: int, *headers: str, query: str = ""
    ) -> Iterator[socket.socket]:
        name = f'Content-Disposition: attachment; filename="{upload.name}"'
        with connected(
            self._server, self._token, length, name, *headers, query=query
        ) as connection:
            yield connection

    def _expect(self, connection: socket.socket, status: int | None) -> dict[str, Any] | None:
        """Complain of any other answer; None is none at all."""
        answer = http.client.HTTPResponse(connection)
        try:
            answer.begin()
            got, content = answer.status, json.loads(answer.read())
        except (http.client.HTTPException, ConnectionError):
            got, content = None, None
        if got != status:
            self._findings.add(
                Wrong.UNEXPECTED, f"a rude client got {got} instead of {status}: {content}"
            )
            return None
        return content


def _crawl(connections: list[socket.socket], content: bytes, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    for at in range(len(content)):
        for connection in connections:
            try:
                connection.sendall(content[at : at + 1])
            except ConnectionError:
                return  # the server has had enough
        time.sleep(BYTE_SECONDS)
        if time.monotonic() > deadline:
            return
