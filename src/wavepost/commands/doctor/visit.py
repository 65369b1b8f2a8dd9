"""Asks the service, within bounds: its answers are a stranger's.

No redirect is followed, for a token is on its way. Each request has a connection of its own, for
one that a proxy has just closed would look like a fault.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import TracebackType
from typing import Any, Self

import httpx2

from wavepost.commands.doctor.refusals import no_answer, unreachable
from wavepost.commands.doctor.target import Target
from wavepost.commands.doctor.verdicts import Fault

MAX_ANSWER_BYTES = 1024**2
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 30.0
"""For a whole answer: also one that comes a byte at a time."""


@dataclass(frozen=True)
class Plan:
    """How much is sent, and how slowly."""

    large_bytes: int
    slow_seconds: float


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        seconds: how long it took, from the call to the answer's end.
    """

    status: int
    headers: httpx2.Headers
    body: bytes
    seconds: float = 0.0

    @cached_property
    def document(self) -> dict[str, Any]:
        """The JSON object that it is; empty for all else."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def media_type(self) -> str:
        """What it says that it is."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def code(self) -> str:
        """The code of wavepost's own error; empty where somebody else answered."""
        if self.media_type != "application/problem+json":
            return ""
        code = self.document.get("code", "")
        return code if isinstance(code, str) else ""

    @property
    def is_the_services(self) -> bool:
        """Whether it came from wavepost, as far as can be told."""
        return bool(self.code) or "x-request-id" in self.headers


@dataclass
class Account:
    """Who uploads during the visit.

    Attributes:
        is_made: whether the doctor registered this user.
    """

    id: str
    token: str
    is_made: bool


@dataclass
class Visit:
    """One run of the doctor: where, how, and what the checks have learned so far."""

    target: Target
    plan: Plan
    given_token: str = ""
    limits: dict[str, Any] = field(default_factory=dict)
    account: Account | None = None
    recording: dict[str, Any] = field(default_factory=dict)
    skew_seconds: list[float] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self._client = httpx2.AsyncClient(
            verify=self.target.tls or False,
            timeout=httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            limits=httpx2.Limits(max_keepalive_connections=0),
            headers={"User-Agent": "wavepost-doctor", "Accept-Encoding": "identity"},
            # What is meant is the way to this URL, not the one through somebody's HTTP_PROXY.
            trust_env=False,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    @property
    def bearer(self) -> dict[str, str]:
        """The Authorization header; none before there is an account."""
        return {"Authorization": f"Bearer {self.account.token}"} if self.account else {}

    async def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] = {},
        *,
        most_bytes: int = MAX_ANSWER_BYTES,
        seconds: float = ANSWER_SECONDS,
        **content: Any,
    ) -> Answer:
        """The answer. Raises Fault where there is none, none in time, or one without end."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(seconds):
                return await self._ask(method, path, headers, most_bytes, started, content)
        except (TimeoutError, httpx2.TimeoutException):
            raise no_answer(method, path, time.monotonic() - started) from None
        except httpx2.TransportError as error:
            raise unreachable(error) from error

    async def _ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        most_bytes: int,
        started: float,
        content: dict[str, Any],
    ) -> Answer:
        url = self.target.url + path
        async with self._client.stream(method, url, headers=dict(headers), **content) as response:
            body = bytearray()
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > most_bytes:
                    raise Fault(f"{method} {path.partition('?')[0]} was answered without end.")
            seconds = time.monotonic() - started
            return Answer(response.status_code, response.headers, bytes(body), seconds)


async def arriving(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The same pieces, for a request's body."""
    for piece in pieces:
        yield piece
