"""What wraps every request: its id, its line in the log, a limit on bodies that are not WAVs."""

import asyncio
import logging
import re
import secrets
import time
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wavepost import errors
from wavepost.web.problems import CutOff, problem

log = logging.getLogger("wavepost.access")

MAX_LOGGED_METHOD, MAX_LOGGED_PATH = 20, 200
_ID = re.compile(r"[0-9a-f]{8}(?:-|%2d)[0-9a-f-]+(?:%2d[0-9a-f-]+)*", re.IGNORECASE)

SMALL_BODY_BYTES = 64 * 1024
"""More than any body but a recording needs; the framework reads such bodies into memory."""

SMALL_BODY_SECONDS = 30
DRAIN_SECONDS = 30


class RequestLog:
    """Gives each request an id, logs it without its query (a link is a secret), and catches all.

    Nothing gets past it to the server: an error that nobody foresaw is logged with its
    traceback, and the caller learns the request id alone.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(16)
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.monotonic()
        status = 0
        body = _Arriving(scope, receive)

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                await body.drain_if_closing()
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        try:
            await self._app(scope, body.receive, send_with_id)
        except asyncio.CancelledError:
            # The server stops, and this request's time to end well is over.
            stopping = errors.Busy("The server is stopping. Send this again in a moment.")
            if not status:
                await problem(stopping, request_id)(scope, receive, send_with_id)
        except CutOff as cut:
            log.info("request %s was cut off: %s", request_id, cut)
        except Exception:
            log.exception("request %s failed", request_id)
            # An answer under way can't be mended; the server closes the connection instead.
            if not status:
                await problem(errors.Internal(), request_id)(scope, receive, send_with_id)
        finally:
            log.info(
                "%s %s %s %.0f ms %s",
                scope["method"][:MAX_LOGGED_METHOD],
                _shown(scope["raw_path"].decode("latin1")),
                status or "-",
                1000 * (time.monotonic() - started),
                request_id,
            )


def _shown(path: str) -> str:
    """The path without ids: a mangled link has its query there."""
    return _ID.sub("{id}", path[:MAX_LOGGED_PATH])


class _Arriving:
    """A body on its way, read to its end before an answer that closes the connection.

    A connection that is closed with input unread is reset, and the sender may lose the answer:
    with `Connection: close`, Python's urllib lost every refusal of 46 MB.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        headers = Headers(scope=scope)
        self._receive = receive
        self._more = _announces_body(headers)
        self._closes = scope["http_version"] == "1.0" or "close" in headers.get("connection", "")
        self._waits = "expect" in headers

    async def receive(self) -> Message:
        message = await self._receive()
        self._more = message.get("more_body", False)
        return message

    async def drain_if_closing(self) -> None:
        if self._closes and not self._waits:
            with suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_SECONDS):
                    while self._more:
                        await self.receive()


class SmallBodies:
    """Refuses bodies over `SMALL_BODY_BYTES`; recordings have limits of their own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _takes_recordings(scope):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not _announces_body(headers):
            await self._app(scope, receive, send)
            return
        body: bytes | None
        try:
            body = await _read_small(headers, receive)
        except errors.WavepostError as error:
            await problem(error, scope["state"]["request_id"])(scope, receive, send)
            return

        async def receive_again() -> Message:
            nonlocal body
            if body is None:
                return await receive()
            whole, body = body, None
            return {"type": "http.request", "body": whole, "more_body": False}

        await self._app(scope, receive_again, send)


def _takes_recordings(scope: Scope) -> bool:
    if scope["path"].startswith("/uploads"):
        return scope["method"] in ("POST", "PATCH")
    return bool((scope["method"], scope["path"]) == ("POST", "/records"))


def _announces_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


async def _read_small(headers: Headers, receive: Receive) -> bytes:
    """The body. Raises CutOff, InvalidRequest (408), or TooLarge, at once where it is announced."""
    too_large = errors.TooLarge(
        f"Send at most {SMALL_BODY_BYTES} bytes here; recordings go to POST /records."
    )
    if int(headers.get("content-length", "0")) > SMALL_BODY_BYTES:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(SMALL_BODY_SECONDS):
            more = True
            while more and len(body) <= SMALL_BODY_BYTES:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise CutOff("its sender hung up")
                body += message.get("body", b"")
                more = message.get("more_body", False)
    except TimeoutError:
        detail = "The body did not come in time. Send it again."
        raise errors.InvalidRequest(detail, status=408) from None
    if len(body) > SMALL_BODY_BYTES:
        raise too_large
    return bytes(body)
