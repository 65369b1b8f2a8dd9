"""HTTP: the token, the time limits, and the server's answers or what came instead of them."""

import json
import re
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpx2

from wavepost import __version__
from wavepost.client.errors import KINDS, NotWavepost, Refused, Unreachable

CONNECT_SECONDS = 10.0
STALL_SECONDS = 60.0
"""A server that takes nothing more for so long is gone, though its machine has not said so."""

MAX_ANSWER_BYTES = 16 * 1024**2
"""A page of a hundred records with their receipts has a few hundred KiB."""

MAX_DETAIL_CHARACTERS = 1000
HEAD_CODES = {401: "unauthorized", 404: "not_found", 410: "not_found", 429: "rate_limited"}
"""The answers to HEAD have no body that could say so."""


@dataclass(frozen=True)
class Answered:
    """An answer of wavepost's that is no refusal."""

    status: int
    headers: httpx2.Headers
    body: bytes

    def json(self) -> dict[str, Any]:
        """The JSON object in it. Raises NotWavepost where it holds none."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise _not_wavepost(self.status)
        return value

    def offset(self, name: str = "upload-offset") -> int:
        """A header that holds a number. Raises NotWavepost where it does not."""
        value = self.headers.get(name, "")
        if not re.fullmatch(r"[0-9]{1,18}", value):
            raise _not_wavepost(self.status)
        return int(value)


class Connection:
    """To one server, in the name of who has the token. Threads may share it.

    Redirects are not followed: they could lead the token, or the recording, anywhere.
    """

    def __init__(self, server: str, token: str | None, timeout_seconds: float) -> None:
        """Raises ValueError for an address or a token that can be none."""
        self.server = checked_server(server)
        if token is not None and not re.fullmatch(r"[!-~]{1,1000}", token):
            raise ValueError("The token holds something that no token has: copy it again.")
        self._token = token
        self._http = httpx2.Client(
            timeout=httpx2.Timeout(
                timeout_seconds,
                connect=min(timeout_seconds, CONNECT_SECONDS),
                write=min(timeout_seconds, STALL_SECONDS),
            ),
            headers={"User-Agent": f"wavepost/{__version__}"},
            limits=httpx2.Limits(max_connections=None),
        )

    def close(self) -> None:
        """Let go of what is open."""
        self._http.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: Iterable[bytes] | bytes | None = None,
        token: str | None = None,
    ) -> Answered:
        """One request; `token` in place of the connection's own.

        Raises Refused, Unreachable, and whatever `content` does.
        """
        url, query = f"{self.server}{path}", query or None
        sent = dict(headers or {})
        if token := token or self._token:
            sent["Authorization"] = f"Bearer {token}"
        with (
            _translated(self.server),
            self._http.stream(method, url, params=query, headers=sent, content=content) as answer,
        ):
            return _looked_at(answer)

    @contextmanager
    def fetch(self, link: str, headers: Mapping[str, str]) -> Iterator[httpx2.Response]:
        """The answer to a link, as it arrives; the link alone opens it, so no token goes along.

        Raises Refused and Unreachable, also while it is read.
        """
        host = _host(link)
        sent = {"Accept-Encoding": "identity", **headers}
        with _translated(host), self._http.stream("GET", link, headers=sent) as answer:
            if answer.status_code not in (200, 206):
                _looked_at(answer)
                raise _not_wavepost(answer.status_code)
            yield answer


def checked_server(server: str) -> str:
    """The server's address, without a slash at its end. Raises ValueError."""
    sentence = "Write the server as https://host, with a port or a path if need be."
    parts = _parts(server, sentence)
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("Leave user, password, ? and # out of the server's address.")
    return server.rstrip("/")


def _host(link: str) -> str:
    parts = _parts(link, "A link begins with http:// or https:// and a host, and has no spaces.")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _parts(address: str, otherwise: str) -> SplitResult:
    """What an address is made of. Raises ValueError, which says `otherwise`."""
    try:
        parts = urlsplit(address)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that don't close, a port that is none
        has_host = False
    if not has_host or not re.fullmatch(r"https?://[!-~]+", address):
        raise ValueError(otherwise)
    return parts


@contextmanager
def _translated(server: str) -> Iterator[None]:
    """The HTTP library's errors as ours."""
    try:
        yield
    except httpx2.TimeoutException:
        raise Unreachable(f"{server} did not answer in time.") from None
    except httpx2.TransportError as error:
        if _is_distrust(error):
            sentence = f"{server} has no certificate that can be trusted: {error}."
            raise Unreachable(sentence, passes=False) from error
        raise Unreachable(f"{server} can't be reached: {_reason(error)}.") from error
    except (httpx2.InvalidURL, httpx2.DecodingError) as error:
        raise Unreachable(f"{server} can't be asked: {error}.", passes=False) from error


def _reason(error: httpx2.TransportError) -> str:
    if isinstance(error, httpx2.ConnectError):
        return re.sub(r"^\[Errno -?[0-9]+\] ", "", str(error)) or "no connection"
    return "the connection broke"


def _is_distrust(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _looked_at(answer: httpx2.Response) -> Answered:
    """The answer, read. Raises Refused or NotWavepost where it is no success."""
    body = bytearray()
    for piece in answer.iter_bytes():
        body += piece
        if len(body) > MAX_ANSWER_BYTES:
            raise _not_wavepost(answer.status_code)
    if answer.is_success:
        return Answered(answer.status_code, answer.headers, bytes(body))
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        raise _refused(answer, bytes(body))
    raise _not_wavepost(answer.status_code, answer.headers)


def _refused(answer: httpx2.Response, body: bytes) -> Refused | NotWavepost:
    status = answer.status_code
    said = _problem(answer.request.method, status, body)
    if said is None:
        return _not_wavepost(status, answer.headers)
    code, detail = said
    kind = KINDS.get(code, Refused)
    request_id = answer.headers.get("x-request-id", "")[:100]
    return kind(code, status, detail, request_id, _retry_after(answer.headers))


def _problem(method: str, status: int, body: bytes) -> tuple[str, str] | None:
    """The code and the sentence, or None where it is no problem as ours are."""
    if method == "HEAD":
        return HEAD_CODES.get(status, "busy"), f"The server answered {status}."
    try:
        problem = json.loads(body)
        code, detail = problem["code"], problem["detail"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if not isinstance(code, str) or not isinstance(detail, str):
        return None
    return code[:100], detail[:MAX_DETAIL_CHARACTERS]


def _retry_after(headers: httpx2.Headers) -> float | None:
    """In seconds; a date, which HTTP allows too, is left to our own pace."""
    value = headers.get("retry-after", "")
    return float(value) if re.fullmatch(r"[0-9]{1,9}", value) else None


def _not_wavepost(status: int, headers: httpx2.Headers | None = None) -> NotWavepost:
    headers = headers if headers is not None else httpx2.Headers()
    if 300 <= status < 400:
        target = repr(headers.get("location", "")[:200])
        sentence = f"The server leads on to {target}, and is not followed: give that address."
    elif status == 413:
        sentence = (
            "Something in front of the server refuses requests of this size (413). Its operator "
            "can allow more; nginx: client_max_body_size 0."
        )
    elif status in (502, 503, 504):
        sentence = f"Something in front of the server can't reach it ({status})."
    else:
        sentence = f"What answered ({status}) is no wavepost server: look at the address."
    return NotWavepost(sentence, status, _retry_after(headers))
