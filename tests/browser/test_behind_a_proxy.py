"""The pages behind a real nginx that serves them below a path, and has a limit of its own."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, expect

from tests import sound
from tests.browser.conftest import Visitor
from tests.players import tool
from tests.service import running, wait_for

CONFIGURATION = """
daemon off; user root; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port};
    location /post/ {{ proxy_pass {target}/; client_max_body_size 1m; }}
  }}
}}
"""


def answers(url: str) -> bool:
    """Whether somebody is there."""
    try:
        return httpx2.get(url).is_success
    except httpx2.TransportError:
        return False


@pytest.fixture
def behind_nginx(chromium: Browser, tmp_path: Path) -> Iterator[Visitor]:
    """Somebody who comes by a proxy."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    public_url = f"http://127.0.0.1:{port}/post"
    with running(tmp_path / "log", data=str(tmp_path / "data"), public_url=public_url) as server:
        file = tmp_path / "nginx.conf"
        file.write_text(CONFIGURATION.format(folder=tmp_path, port=port, target=server.url))
        with subprocess.Popen([tool("nginx"), "-c", file]) as nginx:
            try:
                wait_for(lambda: answers(f"{public_url}/healthz"), "nginx to answer")
                visitor = Visitor(chromium, server, base_url=public_url)
                yield visitor
                visitor.close()
            finally:
                nginx.terminate()


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
