"""Checks of the way to the service: who answers, how safely, when, and in whose words."""

import ssl
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from wavepost.commands.doctor.refusals import METHODS, refused, shown
from wavepost.commands.doctor.verdicts import Check, Fault, Hopeless
from wavepost.commands.doctor.visit import Answer, Visit
from wavepost.commands.doctor.wire import wire

MAX_SKEW_SECONDS = 30
DAY_SECONDS = 86_400
LEAST_DAYS = 14
"""Certificates are renewed a month before their end, as a rule; a short one's at a third of it."""

NO_RECORD = "/record?id=wavepost-doctor&user=wavepost-doctor"
NO_UPLOAD = "/uploads/00000000-0000-4000-8000-000000000000"


async def service(visit: Visit) -> str:
    """Whether a wavepost is there at all, and can serve."""
    answer = await _limits(visit)
    if 300 <= answer.status < 400:
        where = shown(answer.headers.get("location", "").removesuffix("/limits"))
        raise Hopeless(f"{visit.target.url} sends its callers on to {where}.", "Give that URL.")
    most_bytes = answer.document.get("max_upload_bytes")
    if answer.status != 200 or type(most_bytes) is not int or not 0 < most_bytes < 2**63:
        raise _no_wavepost(visit, answer)
    visit.limits = answer.document
    ready = await visit.ask("GET", "/readyz")
    if "checks" in ready.document and ready.status == 503:
        failing = shown(ready.document["checks"])
        raise Fault(f"wavepost answers, but can't serve: {failing}.", "See the service's log.")
    if ready.status != 200:
        raise refused("GET /readyz", ready)
    return "wavepost answers, and is ready."


async def _limits(visit: Visit) -> Answer:
    """What all else goes by: without it, nothing can be said."""
    began = time.time()
    try:
        answer = await visit.ask("GET", "/limits")
    except Fault as fault:
        raise Hopeless(fault.sentence, *fault.advice) from fault
    _note_time(visit, answer, (began + time.time()) / 2)
    return answer


def _no_wavepost(visit: Visit, answer: Answer) -> Hopeless:
    if answer.status >= 400:
        fault = refused("GET /limits", answer)
        return Hopeless(fault.sentence, *fault.advice)
    return Hopeless(
        f"That is no wavepost: {visit.target.url}/limits is {shown(answer.media_type)}.",
        "Give the URL that the pages have, without what follows the last slash.",
    )


def _note_time(visit: Visit, answer: Answer, ours: float) -> None:
    """A header has whole seconds: it is half a second old on average."""
    try:
        date = parsedate_to_datetime(answer.headers.get("date", ""))
        visit.skew_seconds.append(date.replace(tzinfo=UTC).timestamp() + 0.5 - ours)
    except (ValueError, OverflowError):
        return


async def tls(visit: Visit) -> str:
    """Whether nobody can listen on the way, and for how long the certificate is good."""
    if not visit.target.tls:
        if visit.target.is_this_machine:
            return "Plain HTTP, which does not leave this machine."
        raise Fault(
            "Plain HTTP: tokens, links and recordings can be read on the way.",
            "nginx: listen 443 ssl; as in deploy/nginx.conf",
            "Caddy: it gets certificates by itself; see deploy/Caddyfile",
        )
    async with wire(visit.target) as connection:
        peer = connection.tls
    assert peer is not None
    return f"{peer.version()}; the certificate is good for {_days_left(peer)} more days."


def _days_left(peer: ssl.SSLObject) -> int:
    certificate = peer.getpeercert() or {}
    begins, ends = (
        ssl.cert_time_to_seconds(str(certificate[name])) for name in ("notBefore", "notAfter")
    )
    left = (ends - time.time()) / DAY_SECONDS
    if left < min(LEAST_DAYS, (ends - begins) / DAY_SECONDS / 4):
        raise Fault(
            f"The certificate ends in {left:.1f} days: nothing seems to renew it.",
            "certbot renew, and look at systemctl list-timers",
        )
    return int(left)


async def clock(visit: Visit) -> str:
    """Whether both clocks agree: of the proxy, by its header; of the service, by its records."""
    if created := visit.recording.get("created_at"):
        _note_creation(visit, str(created))
    if not visit.skew_seconds:
        raise Fault("Answers have no Date header.", "Leave the Date header as it is.")
    worst = max(visit.skew_seconds, key=abs)
    if abs(worst) > MAX_SKEW_SECONDS:
        way = "ahead of" if worst > 0 else "behind"
        raise Fault(
            f"The clock there is {abs(worst):.0f} s {way} this machine's: one of them is wrong.",
            "On the one that is wrong: timedatectl set-ntp true",
        )
    return f"The clocks agree to {max(1, round(abs(worst)))} s."


def _note_creation(visit: Visit, created: str) -> None:
    try:
        made = datetime.fromisoformat(created).timestamp()
        visit.skew_seconds.append(made - float(visit.recording["uploaded_at"]))
    except (ValueError, OverflowError):
        return


async def errors(visit: Visit) -> str:
    """Whether the service's own refusals arrive, for they say what to do."""
    answer = await visit.ask("GET", NO_RECORD)
    if answer.code == "not_found":
        return "Errors arrive as the service wrote them."
    if answer.status == 404:
        raise Fault(
            "Errors of the service are replaced by the proxy's own pages.",
            "nginx: proxy_intercept_errors off;",
            "Caddy: take handle_response and handle_errors out",
        )
    raise refused("A link to nothing", answer)


async def methods(visit: Visit) -> str:
    """Whether each method reaches the service; those of resumable uploads only where it has them.

    Without a token: it is refused in any case, but in the service's words.
    """
    tried = [("DELETE", "/users/me"), ("OPTIONS", "/uploads")]
    options = await visit.ask("OPTIONS", "/uploads")
    resumable = "tus-resumable" in options.headers
    if resumable:
        tried += [("POST", "/uploads"), ("PATCH", NO_UPLOAD), ("DELETE", NO_UPLOAD)]
        tried += [("HEAD", NO_UPLOAD)]
    for method, path in tried:
        answer = await visit.ask(method, path, {"Tus-Resumable": "1.0.0"})
        if not (answer.is_the_services or "tus-resumable" in answer.headers):
            raise Fault(f"{method} does not reach the service: {answer.status}.", *METHODS)
    return "All methods reach the service" + (", resumable uploads too." if resumable else ".")


CHECKS = (
    Check("service", "asking who is there", service),
    Check("tls", "looking at the certificate", tls),
    Check("errors", "asking for what is not there", errors),
    Check("methods", "trying the methods", methods),
)
CLOCK = Check("clock", "comparing the clocks", clock)
