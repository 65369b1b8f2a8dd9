"""The microphone, to a WAV, to a link."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests import sound
from tests.browser.conftest import MICROPHONE_HERTZ, Visitor
from tests.service import Caller, Server, running

KEEP_STREAMS = """() => {
  window.streams = [];
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async wanted => {
    const stream = await ask(wanted);
    window.streams.push(stream);
    return stream;
  };
}"""
"""For `page.evaluate`: every microphone that the page is given can be looked at."""


def test_what_the_microphone_hears_becomes_a_link(visitor: Visitor, ann: Caller) -> None:
    page = visitor.page
    visitor.context.grant_permissions(["microphone"])
    visitor.arrive_as(ann)
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_role("button", name="Stop")).to_be_focused()
    expect(page.get_by_role("timer")).to_have_text("0:13")
    assert page.get_by_role("meter", name="Level").evaluate("meter => meter.value") > 0.5
    page.get_by_role("button", name="Stop").click()
    take = page.locator(".recorder audio")
    take.evaluate("audio => audio.play()")
    expect(take).to_have_js_property("paused", False)
    page.get_by_label("Name", exact=True).fill("My voice")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-state=done]")).to_contain_text("My voice.wav")
    (record,) = ann.get("/records").json()["records"]
    assert record["receipt"]["source"]["codec"] == "pcm_s16le"
    assert (record["channels"], record["sample_rate"]) == (1, 48_000)
    assert 12.5 < record["duration"] < 20
    samples, rate = sound.decode(ann.server.client.get(record["url"]).content)
    heard = samples[rate // 2 :, 0]
    assert sound.pitch(heard, rate) == pytest.approx(MICROPHONE_HERTZ, abs=1)
    # It was gathered in pieces, of which none may be missing.
    tenths = [heard[at : at + rate // 10] for at in range(0, len(heard) - rate // 5, rate // 10)]
    assert min(map(sound.loudness_db, tenths)) > -12


def test_a_take_can_be_discarded_and_is_not_lost_by_leaving(visitor: Visitor, ann: Caller) -> None:
    page = visitor.page
    visitor.context.grant_permissions(["microphone"])
    visitor.arrive_as(ann)
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_role("button", name="Record", exact=True).click()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Record", exact=True)).to_be_disabled()
    page.evaluate("location.reload()")
    expect(page.get_by_role("button", name="Discard")).to_be_visible()
    assert asked == ["beforeunload"]
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("button", name="Record", exact=True)).to_be_focused()
    assert ann.get("/records").json()["records"] == []


def test_a_browser_that_refuses_the_microphone_gets_a_sentence(
    visitor: Visitor, ann: Caller
) -> None:
    visitor.arrive_as(ann)
    visitor.page.get_by_role("button", name="Record", exact=True).click()
    expect(visitor.page.get_by_role("alert").filter(has_text="not allowed")).to_be_visible()
    expect(visitor.page.get_by_role("button", name="Record", exact=True)).to_be_enabled()


def test_a_microphone_that_is_gone_leaves_what_it_gave(
    chromium: Browser, server: Server, ann: Caller
) -> None:
    visitor = Visitor(chromium, server, permissions=["microphone"])
    visitor.arrive_as(ann)
    page = visitor.page
    page.evaluate(KEEP_STREAMS)
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_role("timer")).to_have_text("0:01")
    page.evaluate("window.streams[0].getAudioTracks()[0].dispatchEvent(new Event('ended'))")
    expect(page.get_by_text("What it recorded until then is kept")).to_be_visible()
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-state=done]")).to_have_count(1)
    visitor.close()


def test_a_second_click_on_record_opens_no_second_microphone(
    chromium: Browser, server: Server, ann: Caller
) -> None:
    visitor = Visitor(chromium, server, permissions=["microphone"])
    visitor.arrive_as(ann)
    page = visitor.page
    page.evaluate(KEEP_STREAMS)
    record = page.get_by_role("button", name="Record", exact=True)
    record.evaluate("button => { button.click(); button.click(); }")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    assert page.evaluate("window.streams.map(stream => stream.active)") == [False]
    visitor.close()


def test_a_take_that_is_full_is_one_that_the_server_takes(
    chromium: Browser, tmp_path: Path
) -> None:
    settings = {"data": str(tmp_path / "data"), "max_upload_bytes": "100000"}
    with running(tmp_path / "log", **settings) as server:
        visitor = Visitor(chromium, server, permissions=["microphone"])
        visitor.sign_up()
        page = visitor.page
        page.get_by_role("button", name="Record", exact=True).click()
        expect(page.get_by_text("the longest recording that the server accepts")).to_be_visible()
        page.get_by_role("button", name="Send").click()
        expect(page.locator("[data-state=done]")).to_have_count(1)
        visitor.close()


def test_a_take_that_was_refused_is_not_lost_by_leaving(chromium: Browser, tmp_path: Path) -> None:
    settings = {"data": str(tmp_path / "data"), "quota_bytes": "100"}
    with running(tmp_path / "log", **settings) as server:
        visitor = Visitor(chromium, server, permissions=["microphone"])
        visitor.expected.append("403")
        page = visitor.page
        asked: list[str] = []
        page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
        visitor.sign_up()
        page.get_by_role("button", name="Record", exact=True).click()
        expect(page.get_by_role("timer")).to_have_text("0:01")
        page.get_by_role("button", name="Stop").click()
        page.get_by_role("button", name="Send").click()
        expect(page.locator("[data-state=refused]")).to_contain_text("Your storage is full.")
        page.reload()
        assert asked == ["beforeunload"]
        visitor.close()
