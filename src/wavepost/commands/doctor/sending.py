"""Checks of uploads: small, large, of unknown length, and what their links begin with."""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from wavepost.commands.doctor.account import EXPIRES_SECONDS, FILE_NAME, account
from wavepost.commands.doctor.noise import Noise
from wavepost.commands.doctor.refusals import ANY_SIZE, refused, shown
from wavepost.commands.doctor.verdicts import Check, Fault, NotTried
from wavepost.commands.doctor.visit import Answer, Visit, arriving
from wavepost.commands.doctor.wire import wire

SMALL = Noise(96 * 1024)
UNKNOWN = Noise(1024 * 1024)
LEAST_BYTES_A_SECOND = 50_000
SOMEBODY_ELSE = "wavepost-doctor.invalid"

FORWARDED = (
    "nginx: proxy_set_header X-Forwarded-Proto $scheme;",
    "nginx: proxy_set_header X-Forwarded-Host $http_host;",
    "wavepost: WAVEPOST_TRUSTED_PROXIES=<the proxy's address>",
)


def bare(visit: Visit) -> dict[str, str]:
    """The headers of an upload of bare bytes."""
    return {**visit.bearer, "Content-Type": "audio/wav"}


UPLOAD_PATH = f"/records?name={FILE_NAME}&expires_in={EXPIRES_SECONDS}"


def stored(what: str, noise: Noise, answer: Answer) -> dict[str, Any]:
    """The record of an upload. Raises Fault or NotTried where there is none, or a wrong one."""
    if answer.status != 201:
        raise refused(what, answer)
    return receipt(what, noise, answer.document)


def receipt(what: str, noise: Noise, record: Any) -> dict[str, Any]:
    """The same `record`, with its `link`, a path. Raises Fault where it is not that of `noise`."""
    try:
        source, mp3 = record["receipt"]["source"], record["receipt"]["mp3"]
        is_whole = (source["sha256"], source["samples"]) == (noise.sha256(), noise.samples)
        record_id, user_id = UUID(record["id"]), UUID(record["user"])
        # No MP3 is larger than its WAV here: what says so is nothing to wait for.
        is_an_mp3 = isinstance(mp3["sha256"], str) and 0 < record["bytes"] < noise.size_bytes
    except (KeyError, TypeError, ValueError, AttributeError):
        is_an_mp3 = False
    if not is_an_mp3:
        raise Fault(f"{what} was taken, but there is no receipt of it.")
    if not is_whole:
        raise Fault(
            f"{what} was changed on the way: its receipt has another SHA-256.",
            "Let nothing rewrite what is uploaded.",
        )
    return {**record, "link": f"/record?id={record_id}&user={user_id}"}


async def upload(visit: Visit) -> str:
    """A small WAV, as a form: what the pages and curl -F send."""
    assert visit.account is not None
    began = time.time()
    answer = await visit.ask(
        "POST",
        "/records",
        data={
            "user_id": visit.account.id,
            "access_token": visit.account.token,
            "expires_in": str(EXPIRES_SECONDS),
        },
        files={"record": (FILE_NAME, SMALL.whole(), "audio/wav")},
    )
    visit.recording = stored("A small WAV", SMALL, answer)
    visit.recording["uploaded_at"] = (began + time.time()) / 2
    return f"A form with {kilobytes(SMALL.size_bytes)} became an MP3 in {answer.seconds:.2f} s."


async def links(visit: Visit) -> str:
    """Whether links begin with the URL that was called."""
    link = str(visit.recording.get("url", ""))
    base = link.partition("/record?")[0]
    if base == visit.target.url:
        return "Links begin with this URL."
    try:
        theirs, ours = urlsplit(base), urlsplit(visit.target.url)
    except ValueError:
        raise Fault(f"Links can't be read: {shown(link)}.") from None
    public_url = f"wavepost: WAVEPOST_PUBLIC_URL={visit.target.url} (the surest), or all of these:"
    if (theirs.netloc, theirs.path) == (ours.netloc, ours.path):
        raise Fault(f"Links begin with {shown(theirs.scheme)}.", public_url, *FORWARDED)
    raise Fault(
        f"Links begin with {shown(base)}, which is not what you called.", public_url, *FORWARDED
    )


async def forged(visit: Visit) -> str:
    """Whether callers choose what links begin with, by a header that is for proxies to set."""
    headers = {**bare(visit), "X-Forwarded-Host": SOMEBODY_ELSE}
    answer = await visit.ask("POST", UPLOAD_PATH, headers, content=SMALL.whole())
    record = stored("A small WAV", SMALL, answer)
    if SOMEBODY_ELSE in str(record.get("url", "")):
        raise Fault(
            "The proxy passes X-Forwarded-Host on as its callers wrote it, and it is believed.",
            "nginx: proxy_set_header X-Forwarded-Host $http_host;",
        )
    return "What callers claim of themselves is not believed."


async def size(visit: Visit) -> str:
    """Whether as much may be announced as the service takes; nothing of it is sent."""
    most_bytes = int(visit.limits["max_upload_bytes"])
    headers = {"Content-Type": "audio/wav", "Content-Length": str(most_bytes)}
    async with wire(visit.target) as connection:
        await connection.begin(visit.target, "/records", headers)
        answer = await connection.answer(5)
    if answer and answer.status == 413:
        raise Fault(
            f"WAVs of {megabytes(most_bytes)} would be refused in front of the service, "
            "which takes them.",
            *ANY_SIZE,
        )
    return f"WAVs of up to {megabytes(most_bytes)} may come, as the service's limit is."


async def large(visit: Visit) -> str:
    """A WAV of many megabytes, all of it, and the MP3 back."""
    most_bytes = min(visit.plan.large_bytes, int(visit.limits["max_upload_bytes"]))
    if most_bytes < UNKNOWN.size_bytes:
        raise NotTried(f"The service takes no more than {most_bytes} bytes: nothing large.")
    noise = Noise(most_bytes, 44_100, 2)
    what = f"A WAV of {megabytes(most_bytes)}"
    headers = {**bare(visit), "Content-Length": str(noise.size_bytes)}
    answer = await _sent(visit, noise, headers)
    stored(what, noise, answer)
    speed = noise.size_bytes / answer.seconds
    return f"{what} came through in {answer.seconds:.1f} s, {megabytes(speed)} a second."


async def unknown_length(visit: Visit) -> str:
    """A WAV from a pipe, whose length nobody knows (`curl -T -`)."""
    answer = await _sent(visit, UNKNOWN, bare(visit))
    stored("A WAV of unknown length", UNKNOWN, answer)
    return "WAVs whose length is not known before come through."


async def _sent(visit: Visit, noise: Noise, headers: Mapping[str, str]) -> Answer:
    return await visit.ask(
        "POST",
        UPLOAD_PATH,
        headers,
        content=arriving(noise.pieces()),
        seconds=60 + noise.size_bytes / LEAST_BYTES_A_SECOND,
    )


def megabytes(count: float) -> str:
    """For people."""
    return f"{count / 1e6:,.0f} MB" if count >= 1e7 else f"{count / 1e6:.1f} MB"


def kilobytes(count: float) -> str:
    """For people."""
    return f"{count / 1000:.0f} kB"


ACCOUNT = Check("account", "finding somebody to upload as", account)
CHECKS = (
    ACCOUNT,
    Check("upload", "sending a small WAV", upload, ("account",)),
    Check("links", "reading the link", links, ("upload",)),
    Check("forged", "claiming to be somebody else", forged, ("upload",)),
    Check("size", "announcing a WAV as large as can be", size),
    Check("large", "sending a large WAV", large, ("account",)),
    Check("unknown-length", "sending a WAV of unknown length", unknown_length, ("account",)),
)
