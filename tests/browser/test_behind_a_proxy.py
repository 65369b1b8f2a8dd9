"""The pages behind a real nginx that serves them below a path, and has a limit of its own."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, expect

from tests import sound
from tests.browser.conftest import Visitor
from tests.browser.uploading import LARGE
from tests.proxies import proxied


@pytest.fixture
def behind_nginx(chromium: Browser, tmp_path: Path) -> Iterator[Visitor]:
    """Somebody who comes by a proxy."""
    with proxied(tmp_path) as (server, public_url):
        visitor = Visitor(chromium, server, base_url=public_url)
        yield visitor
        visitor.close()


def test_the_pages_work_below_a_path(behind_nginx: Visitor) -> None:
    page = behind_nginx.page
    page.goto("/post/")
    page.get_by_label("Your name").fill("Ann")
    page.get_by_role("button", name="Begin").click()
    behind_nginx.choose(("a.wav", sound.wav(sound.tone(2, 8_000), 8_000)))
    expect(page.locator("[data-state=done]")).to_have_count(1)
    page.get_by_role("button", name="Play: a.wav").click()
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuetext", "0:01 of 0:02")
    with page.context.expect_page() as opened:
        page.locator(".recording").get_by_role("link", name="Listening page").click()
    listening = opened.value
    expect(listening.locator(".wave canvas").first).to_be_attached()
    audio = listening.locator("meta[property='og:audio']").get_attribute("content") or ""
    assert httpx2.get(audio).headers["content-type"] == "audio/mpeg"
    page.get_by_role("link", name="API").click()
    expect(page.get_by_text("/users/me/token")).to_be_visible()


def test_a_proxys_own_refusal_is_explained(behind_nginx: Visitor) -> None:
    behind_nginx.expected.append("413")
    page = behind_nginx.page
    page.goto("/post/")
    page.get_by_label("Your name").fill("Ann")
    page.get_by_role("button", name="Begin").click()
    behind_nginx.choose(("long.wav", sound.wav(sound.tone(120, 8_000), 8_000)))
    refused = page.locator("[data-state=refused]")
    expect(refused).to_contain_text("Something in front of the server refuses files of this size")


def test_a_large_file_goes_in_pieces_that_a_proxy_lets_through(
    behind_nginx: Visitor, tmp_path: Path
) -> None:
    behind_nginx.expected.append("413")
    page = behind_nginx.page
    page.goto("/post/")
    page.get_by_label("Your name").fill("Ann")
    page.get_by_role("button", name="Begin").click()
    path = tmp_path / "large.wav"
    path.write_bytes(LARGE)
    page.set_input_files("#files", path)
    expect(page.locator("[data-state=done]")).to_have_count(1)
