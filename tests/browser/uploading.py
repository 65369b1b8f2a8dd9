"""What the tests of uploads share: files to send, and a look at what became of them."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page

from tests import sound
from tests.service import Caller

SHORT = sound.wav(sound.tone(1, 8_000), 8_000)
LONG = sound.wav(sound.speech_like(60, 16_000), 16_000)
"""1.9 MB."""

LARGE = sound.wav(sound.speech_like(200, 44_100), 44_100)
"""17.6 MB."""


def uploads(page: Page, state: str) -> Locator:
    """The lines of uploads that are so."""
    return page.locator(f".upload[data-state={state}]")


def drop(page: Page, *paths: Path) -> None:
    """Drop files and folders on the page, as from the desktop."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for event in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": event, "x": 300, "y": 300, "data": data})


def records_of(caller: Caller) -> list[dict[str, Any]]:
    """What the server keeps for them."""
    records: list[dict[str, Any]] = caller.get("/records").json()["records"]
    return records
