"""What an answer that nobody hoped for means, and which line to change.

The service's own refusals have a code; whatever has none came from something in front of it.
"""

import ssl
from typing import TYPE_CHECKING, TypeVar

import httpx2

from wavepost.commands.doctor.verdicts import Fault, Hopeless, NotTried
from wavepost.commands.terminal import quoted

if TYPE_CHECKING:
    from wavepost.commands.doctor.visit import Answer

MAX_SHOWN = 200

Kind = TypeVar("Kind", bound=BaseException)

ANY_SIZE = (
    "nginx: client_max_body_size 0;",
    "Caddy: take request_body and its max_size out",
    "Cloudflare: 100 MB is the most on its free plan; send recordings past it (DNS only)",
)
STREAM = (
    "nginx: proxy_request_buffering off;",
    "nginx: proxy_http_version 1.1;",
    'nginx: proxy_set_header Connection "";',
)
LATE = (
    "nginx: proxy_read_timeout 300s;",
    "Cloudflare: it waits 100 seconds, whatever is set; send recordings past it (DNS only)",
)
SILENCE = (
    "nginx: client_body_timeout 60s;",
    "nginx: proxy_send_timeout 300s;",
    "Apache: RequestReadTimeout body=60,MinRate=250",
)
METHODS = ("nginx: take limit_except out, and conditions on $request_method",)

_FOREIGN: dict[int, tuple[str, ...]] = {
    401: ("nginx: auth_basic off;", "The service has its own tokens, in the same header."),
    403: ("A filter takes it for an attack: let POST, HEAD, PATCH and DELETE pass there.",),
    405: METHODS,
    408: SILENCE,
    411: STREAM,
    413: ANY_SIZE,
    429: ("nginx: take limit_req out; WAVEPOST_RATE_LIMIT and its like count users",),
    501: STREAM,
    502: ("nginx: does proxy_pass name the address and port on which wavepost listens?",),
    504: LATE,
    520: ("Cloudflare can't reach the server: see the log of the proxy behind it.",),
    522: ("Cloudflare can't reach the server: see the log of the proxy behind it.",),
    524: LATE,
}
_CONDITIONS = {
    "rate_limited": "Wait a minute, then run the doctor again.",
    "quota_exceeded": "Give WAVEPOST_TOKEN of a user with room left.",
}


def shown(text: object) -> str:
    """What somebody else wrote, short and in quotes."""
    return quoted(str(text)[:MAX_SHOWN])


def refused(what: str, answer: "Answer") -> Fault | NotTried:
    """What it means that `what` got this answer; to be raised."""
    detail = shown(answer.document.get("detail", ""))
    if answer.code in _CONDITIONS:
        return NotTried(f"{what} was refused: {detail}", _CONDITIONS[answer.code])
    if answer.code:
        return Fault(f"{what} was refused by the service: {answer.status}, {detail}")
    if 300 <= answer.status < 400:
        where = shown(answer.headers.get("location", ""))
        return Fault(f"{what} was sent on to {where}.", "Don't redirect what is sent there.")
    if 200 <= answer.status < 300:
        return Fault(f"{what} was answered with {answer.status}, but not by the service.")
    return Fault(
        f"{what} was refused in front of the service: {answer.status}.",
        *_FOREIGN.get(answer.status, ("See the proxy's own log.",)),
    )


def no_answer(method: str, path: str, seconds: float) -> Fault:
    """For a request that was given up."""
    return Fault(f"{method} {path.partition('?')[0]} was not answered in {seconds:.0f} s.", *LATE)


def unreachable(error: BaseException) -> Fault:
    """For a connection that can't be made, or breaks."""
    if certificate := _cause(error, ssl.SSLCertVerificationError):
        return Hopeless(f"The certificate is not good: {_said(certificate)}.", *_renew(certificate))
    if tls := _cause(error, ssl.SSLError):
        return Hopeless(
            f"TLS fails: {shown(tls.reason or tls)}.", "Is it https there, or rather http?"
        )
    if isinstance(error, httpx2.ConnectError):
        return Hopeless(f"Nobody can be reached there: {_said(error)}.", "Is the URL right?")
    return Fault(
        "The connection was closed before an answer came.",
        "See the proxy's own log for the reason.",
    )


def _cause(error: BaseException | None, kind: type[Kind]) -> Kind | None:
    """The first of this kind among all that led to `error`."""
    while error:
        if isinstance(error, kind):
            return error
        error = error.__cause__ or error.__context__
    return None


def _said(error: BaseException) -> str:
    reason = getattr(error, "verify_message", "") or str(error)
    return shown(reason).strip("'\"")


def _renew(error: ssl.SSLCertVerificationError) -> tuple[str, ...]:
    expired, self_signed = 10, (18, 19)
    if error.verify_code == expired:
        return ("Renew it: certbot renew, and reload the proxy.",)
    if error.verify_code in self_signed:
        return ("Is the authority your own? Name its file: --ca FILE",)
    if error.verify_code == 20:  # its issuer is unknown
        return (
            "nginx: ssl_certificate …/fullchain.pem; (not cert.pem)",
            "Is the authority your own? Name its file: --ca FILE",
        )
    return ("The certificate has to be for the name in the URL.",)
