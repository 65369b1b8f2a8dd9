"""Large files: what has gone up stays, whatever happens to the line."""

import hashlib
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.browser.uploading import LARGE, records_of, uploads
from tests.relay import Relay
from tests.service import Caller, wait_for


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "запись.wav"
    path.write_bytes(LARGE)
    return path


def assert_kept_once(ann: Caller) -> None:
    [record] = records_of(ann)
    assert record["name"] == "запись.wav"
    assert record["receipt"]["source"]["sha256"] == hashlib.sha256(LARGE).hexdigest()


def begin(far_away: Visitor, relay: Relay, ann: Caller, large: Path) -> None:
    """Have a third of it sent."""
    far_away.arrive_as(ann)
    expect(far_away.page.get_by_text("Nothing here yet")).to_be_visible()
    far_away.send_no_faster_than(3_000_000)
    far_away.page.set_input_files("#files", large)
    wait_for(lambda: relay.passed > len(LARGE) / 3, "a third of it")


def test_a_pause_costs_nothing(
    far_away: Visitor, relay: Relay, ann: Caller, large: Path, screenshots: Path
) -> None:
    begin(far_away, relay, ann, large)
    page = far_away.page
    page.get_by_role("button", name="Pause").click()
    expect(uploads(page, "paused")).to_contain_text("It goes on from here")
    page.screenshot(path=screenshots / "upload-large-paused.png")
    far_away.send_no_faster_than(-1)
    page.get_by_role("button", name="Resume").click()
    expect(uploads(page, "done")).to_have_count(1)
    assert relay.passed < 1.3 * len(LARGE)
    assert_kept_once(ann)


def test_a_cut_costs_nothing(far_away: Visitor, relay: Relay, ann: Caller, large: Path) -> None:
    begin(far_away, relay, ann, large)
    relay.cut()
    expect(uploads(far_away.page, "retrying")).to_have_count(1)
    far_away.send_no_faster_than(-1)
    relay.mend()
    expect(uploads(far_away.page, "done")).to_have_count(1)
    assert relay.passed < 1.3 * len(LARGE)
    assert_kept_once(ann)


def test_what_is_cancelled_is_given_up_on_the_server(
    far_away: Visitor, relay: Relay, ann: Caller, large: Path
) -> None:
    paths: list[str] = []
    far_away.page.on("response", lambda answer: paths.append(answer.headers.get("location", "")))
    begin(far_away, relay, ann, large)
    far_away.page.get_by_role("button", name="Cancel").click()
    expect(far_away.page.locator(".upload")).to_have_count(0)
    [path] = filter(None, paths)
    wait_for(lambda: ann.get(f"/{path}").status_code == 404, "the server to forget it")
