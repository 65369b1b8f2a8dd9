"""Uploads over lines and to servers that fail: sent again, and kept once."""

import signal
import time
from itertools import pairwise
from pathlib import Path

from playwright.sync_api import Browser, Route, expect

from tests.browser.conftest import Visitor
from tests.browser.uploading import LONG, SHORT, records_of, uploads
from tests.relay import Relay
from tests.service import Caller, Server, running, wait_for


def test_an_upload_that_is_cut_off_is_sent_again(
    far_away: Visitor, relay: Relay, ann: Caller
) -> None:
    far_away.arrive_as(ann)
    page = far_away.page
    far_away.send_no_faster_than(500_000)
    before = relay.passed
    far_away.choose(("long.wav", LONG))
    wait_for(lambda: relay.passed - before > 300_000, "a part of it to be sent")
    relay.cut()
    expect(uploads(page, "retrying")).to_contain_text("can’t be reached. Trying again")
    relay.mend()
    far_away.send_no_faster_than(-1)
    expect(uploads(page, "done")).to_have_count(1)
    assert len(records_of(ann)) == 1


def test_an_answer_that_is_lost_makes_no_second_recording(
    far_away: Visitor, relay: Relay, ann: Caller
) -> None:
    far_away.arrive_as(ann)
    page = far_away.page
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    keys: list[str | None] = []
    page.on("request", lambda request: keys.append(request.headers.get("idempotency-key")))
    relay.answers_pass.clear()
    far_away.choose(("short.wav", SHORT))
    wait_for(lambda: records_of(ann), "the server to keep it")
    relay.cut()
    expect(uploads(page, "retrying")).to_have_count(1)
    relay.mend()
    expect(uploads(page, "done")).to_have_count(1)
    assert len(records_of(ann)) == 1
    sent = [key for key in keys if key]
    assert len(sent) >= 2
    assert len(set(sent)) == 1


def test_an_upload_waits_for_a_server_that_starts_again(chromium: Browser, tmp_path: Path) -> None:
    # The key of an upload that was killed is under way for so long.
    settings = {"data": str(tmp_path / "data"), "abandoned_seconds": "2"}
    server = Server(tmp_path / "log", **settings)
    visitor = Visitor(chromium, server)
    visitor.expected.append(r"net::ERR_")
    visitor.sign_up()
    visitor.send_no_faster_than(300_000)
    visitor.choose(("long.wav", LONG))
    expect(uploads(visitor.page, "sending")).to_have_count(1)
    server.stop(signal.SIGKILL)
    expect(uploads(visitor.page, "retrying")).to_have_count(1)
    visitor.send_no_faster_than(-1)
    with running(tmp_path / "log", **settings, port=str(server.port)):
        expect(uploads(visitor.page, "done")).to_have_count(1, timeout=60_000)
        expect(visitor.page.locator(".recording")).to_have_count(1)
        visitor.close()


def test_a_proxy_that_wants_a_retry_at_once_waits_a_second(visitor: Visitor, ann: Caller) -> None:
    visitor.expected.append("503")
    visitor.arrive_as(ann)
    page = visitor.page
    tries: list[float] = []

    def answer(route: Route) -> None:
        tries.append(time.monotonic())
        if len(tries) < 3:
            route.fulfill(status=503, headers={"Retry-After": "0"}, body="<html>Soon!</html>")
        else:
            route.continue_()

    page.route("**/records?name=*", answer)
    visitor.choose(("short.wav", SHORT))
    expect(uploads(page, "done")).to_have_count(1)
    assert all(later - earlier > 0.9 for earlier, later in pairwise(tries))
