"""One request whose bytes go out when they are told to, and whose answer may come before its end.

A client library sends a body as fast as it can, and looks for the answer afterwards.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

import h11
import httpx2

from wavepost.commands.doctor.refusals import unreachable
from wavepost.commands.doctor.target import Target
from wavepost.commands.doctor.verdicts import Fault
from wavepost.commands.doctor.visit import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    MAX_ANSWER_BYTES,
    Answer,
)

READ_BYTES = 64 * 1024


class Wire:
    """A connection with one request on it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT)
        self._head: h11.Response | None = None
        self._body = bytearray()

    @property
    def tls(self) -> ssl.SSLObject | None:
        """What was agreed on for TLS; None where it is plain HTTP."""
        found: ssl.SSLObject | None = self._writer.get_extra_info("ssl_object")
        return found

    async def begin(self, target: Target, path: str, headers: Mapping[str, str]) -> None:
        """Send the headers of a POST."""
        sent = {"Host": target.authority, "User-Agent": "wavepost-doctor", **headers}
        request = h11.Request(method="POST", target=target.path + path, headers=list(sent.items()))
        await self._write(self._http.send(request))

    async def send(self, piece: bytes) -> bool:
        """Send a part of the body; whether the other side still takes any."""
        with suppress(OSError):
            await self._write(self._http.send(h11.Data(data=piece)))
            return not self._writer.is_closing()
        return False

    async def end(self) -> None:
        """Say that the body has come to its end."""
        with suppress(OSError):
            await self._write(self._http.send(h11.EndOfMessage()))

    async def answer(self, seconds: float) -> Answer | None:
        """The answer, or None where it is not here in this time; what is here is kept for later.

        Raises Fault where the connection breaks, or the answer has no end.
        """
        try:
            async with asyncio.timeout(seconds):
                while not isinstance(event := await self._next(), h11.EndOfMessage):
                    self._take(event)
        except TimeoutError:
            return None
        except (h11.RemoteProtocolError, OSError) as error:
            raise unreachable(error) from error
        assert self._head is not None
        headers = httpx2.Headers(list(self._head.headers))
        return Answer(self._head.status_code, headers, bytes(self._body))

    def _take(self, event: h11.Event) -> None:
        if isinstance(event, h11.Response):
            self._head = event
        elif isinstance(event, h11.Data):
            self._body += event.data
            if len(self._body) > MAX_ANSWER_BYTES:
                raise Fault("POST /records was answered without end.")

    async def _next(self) -> h11.Event:
        while not isinstance(event := self._http.next_event(), h11.Event):
            if event is h11.PAUSED:
                raise h11.RemoteProtocolError("there is more than one answer")
            self._http.receive_data(await self._reader.read(READ_BYTES))
        return event

    async def _write(self, data: bytes | None) -> None:
        self._writer.write(data or b"")
        # Who takes nothing for so long is as good as gone; TimeoutError is an OSError.
        async with asyncio.timeout(ANSWER_SECONDS):
            await self._writer.drain()


@asynccontextmanager
async def wire(target: Target) -> AsyncIterator[Wire]:
    """A new connection for as long as the context lasts. Raises Fault where there is none."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            name = target.host if target.tls else None
            reader, writer = await asyncio.open_connection(
                target.host, target.port, ssl=target.tls, server_hostname=name
            )
    except OSError as error:  # TimeoutError is one
        raise unreachable(httpx2.ConnectError(str(error))) from error
    try:
        yield Wire(reader, writer)
    finally:
        writer.transport.abort()
