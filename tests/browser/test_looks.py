"""What people see, in each state: pictures of it, what axe finds, what fits, what is loaded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests import sound
from tests.browser.conftest import Visitor
from tests.service import Server

WIDTHS = {"narrow": 360, "wide": 1280, "widest": 1600}
JUDGED = {("narrow", "light"), ("narrow", "dark"), ("wide", "light")}
"""The others have the same elements in the same colours."""

AXES_OWN_STYLE = r"sha256-XGW/cX2BkTPWNNT3NdyASrPEWZfPnKdPJaJ2aN7R\+v8="
"""What axe writes into the page while it looks, and the page's policy stops."""

SPEECH = sound.wav(sound.speech_like(30, 16_000), 16_000)


class Gallery:
    """Looks at each state in every width and in both colours."""

    def __init__(self, folder: Path, language: str) -> None:
        self._folder = folder
        self._language = language
        self._axe = Axe()

    def look(self, page: Page, state: str) -> None:
        """Take its pictures; fails where something sticks out, or axe finds fault."""
        for name, width in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": 900})
            for colours in ("light", "dark"):
                page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
                path = self._folder / f"{state}-{self._language}-{name}-{colours}.png"
                page.screenshot(path=path, full_page=True)
                assert page.evaluate("document.documentElement.scrollWidth") <= width, path.name
                if (name, colours) in JUDGED:
                    found = self._axe.run(page).response["violations"]
                    assert found == [], (path.name, found)


@pytest.fixture(params=["en-GB", "ru-RU"])
def guest(request: pytest.FixtureRequest, chromium: Browser, server: Server) -> Iterator[Visitor]:
    """Somebody in each language."""
    visitor = Visitor(chromium, server, locale=request.param, permissions=["microphone"])
    yield visitor
    visitor.close()


def test_every_state_looks_well_and_reads_well(guest: Visitor, screenshots: Path) -> None:
    page = guest.page
    guest.expected.append(AXES_OWN_STYLE)
    page.goto("/")
    language = page.locator("html").get_attribute("lang") or ""
    gallery = Gallery(screenshots, language)
    gallery.look(page, "1-first-visit")
    page.locator(".ask .quiet").click()
    gallery.look(page, "2-with-a-token")
    page.locator(".ask .quiet").click()
    page.locator("#name").fill("Анна Ann")
    page.locator(".ask .primary").click()
    expect(page.locator(".token")).to_be_visible()
    gallery.look(page, "3-token")
    page.locator(".token button").nth(1).click()
    guest.send_no_faster_than(150_000)
    guest.choose(
        ("Interview with the director of the plant, second part, draft.wav", SPEECH),
        ("Планёрка.wav", SPEECH),
        ("call-0001.wav", SPEECH),
        ("not-a-recording.wav", b"\x89PNG"),
    )
    expect(page.locator("[data-state=sending]")).to_have_count(2)
    gallery.look(page, "4-uploading")
    guest.send_no_faster_than(-1)
    expect(page.locator("[data-state=done]")).to_have_count(3)
    gallery.look(page, "5-uploaded")
    page.locator(".upload header button, .queue header button").click()
    page.locator("[data-state=refused] .round").last.click()
    page.locator("#record").click()
    expect(page.get_by_role("timer")).to_have_text("0:01")
    gallery.look(page, "6-recording")
    page.locator("#stop").click()
    expect(page.locator("#take-name")).to_be_visible()
    gallery.look(page, "7-take")
    page.locator(".recorder button").last.click()
    page.locator(".recording > .play").first.click()
    expect(page.get_by_role("slider")).not_to_have_attribute("aria-valuenow", "0")
    page.locator("wave-player .play").click()
    page.locator(".recording .buttons button").nth(1).click()
    page.locator(".recording").last.locator(".buttons button").last.click()
    gallery.look(page, "8-recordings")
    page.locator(".menu summary").click()
    gallery.look(page, "9-menu")
    listening = page.locator(".recording a[href^=listen]").first.get_attribute("href") or ""
    page.goto(f"/{listening}")
    expect(page.locator(".wave canvas").first).to_be_attached()
    gallery.look(page, "10-listening")
    guest.expected.append("404")
    page.goto("/listen?id=1")
    gallery.look(page, "11-no-such-link")


@pytest.mark.parametrize(("path", "most_bytes"), [("/", 100_000), ("/listen?{ids}", 100_000)])
def test_the_first_page_is_small_and_loads_nothing_from_elsewhere(
    visitor: Visitor, server: Server, path: str, most_bytes: int
) -> None:
    visitor.sign_up()
    visitor.choose(("a.wav", SPEECH))
    href = visitor.page.locator(".recording a[href^=listen]").get_attribute("href") or ""
    fresh = Visitor(visitor.context.browser, server)  # type: ignore[arg-type]
    received: dict[str, Any] = {"bytes": 0}
    addresses: list[str] = []
    network = fresh.context.new_cdp_session(fresh.page)
    network.send("Network.enable")
    network.on(
        "Network.loadingFinished",
        lambda event: received.update(bytes=received["bytes"] + event["encodedDataLength"]),
    )
    fresh.page.on("request", lambda request: addresses.append(request.url))
    fresh.page.goto(path.format(ids=href.partition("?")[2]), wait_until="networkidle")
    loaded = [address for address in addresses if "/record?" not in address]
    assert all(address.startswith(server.url) for address in loaded)
    recording_bytes = 152_000 if "listen" in path else 0
    assert 10_000 < received["bytes"] < most_bytes + recording_bytes
    fresh.close()


def test_pages_speak_the_readers_language(chromium: Browser, server: Server) -> None:
    for locale, slogan in (("ru-RU", "ссылка на MP3"), ("de-DE", "MP3 link out")):
        visitor = Visitor(chromium, server, locale=locale)
        visitor.page.goto("/")
        expect(visitor.page.get_by_role("heading", level=1)).to_contain_text(slogan)
        visitor.close()
