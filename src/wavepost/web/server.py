"""Runs the web: binds, says where it listens, and stops when told to."""

import asyncio
import logging
import secrets
import signal
import socket
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from wavepost.bootstrap import CannotStart, open_service
from wavepost.errors import InvalidRequest
from wavepost.settings import Settings
from wavepost.web.app import create_app
from wavepost.web.problems import problem
from wavepost.web.security import ALWAYS

log = logging.getLogger("wavepost.access")

BACKLOG = 2048
WRITE_BUFFER_BYTES = 512 * 1024

BEGIN_SECONDS = 30
"""How long a connection may take at most to send a request's headers, or the rest of one that was
answered already."""


async def serve(settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; `announce` gets the address once requests are answered.

    Raises CannotStart: the port is taken, the data folder can't be written, ….
    """
    with listening_socket(settings.host, settings.port) as listener:
        async with open_service(settings) as service:
            config = uvicorn.Config(
                create_app(service),
                lifespan="off",
                ws="none",
                http=partial(_Protocol, min(BEGIN_SECONDS, settings.idle_seconds)),  # type: ignore[arg-type]
                access_log=False,  # it would write whole links into the log; RequestLog doesn't
                proxy_headers=False,  # it trusts every local peer; TrustedProxies doesn't
                server_header=False,
                log_config=None,
                log_level=logging.WARNING,
                timeout_graceful_shutdown=settings.shutdown_seconds,
            )
            # uvicorn raises the signal again once it has stopped; by then it is dealt with.
            for stop in (signal.SIGINT, signal.SIGTERM):
                signal.signal(stop, lambda *_: None)
            await _Server(config, listener, announce).serve(sockets=[listener])


class _Protocol(H11Protocol):
    """Gives callers a time to begin, and errors our shape also where there was no request.

    h11, for it bounds headers, trailers and chunk extensions (64 KiB); httptools does not. It
    costs 0.1 s of CPU more for 600 MB of upload.
    """

    def __init__(self, begin_seconds: float, **of_uvicorn: Any) -> None:
        super().__init__(**of_uvicorn)
        self._begin_seconds = begin_seconds
        self._until_request: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let two chunks of a download wait for the kernel: fewer steps for each of them."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Clean up."""
        self._unwatch()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Give a caller who is new, or who sends, a time to come to the end of a request's headers.

        While one is served, the application watches over its body itself; a connection that rests
        between two is uvicorn's to close.
        """
        if self.cycle is not None and not self.cycle.response_complete:
            self._unwatch()
        elif self._until_request is None and not self.transport.is_closing():
            self._until_request = self.loop.call_later(self._begin_seconds, self._give_up)

    def _unwatch(self) -> None:
        if self._until_request is not None:
            self._until_request.cancel()
            self._until_request = None

    def _give_up(self) -> None:
        if self.conn.our_state is h11.IDLE and self.conn.trailing_data[0]:
            self._refuse(f"No whole request came in {self._begin_seconds:g} seconds.", 408)
        else:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Refuse what can't be parsed, and hang up."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            # The answer went out already; this is what came behind it.
            self.transport.close()
            return
        self._refuse(f"{msg} Send HTTP/1.1 with headers of up to 64 KiB.", 400)

    def _refuse(self, detail: str, status: int) -> None:
        request_id = secrets.token_hex(16)
        refusal = InvalidRequest(detail, status=status)
        headers = {"X-Request-Id": request_id, "Connection": "close", **ALWAYS}
        answer = problem(refusal, request_id, headers)
        log.info("no request, %d: %s %s", status, detail, request_id)
        reason = HTTPStatus(status).phrase.encode()
        head = h11.Response(status_code=status, headers=answer.raw_headers, reason=reason)
        for event in (head, h11.Data(data=bytes(answer.body)), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


class _Server(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, listener: socket.socket, announce: Callable[[str], None]
    ) -> None:
        super().__init__(config)
        self._listener = listener
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce(_address(self._listener))


def listening_socket(host: str, port: int) -> socket.socket:
    """A bound socket. Raises CannotStart where the address is taken or not ours."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        raise CannotStart(
            f"Can't listen on {host}:{port}: {_reason(error)}. "
            "Name another with --port or --host, or with WAVEPOST_PORT."
        ) from error


def _reason(error: OSError) -> str:
    # `create_server` appends the address to the system's words, and getaddrinfo's are not errno's.
    return (error.strerror or str(error)).partition(" (while")[0]


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
