"""Checks of downloads: whole, in part, by their size alone, and never from somebody's cache."""

import hashlib
from typing import Any

from wavepost.commands.doctor.noise import Noise
from wavepost.commands.doctor.refusals import METHODS, refused
from wavepost.commands.doctor.sending import UPLOAD_PATH, bare, stored
from wavepost.commands.doctor.verdicts import Check, Fault
from wavepost.commands.doctor.visit import Answer, Visit

OTHER = Noise(80 * 1024)
PART = (1000, 2999)

NO_CACHE = (
    "nginx: proxy_cache off;",
    "Cloudflare: Cache Rules, Bypass cache for everything there",
)
NO_GZIP = (
    "nginx: gzip_types without audio/mpeg and *",
    "Caddy: encode with a match that leaves audio/mpeg out",
)


async def download(visit: Visit) -> str:
    """The whole MP3, as its receipt has it, with headers that players go by."""
    record = visit.recording
    answer = await _fetched(visit, record, {"Accept-Encoding": "gzip, br, zstd"})
    if "content-encoding" in answer.headers:
        raise Fault(
            "MP3s are compressed once more on the way, so players can't find places in them.",
            *NO_GZIP,
        )
    _compare(record, answer)
    sha256 = record["receipt"]["mp3"]["sha256"]
    _insist(answer, "Content-Type", "audio/mpeg")
    _insist(answer, "Content-Length", str(record["bytes"]))
    _insist(answer, "ETag", f'"{sha256}"')
    return f"The MP3 is what its receipt says, all {record['bytes']:,} bytes."


def _compare(record: dict[str, Any], answer: Answer) -> None:
    if hashlib.sha256(answer.body).hexdigest() != record["receipt"]["mp3"]["sha256"]:
        raise Fault(
            f"The link gave other bytes ({len(answer.body)}) than its receipt has "
            f"({record['bytes']}).",
            "nginx: sub_filter and the like must leave audio/mpeg alone",
            *NO_CACHE,
        )


def _insist(answer: Answer, name: str, value: str) -> None:
    if answer.headers.get(name, "") != value:
        raise Fault(
            f"The header {name} of MP3s is lost or changed on the way.",
            f"nginx: take proxy_hide_header {name} out, and filters that change the body",
        )


async def _fetched(
    visit: Visit, record: dict[str, Any], headers: dict[str, str], status: int = 200
) -> Answer:
    answer = await visit.ask("GET", record["link"], headers, most_bytes=2 * record["bytes"] + 4096)
    if answer.status != status:
        raise refused("A download", answer)
    return answer


async def parts(visit: Visit) -> str:
    """A part of the MP3, by Range: what players ask for, and downloads that go on."""
    record = visit.recording
    first, last = PART
    whole = await _fetched(visit, record, {})
    wanted = {"Range": f"bytes={first}-{last}", "If-Range": whole.headers.get("etag", "")}
    answer = await visit.ask("GET", record["link"], wanted, most_bytes=2 * record["bytes"] + 4096)
    if answer.status == 200:
        raise Fault(
            "Range is lost on the way: players can't jump, and downloads can't go on.",
            "nginx: proxy_set_header Range $http_range;",
            "nginx: proxy_set_header If-Range $http_if_range;",
            "nginx: take max_ranges 0; out",
        )
    if answer.status != 206:
        raise refused("A part of an MP3", answer)
    said = answer.headers.get("content-range", "")
    if answer.body != whole.body[first : last + 1] or not said.startswith(f"bytes {first}-{last}/"):
        raise Fault("A part of an MP3 came as another part than was asked for.", *NO_CACHE)
    return "Parts of MP3s come as they are asked for."


async def head(visit: Visit) -> str:
    """The size of an MP3 alone, by HEAD."""
    answer = await visit.ask("HEAD", visit.recording["link"])
    if answer.status != 200:
        raise Fault(f"HEAD does not reach the service: {answer.status}.", *METHODS)
    _insist(answer, "Content-Length", str(visit.recording["bytes"]))
    return "HEAD says how large an MP3 is."


async def caches(visit: Visit) -> str:
    """Whether somebody on the way keeps answers, and gives them to whom they don't belong."""
    await _keeps_no_account(visit)
    first = await _fetched(visit, visit.recording, {})
    again = await _fetched(visit, visit.recording, {})
    request_ids = {first.headers.get("x-request-id"), again.headers.get("x-request-id")}
    if len(request_ids) == 1 and None not in request_ids:
        raise Fault("A cache on the way answers links, also of what was removed.", *NO_CACHE)
    sent = await visit.ask("POST", UPLOAD_PATH, bare(visit), content=OTHER.whole())
    other = stored("A small WAV", OTHER, sent)
    _compare(other, await _fetched(visit, other, {}))
    await visit.ask("DELETE", f"/records/{other['id']}", visit.bearer)
    gone = await visit.ask("GET", other["link"], most_bytes=2 * other["bytes"] + 4096)
    if gone.status != 404:
        raise Fault("A recording that was removed can still be downloaded.", *NO_CACHE)
    return "No cache answers: what is removed is gone at once."


async def _keeps_no_account(visit: Visit) -> None:
    await visit.ask("GET", "/users/me", visit.bearer)
    stranger = await visit.ask("GET", "/users/me")
    if stranger.status != 401:
        raise Fault(
            "A cache on the way shows strangers what belongs to a user with a token.", *NO_CACHE
        )


CHECKS = (
    Check("download", "fetching the MP3", download, ("upload",)),
    Check("range", "fetching a part of the MP3", parts, ("upload",)),
    Check("head", "asking how large the MP3 is", head, ("upload",)),
    Check("cache", "looking for caches", caches, ("upload",)),
)
