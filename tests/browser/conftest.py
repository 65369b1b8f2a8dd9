"""A browser and a server for all tests here, and for each test a page of its own.

SQLite alone: the pages reach the database through the API, which is tested on both.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.players import QUIET, browser
from tests.relay import Relay
from tests.service import Caller, Server, running
from tests.sound import tone, wav

MICROPHONE_HERTZ = 440.0

expect.set_options(timeout=20_000)


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without the limits that hold for one address."""
    folder = tmp_path_factory.mktemp("browser")
    limits = {"signup_rate_limit": "0", "failure_rate_limit": "0"}
    with running(folder / "log", data=str(folder / "data"), **limits) as server:
        yield server
        assert "Traceback" not in server.log


@pytest.fixture(scope="package")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser whose microphone hears a tone, and which plays into nothing.

    It ends with this folder's tests: until then it holds the event loop, which others need.
    """
    heard = tmp_path_factory.mktemp("microphone") / "tone.wav"
    heard.write_bytes(wav(tone(10, 48_000, (MICROPHONE_HERTZ,)), 48_000))
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(
            executable_path=browser(),
            args=[
                *QUIET,
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={heard}",
                # A name that is not this machine's own, for what browsers keep from plain HTTP.
                "--host-resolver-rules=MAP wavepost.test 127.0.0.1",
            ],
        )


def remember(page: Page, caller: Caller, name: str) -> None:
    """Have the browser of `page` remember somebody, as if they had signed up there."""
    page.goto("/limits")
    page.evaluate(
        "known => localStorage.setItem('wavepost.account', JSON.stringify(known))",
        {"id": caller.id, "name": name, "token": caller.token},
    )


class Visitor:
    """Somebody with a browser of their own, and a watch on what it complains of.

    Attributes:
        page: what they look at.
        context: their browser: what it remembers, and what it may do.
        expected: patterns of complaints that the test provokes.
    """

    def __init__(self, chromium: Browser, server: Server, **options: Any) -> None:
        self.server = server
        self.expected: list[str] = []
        self._complaints: list[str] = []
        usual = {"base_url": server.url, "locale": "en-GB", "reduced_motion": "reduce"}
        self.context: BrowserContext = chromium.new_context(**{**usual, **options})
        self.context.on("page", self._watch)
        self.page: Page = self.context.new_page()
        self._network = self.context.new_cdp_session(self.page)

    def _watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self._complaints.append(f"error: {error}"))
        page.on(
            "console",
            lambda message: (
                self._complaints.append(f"{message.type}: {message.text}")
                if message.type in ("error", "warning")
                else None
            ),
        )

    def sign_up(self, name: str = "Ann") -> str:
        """The whole first visit; the access token."""
        self.page.goto("/")
        self.page.get_by_label("Your name").fill(name)
        self.page.get_by_role("button", name="Begin").click()
        token = self.page.locator(".token code").inner_text()
        self.page.get_by_role("button", name="I’ve kept it").click()
        return token

    def arrive_as(self, caller: Caller, path: str = "/") -> None:
        """Open the page as somebody whom this device remembers."""
        remember(self.page, caller, "Ann")
        self.page.goto(path)

    def choose(self, *files: tuple[str, bytes]) -> None:
        """Pick files (name, contents) to upload."""
        self.page.set_input_files(
            "#files",
            [{"name": name, "mimeType": "audio/wav", "buffer": data} for name, data in files],
        )

    def send_no_faster_than(self, bytes_a_second: int) -> None:
        """Have the browser's network be that slow; -1 is as fast as it can be."""
        limits = {"downloadThroughput": -1, "uploadThroughput": bytes_a_second}
        self._network.send("Network.enable")
        self._network.send(
            "Network.emulateNetworkConditions", {"offline": False, "latency": 0, **limits}
        )

    def close(self) -> None:
        """Leave. Fails on anything that the browser complained of and the test did not expect."""
        self.context.close()
        unexpected = [
            complaint
            for complaint in self._complaints
            if not any(re.search(pattern, complaint) for pattern in self.expected)
        ]
        assert not unexpected, unexpected


@pytest.fixture
def visitor(chromium: Browser, server: Server) -> Iterator[Visitor]:
    """Somebody new, with a wide window."""
    visitor = Visitor(chromium, server, viewport={"width": 1280, "height": 900})
    yield visitor
    visitor.close()


@pytest.fixture
def ann(server: Server) -> Caller:
    """A user who is new in each test."""
    return Caller(server, "Ann")


@pytest.fixture
def relay(server: Server) -> Iterator[Relay]:
    """A bad line to the server."""
    relay = Relay(server.port)
    yield relay
    relay.close()


@pytest.fixture
def far_away(chromium: Browser, server: Server, relay: Relay) -> Iterator[Visitor]:
    """Somebody at the other end of it, who hears of each break in the console."""
    visitor = Visitor(chromium, server, base_url=f"http://127.0.0.1:{relay.port}")
    visitor.expected.append(r"net::ERR_")
    yield visitor
    visitor.close()


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where the pictures go that people look at."""
    folder = Path(__file__).parents[2] / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
