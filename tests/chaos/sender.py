"""Sends recordings in every shape that the API takes, and notes what it was told."""

import random
import threading
import time
from collections.abc import Iterator

import httpx2

from tests.chaos.clips import LONG, LONG_BITRATE, SHORT
from tests.chaos.findings import Findings, Wrong
from tests.chaos.ledger import Ledger, Upload
from tests.chaos.machine import Spell

LONG_SHARE, KEYED_SHARE, VARIABLE_SHARE, REPEATED_SHARE = 0.25, 0.4, 0.25, 0.3
SHAPES = ("bare", "of unknown length", "form", "form with the file first")
PIECE_BYTES = 64 * 1024
MOST_SECONDS_A_PIECE = 0.02
RETRY_SECONDS = 0.2
ANSWER_SECONDS = 180
"""Longer than the server gives a transaction."""

OUT_OF_REACH = "The database is out of reach"
"""The answer where the server itself can't tell whether its last transaction was committed."""

BOUNDARY = "and-now-the-next-part"


class Address:
    """Where to send to, and who sends."""

    def __init__(self, url: str, user_id: str, token: str) -> None:
        self.user_id, self.token = user_id, token
        self._url = url
        self._clients: list[httpx2.Client] = []

    @property
    def bearer(self) -> dict[str, str]:
        """The Authorization header."""
        return {"Authorization": f"Bearer {self.token}"}

    def client(self) -> httpx2.Client:
        """For one thread. The server closes what was silent for 5 seconds, so we do before."""
        limits = httpx2.Limits(keepalive_expiry=2)
        client = httpx2.Client(base_url=self._url, timeout=ANSWER_SECONDS, limits=limits)
        self._clients.append(client)
        return client

    def close(self) -> None:
        """Close every client."""
        for client in self._clients:
            client.close()


class Body:
    """What is sent, at an uneven pace; `is_sent` once the last byte is on its way."""

    def __init__(self, content: bytes, dice: random.Random) -> None:
        self.is_sent = False
        self._content = content
        self._dice = dice

    def pieces(self) -> Iterator[bytes]:
        """The bytes."""
        for at in range(0, len(self._content), PIECE_BYTES):
            yield self._content[at : at + PIECE_BYTES]
            time.sleep(self._dice.uniform(0, MOST_SECONDS_A_PIECE))
        self.is_sent = True


class Sender:
    """Sends one recording after the other."""

    def __init__(
        self,
        number: int,
        address: Address,
        ledger: Ledger,
        findings: Findings,
        outage: Spell,
        stopping: threading.Event,
        dice: random.Random,
    ) -> None:
        """`outage` is while connections may die; once `stopping`, nothing is tried again."""
        self._names = (f"sender-{number}-{count}.wav" for count in range(1_000_000))
        self._address = address
        self._client = address.client()
        self._ledger = ledger
        self._findings = findings
        self._outage = outage
        self._stopping = stopping
        self._dice = dice

    def work(self) -> None:
        """Send a recording; one with a key again until it is kept, and sometimes once more."""
        upload = self._any_upload()
        self._ledger.open(upload)
        may_try = self._try(upload)
        while upload.key and may_try and upload.record is None and not self._stopping.is_set():
            time.sleep(RETRY_SECONDS)
            may_try = self._try(upload)
        if upload.key and upload.record and self._dice.random() < REPEATED_SHARE:
            self._try(upload)

    def _any_upload(self) -> Upload:
        dice, name = self._dice, next(self._names)
        is_long = dice.random() < LONG_SHARE
        clip = LONG if is_long else dice.choice(SHORT)
        options: tuple[tuple[str, str], ...] = ()
        if dice.random() < VARIABLE_SHARE:
            options = (("quality", str(dice.randint(0, 9))),)
        elif is_long:
            options = (("bitrate", str(LONG_BITRATE)),)
        key = f"key of {name}" if dice.random() < KEYED_SHARE else None
        return Upload(name, clip, dice.randrange(clip.samples), options, key)

    def _try(self, upload: Upload) -> bool:
        """Send it once; whether another try could end otherwise."""
        shape, started = self._dice.choice(SHAPES), time.monotonic()
        headers, content = _request(shape, upload, self._address)
        body = Body(content, self._dice)
        query = {"name": upload.name, **dict(upload.options)}
        try:
            answer = self._client.post(
                "/records", content=body.pieces(), params=query, headers=headers
            )
        except httpx2.TransportError as error:
            self._on_broken_connection(upload, body, error, started)
            return True
        return self._on_answer(upload, answer)

    def _on_broken_connection(
        self, upload: Upload, body: Body, error: httpx2.TransportError, started: float
    ) -> None:
        self._ledger.count("no answer")
        if body.is_sent:
            self._ledger.doubt(upload)
        if not self._outage.touched(started):
            self._findings.add(Wrong.UNEXPECTED, f"{upload.name}: no answer, but {error!r}")

    def _on_answer(self, upload: Upload, answer: httpx2.Response) -> bool:
        if answer.status_code == 201:
            self._on_receipt(upload, answer)
            return False
        if answer.status_code == 409 and upload.key:
            return True
        if answer.status_code not in (503, 507):
            self._findings.add(
                Wrong.UNEXPECTED, f"{upload.name}: {answer.status_code} {answer.text[:500]}"
            )
            return False
        self._ledger.count(f"refused {answer.status_code}")
        if OUT_OF_REACH in answer.json()["detail"]:
            self._ledger.doubt(upload)
        return True

    def _on_receipt(self, upload: Upload, answer: httpx2.Response) -> None:
        record = answer.json()
        if upload.record is None:
            self._ledger.count("acknowledged")
            self._ledger.keep(upload, record)
        elif record["id"] != upload.record["id"]:
            self._findings.add(
                Wrong.UNEXPECTED, f"{upload.name}: its key was answered with two records"
            )


def _request(shape: str, upload: Upload, address: Address) -> tuple[dict[str, str], bytes]:
    """Headers and body."""
    headers = {"Idempotency-Key": upload.key} if upload.key else {}
    if shape.startswith("form"):
        content = _form(upload, address, file_first=shape != "form")
        content_type = f"multipart/form-data; boundary={BOUNDARY}"
    else:
        content = upload.wav
        content_type = "audio/wav"
        headers |= address.bearer
    if shape != "of unknown length":
        headers["Content-Length"] = str(len(content))
    return {**headers, "Content-Type": content_type}, content


def _form(upload: Upload, address: Address, *, file_first: bool) -> bytes:
    credentials = _part('name="user_id"', address.user_id.encode()) + _part(
        'name="access_token"', address.token.encode()
    )
    file = _part(f'name="record"; filename="{upload.name}"', upload.wav)
    parts = file + credentials if file_first else credentials + file
    return parts + f"--{BOUNDARY}--\r\n".encode()


def _part(disposition: str, content: bytes) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n"
    return head.encode() + content + b"\r\n"
