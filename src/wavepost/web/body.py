"""The request's body as it arrives, watched for silence, length and digest."""

import asyncio
import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import AsyncIterator

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request

from wavepost.errors import DigestMismatch, InvalidRequest, TooLarge
from wavepost.web.problems import CutOff

LEAST_BYTES_A_SECOND = 256
"""A sixth of what the smallest recorder makes (GSM, 1,650): who is slower is up to something."""

DIGESTS = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}


class Body:
    """Reads once, in pieces; checks `Content-Digest` (RFC 9530) at the end.

    The digest covers what RFC 9530 says it does: the body as sent, so for
    `multipart/form-data` all parts with their boundaries.
    """

    def __init__(self, request: Request, idle_seconds: float, max_bytes: int) -> None:
        """Raises TooLarge where the length is known, and InvalidRequest for a malformed digest."""
        self._stream = request.stream()
        self._idle_seconds = idle_seconds
        self._waited_seconds = 0.0
        self._came_meanwhile = 0
        self._max_bytes = max_bytes
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise InvalidRequest(
                "Send the bytes as they are, without Content-Encoding.", status=415
            )
        if int(request.headers.get("content-length", "0")) > max_bytes:
            raise _too_large(max_bytes)
        self._expected = expected_digests(request.headers)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body. Raises CutOff, InvalidRequest (408), TooLarge or DigestMismatch."""
        received = 0
        hashes = {name: DIGESTS[name]() for name in self._expected}
        while piece := await self._next():
            received += len(piece)
            if received > self._max_bytes:
                raise _too_large(self._max_bytes)
            for digest in hashes.values():
                digest.update(piece)
            yield piece
        for name, digest in hashes.items():
            if not hmac.compare_digest(digest.digest(), self._expected[name]):
                raise DigestMismatch(
                    f"The body does not have the {name} that Content-Digest names. Send it again."
                )

    async def _next(self) -> bytes:
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._idle_seconds):
                # The stream ends with an empty piece.
                piece = await anext(self._stream, b"")
        except TimeoutError:
            raise _too_slow(f"Nothing came for {self._idle_seconds:g} seconds") from None
        except ClientDisconnect:
            raise CutOff("its sender hung up") from None
        self._check_speed(len(piece), time.monotonic() - started)
        return piece

    def _check_speed(self, size: int, waited_seconds: float) -> None:
        """Count what came while we waited for the sender, not while the sender waited for us."""
        self._came_meanwhile += size
        self._waited_seconds += waited_seconds
        if self._came_meanwhile >= LEAST_BYTES_A_SECOND * self._idle_seconds:
            self._came_meanwhile, self._waited_seconds = 0, 0.0
        elif self._waited_seconds > self._idle_seconds and size:
            raise _too_slow(f"Less than {LEAST_BYTES_A_SECOND} bytes a second came")


def expected_digests(headers: Headers) -> dict[str, bytes]:
    """The digests of `Content-Digest` that we can check, by algorithm."""
    found = {}
    for member in ",".join(headers.getlist("content-digest")).split(","):
        name, _, value = member.strip().partition("=")
        if name not in DIGESTS:
            continue
        try:
            digest = base64.b64decode(value.removeprefix(":").removesuffix(":"), validate=True)
        except binascii.Error:
            digest = b""
        if len(digest) != DIGESTS[name]().digest_size or f":{value[1:-1]}:" != value:
            raise InvalidRequest.field(
                "Content-Digest", f"write it as {name}=:<base64 of the digest>:"
            )
        found[name] = digest
    return found


def _too_slow(what: str) -> InvalidRequest:
    return InvalidRequest(f"{what}. Send the recording again.", status=408)


def _too_large(max_bytes: int) -> TooLarge:
    return TooLarge(f"Uploads of up to {max_bytes} bytes are taken; GET /limits says so too.")
