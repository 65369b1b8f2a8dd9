"""What answers let a browser do, and requests that two readers could read differently."""

import re
from pathlib import Path

import pytest

from tests import sound
from tests.integration.test_bad_input import answer_to
from tests.service import Caller, Server, assert_problem, running

ORIGIN = {"Origin": "https://app.example.org"}


@pytest.mark.parametrize(
    "path",
    [
        "/limits",
        "/healthz",
        "/openapi.json",
        "/docs",
        "/nothing",
        "/records",
        "/record",
        "/",
        "/listen",
    ],
)
def test_every_answer_has_a_policy(server: Server, path: str) -> None:
    headers = server.client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy.replace("style-src 'self' 'unsafe-inline'", "")


def test_a_page_may_run_our_files_alone(server: Server) -> None:
    first, second = (server.client.get("/").headers["content-security-policy"] for _ in range(2))
    assert "script-src 'self'; style-src 'self' 'nonce-" in first
    assert first != second
    assert server.client.get("/").headers["permissions-policy"] == "microphone=(self)"
    assert server.client.get("/listen").headers["permissions-policy"] == "microphone=()"


def test_files_of_a_page_are_kept_only_under_their_own_version(server: Server) -> None:
    found = re.search(r"page/([0-9a-f]{16})/home.js", server.client.get("/").text)
    assert found
    ours = server.client.get(f"/{found[0]}")
    assert ours.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert ours.headers["content-encoding"] == "gzip"
    again = server.client.get(f"/{found[0]}", headers={"If-None-Match": ours.headers["etag"]})
    assert again.status_code == 304
    other = server.client.get("/page/0123456789abcdef/home.js")
    assert other.headers["cache-control"] == "no-cache"
    assert other.text == ours.text


@pytest.mark.parametrize(
    "path", ["nothing.js", "../templates/home.html", "%2e%2e/__init__.py", "..%2f__init__.py", ""]
)
def test_nothing_but_these_files_is_given(server: Server, path: str) -> None:
    assert_problem(server.client.get(f"/page/1/{path}"), 404, "not_found")


def test_answers_about_a_user_are_kept_by_nobody(ann: Caller) -> None:
    record = ann.record()
    for path in ("/users/me", "/records", f"/records/{record['id']}"):
        assert ann.get(path).headers["cache-control"] == "no-store"
    assert ann.upload(b"no WAV").headers["cache-control"] == "no-store"


def test_a_recording_plays_in_a_browsers_own_page(ann: Caller, server: Server) -> None:
    answer = server.client.get(ann.record()["url"] + "&inline=1")
    assert "content-security-policy" not in answer.headers
    assert answer.headers["content-disposition"].startswith("inline;")


def test_pages_from_elsewhere_may_not_use_the_api(server: Server) -> None:
    answer = server.client.get("/limits", headers=ORIGIN)
    assert "access-control-allow-origin" not in answer.headers
    preflight = {**ORIGIN, "Access-Control-Request-Method": "POST"}
    assert_problem(server.client.options("/records", headers=preflight), 405, "invalid_request")


def test_those_from_an_origin_that_is_named_may(tmp_path: Path) -> None:
    settings = {"cors_origins": "https://app.example.org, https://b.example"}
    with running(tmp_path / "log", data=str(tmp_path), **settings) as server:
        ann = Caller(server)
        answer = ann.post(sound.wav(sound.tone(0.1, 8_000), 8_000), ORIGIN)
        assert answer.headers["access-control-allow-origin"] == ORIGIN["Origin"]
        assert "Location" in answer.headers["access-control-expose-headers"]
        wanted = {
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,idempotency-key,content-type",
        }
        preflight = server.client.options("/records", headers=ORIGIN | wanted)
        assert preflight.status_code == 200
        assert "access-control-allow-credentials" not in preflight.headers
        stranger = server.client.get("/limits", headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in stranger.headers
        refused = server.client.get("/records", headers=ORIGIN)
        assert refused.status_code == 401
        assert refused.headers["access-control-allow-origin"] == ORIGIN["Origin"]


FIRST = b"POST /users HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
HIDDEN = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
JSON = b'{"name": "smuggled"}'
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(JSON), JSON)


@pytest.mark.parametrize(
    "request_bytes",
    [
        FIRST + b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n" + CHUNKED,
        FIRST + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED,
        FIRST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKED,
        FIRST + b"Transfer-Encoding: chunked, identity\r\n\r\n" + CHUNKED,
        FIRST + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNKED,
        FIRST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + CHUNKED,
        FIRST + b"Transfer-Encoding : chunked\r\n\r\n" + CHUNKED,
        FIRST + b"Content-Length: 6\r\nContent-Length: 20\r\n\r\n" + JSON,
        FIRST + b"Content-Length: +20\r\n\r\n" + JSON,
        FIRST + b"Content-Length: 0x14\r\n\r\n" + JSON,
        FIRST + b"Transfer-Encoding: chunked\r\n\r\n-14\r\n" + JSON + b"\r\n0\r\n\r\n",
        b"POST /users HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 0\r\n\r\n",
        b"POST /users HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=[
        "chunked and length",
        "length and chunked",
        "chunked in HTTP 1.0",
        "chunked is not last",
        "xchunked",
        "two encodings",
        "space before the colon",
        "two lengths",
        "length with a sign",
        "hexadecimal length",
        "negative chunk",
        "two hosts",
        "no host",
    ],
)
def test_a_request_that_can_be_read_in_two_ways_is_refused(
    server: Server, request_bytes: bytes
) -> None:
    answer = answer_to(server, request_bytes + HIDDEN)
    assert b" 400 " in answer.partition(b"\r\n")[0]
    assert len(re.findall(rb"HTTP/1\.1 \d", answer)) == 1, "what came behind was a request too"
    assert b"connection: close" in answer.lower()
    assert b"smuggled" not in answer
