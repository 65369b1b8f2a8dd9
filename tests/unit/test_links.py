"""Whose word counts for where this service is."""

from ipaddress import ip_network
from typing import Any

import pytest
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from wavepost.web.links import TrustedProxies

NETWORKS = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


async def seen_by_the_app(
    peer: str, headers: dict[str, str] | list[tuple[str, str]]
) -> tuple[str, str | None, str]:
    """The scheme, host and client that the application sees."""
    seen: list[Scope] = []
    lines = headers.items() if isinstance(headers, dict) else headers

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    scope: Any = {
        "type": "http",
        "scheme": "http",
        "client": (peer, 5000),
        "headers": [
            (b"host", b"inner:8000"),
            *((name.lower().encode(), value.encode()) for name, value in lines),
        ],
    }
    await TrustedProxies(app, NETWORKS)(scope, None, None)  # type: ignore[arg-type]
    return seen[0]["scheme"], Headers(scope=seen[0])["host"], seen[0]["client"][0]


FORWARDED = {
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "calls.example.org",
    "X-Forwarded-For": "203.0.113.9",
}


@pytest.mark.parametrize("peer", ["10.1.2.3", "fd00::1"])
async def test_a_trusted_peer_is_believed(peer: str) -> None:
    assert await seen_by_the_app(peer, FORWARDED) == ("https", "calls.example.org", "203.0.113.9")


@pytest.mark.parametrize("peer", ["192.0.2.1", "::1", "unix", ""])
async def test_anybody_else_is_not(peer: str) -> None:
    assert await seen_by_the_app(peer, FORWARDED) == ("http", "inner:8000", peer)


async def test_the_last_value_is_the_trusted_peers_own() -> None:
    spoofed = {
        "X-Forwarded-Proto": "ftp, https",
        "X-Forwarded-Host": "evil.example, calls.example.org",
        "X-Forwarded-For": "6.6.6.6, 203.0.113.9, 10.9.9.9",
    }
    assert await seen_by_the_app("10.1.2.3", spoofed) == (
        "https",
        "calls.example.org",
        "203.0.113.9",
    )


@pytest.mark.parametrize(
    "value", ["203.0.113.9:4711", "6.6.6.6, 203.0.113.9:1", "6.6.6.6\n203.0.113.9, 10.9.9.9"]
)
async def test_neither_a_port_nor_another_line_hides_the_address(value: str) -> None:
    lines = [("X-Forwarded-For", line) for line in value.split("\n")]
    _, _, client = await seen_by_the_app("10.1.2.3", lines)
    assert client == "203.0.113.9"


async def test_a_port_behind_an_address_in_brackets_is_no_part_of_it() -> None:
    _, _, client = await seen_by_the_app("10.1.2.3", {"X-Forwarded-For": "[2001:db8::9]:80"})
    assert client == "2001:db8::9"


async def test_a_scheme_that_is_none_is_ignored() -> None:
    scheme, _, _ = await seen_by_the_app("10.1.2.3", {"X-Forwarded-Proto": "javascript"})
    assert scheme == "http"
