"""What wraps every request: its id, its line in the log, a limit on bodies that are not WAVs."""

import asyncio
import logging
import time
import uuid

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wavepost import errors
from wavepost.web.problems import problem

log = logging.getLogger("wavepost.access")

SMALL_BODY_BYTES = 64 * 1024
"""More than any body but a recording needs; the framework reads such bodies into memory."""


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
        request_id = uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.monotonic()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except asyncio.CancelledError:
            # The server stops, and this request's time to end well is over.
            stopping = errors.Busy("The server is stopping. Send this again in a moment.")
            if not status:
                await problem(stopping, request_id)(scope, receive, send_with_id)
        except Exception:
            log.exception("request %s failed", request_id)
            if status:
                # The answer is under way and can't be mended: cutting it off says so.
                raise
            await problem(errors.Internal(), request_id)(scope, receive, send_with_id)
        finally:
            log.info(
                "%s %s %s %.0f ms %s",
                scope["method"],
                scope["raw_path"].decode("latin1"),
                status or "-",
                1000 * (time.monotonic() - started),
                request_id,
            )


class SmallBodies:
    """Refuses bodies over `SMALL_BODY_BYTES`; recordings have limits of their own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or (scope["method"], scope["path"]) == ("POST", "/records"):
            await self._app(scope, receive, send)
            return
        body = await _read_small(Headers(scope=scope), receive)
        if body is None:
            detail = f"Send at most {SMALL_BODY_BYTES} bytes here; recordings go to POST /records."
            refusal = problem(errors.TooLarge(detail), scope["state"]["request_id"])
            await refusal(scope, receive, send)
            return

        async def receive_again() -> Message:
            nonlocal body
            if body is None:
                return await receive()
            whole, body = body, None
            return {"type": "http.request", "body": whole, "more_body": False}

        await self._app(scope, receive_again, send)


async def _read_small(headers: Headers, receive: Receive) -> bytes | None:
    """The body, or None where it is too large; where its length is known, before it is read."""
    if int(headers.get("content-length", "0")) > SMALL_BODY_BYTES:
        return None
    body = bytearray()
    while len(body) <= SMALL_BODY_BYTES:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)
    return None
