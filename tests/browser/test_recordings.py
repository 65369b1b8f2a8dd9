"""The list of one's recordings: heard, found, shared, looked into, removed and kept after all."""

import re
import struct

import pytest
from playwright.sync_api import APIResponse, Locator, Page, Route, expect

from tests import sound
from tests.browser.conftest import Visitor
from tests.service import Caller, wait_for

SHORT = sound.wav(sound.tone(0.2, 8_000), 8_000)
UNDO_MS = 10_000


def recording(page: Page, name: str) -> Locator:
    """The line of a recording."""
    return page.locator(".recording").filter(has_text=name)


def names(page: Page) -> list[str]:
    """Of all that are shown."""
    return page.locator(".recording .name").all_text_contents()


def test_the_newest_comes_first_with_its_length_and_size(visitor: Visitor, ann: Caller) -> None:
    ann.upload(SHORT, name="first.wav")
    second = ann.upload(sound.wav(sound.tone(61, 8_000), 8_000), name="second.wav").json()
    visitor.arrive_as(ann)
    expect(visitor.page.locator(".recording")).to_have_count(2)
    assert names(visitor.page) == ["second.wav", "first.wav"]
    facts = recording(visitor.page, "second.wav")
    expect(facts).to_contain_text(re.compile(r"1:01 · 18[34] kB"))
    expect(facts.locator("time")).to_have_attribute(
        "datetime", second["created_at"].replace("+00:00", "Z")
    )
    visitor.page.locator(".menu summary").click()
    expect(visitor.page.locator(".menu")).to_contain_text("2 recordings, 18")


def test_a_recording_plays_under_its_waveform_one_at_a_time(visitor: Visitor, ann: Caller) -> None:
    for name in ("one.wav", "two.wav"):
        ann.upload(sound.wav(sound.tone(30, 8_000), 8_000), name=name)
    visitor.arrive_as(ann)
    page = visitor.page
    page.get_by_role("button", name="Play: one.wav").click()
    first = recording(page, "one.wav")
    expect(first.get_by_role("slider")).to_have_attribute("aria-valuetext", "0:01 of 0:30")
    page.get_by_role("button", name="Play: two.wav").click()
    expect(recording(page, "two.wav").get_by_role("button", name="Pause")).to_be_visible()
    expect(first.get_by_role("button", name="Play: one.wav")).to_be_visible()
    assert first.locator("audio").evaluate("audio => audio.paused")
    drawn = first.locator(".wave canvas").first
    assert drawn.evaluate("""canvas => {
      const {width, height} = canvas;
      return canvas.getContext("2d").getImageData(0, 0, width, height).data.some(value => value);
    }""")
    page.get_by_role("button", name="Close the player: one.wav").click()
    expect(page.locator("audio")).to_have_count(1)


def test_recordings_are_found_by_name(visitor: Visitor, ann: Caller) -> None:
    for name in ("Interview.wav", "Разговор.wav", "100%_done.wav"):
        ann.upload(SHORT, name=name)
    visitor.arrive_as(ann)
    page = visitor.page
    search = page.get_by_role("searchbox", name="Search by name")
    for text, found in (
        ("interVIEW", "Interview.wav"),
        ("раз", "Разговор.wav"),
        ("%_", "100%_done.wav"),
    ):
        search.fill(text)
        expect(page.locator(".recording .name")).to_have_text([found])
    search.fill("<b>nothing</b>")
    expect(page.get_by_text("No recording has “<b>nothing</b>” in its name.")).to_be_visible()
    search.fill("")
    expect(page.locator(".recording")).to_have_count(3)


def test_more_are_shown_page_by_page(visitor: Visitor, ann: Caller) -> None:
    for number in range(55):
        ann.upload(SHORT, name=f"{number:02}.wav")
    visitor.arrive_as(ann)
    page = visitor.page
    for shown in (25, 50, 55):
        expect(page.locator(".recording")).to_have_count(shown)
        if shown < 55:
            page.get_by_role("button", name="Show more").click()
            first = page.locator(".recording").nth(shown)
            expect(first.get_by_role("button", name="Play")).to_be_focused()
    expect(page.get_by_role("button", name="Show more")).to_have_count(0)
    assert names(page) == [f"{number:02}.wav" for number in reversed(range(55))]
    page.get_by_role("searchbox").fill(".wav")
    expect(page.locator(".recording")).to_have_count(25)
    page.get_by_role("button", name="Show more").click()
    expect(page.locator(".recording")).to_have_count(50)


def test_a_link_is_copied_and_the_mp3_downloaded(visitor: Visitor, ann: Caller) -> None:
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    record = ann.upload(SHORT, name="Звонок.wav").json()
    visitor.arrive_as(ann)
    page = visitor.page
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == record["url"]
    with page.expect_download() as download:
        page.get_by_role("link", name="Download: Звонок.wav").click()
    assert download.value.suggested_filename == "Звонок.mp3"
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Listening page: Звонок.wav").click()
    expect(opened.value.get_by_role("heading", level=1)).to_have_text("Звонок.wav")


def test_the_receipt_is_shown_on_request_with_its_warnings(visitor: Visitor, ann: Caller) -> None:
    title = b"<i>Hello</i>\0\0"
    info = b"INFO" + struct.pack("<4sI", b"INAM", len(title)) + title
    fmt, data = sound.fmt_chunk(1, 1, 8_000, 16), sound.pcm_bytes(sound.tone(1, 8_000), 16)
    wav = sound.riff(
        sound.chunk(b"fmt ", fmt),
        sound.chunk(b"LIST", info),
        sound.chunk(b"data", data, size=0),
    )
    record = ann.upload(wav, name="pipe.wav").json()
    visitor.arrive_as(ann)
    page = visitor.page
    page.get_by_role("button", name="Receipt: pipe.wav").click()
    receipt = page.locator(".receipt")
    warning = record["receipt"]["warnings"][0]
    expect(receipt.get_by_role("list", name="Warnings")).to_contain_text(warning["code"])
    for shown in (
        warning["detail"],
        "<i>Hello</i>",
        record["receipt"]["source"]["sha256"],
        record["receipt"]["mp3"]["sha256"],
        "WAV, pcm_s16le, 16.1 kB",
        "1 channel, 8,000 Hz",
        "0:01 (8,000 samples)",
    ):
        expect(receipt).to_contain_text(shown)


def test_a_deletion_can_be_undone(visitor: Visitor, ann: Caller) -> None:
    record = ann.upload(SHORT, name="kept.wav").json()
    page = visitor.page
    page.clock.install()
    visitor.arrive_as(ann)
    page.get_by_role("button", name="Delete: kept.wav").click()
    page.clock.run_for(100)
    expect(page.get_by_text("kept.wav is being deleted.", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.clock.run_for(UNDO_MS - 1_000)
    page.get_by_role("button", name="Undo").click()
    page.clock.run_for(2 * UNDO_MS)
    expect(page.get_by_role("button", name="Play: kept.wav")).to_be_visible()
    assert ann.server.client.get(record["url"]).status_code == 200


def test_a_deletion_is_carried_out_after_a_while(visitor: Visitor, ann: Caller) -> None:
    record = ann.upload(SHORT, name="gone.wav").json()
    ann.upload(SHORT, name="other.wav")
    page = visitor.page
    page.clock.install()
    visitor.arrive_as(ann)
    page.get_by_role("button", name="Delete: gone.wav").click()
    page.clock.run_for(UNDO_MS + 100)
    expect(page.locator(".recording, .removed")).to_have_count(1)
    page.clock.run_for(100)
    expect(page.get_by_role("button", name="Play: other.wav")).to_be_focused()
    assert ann.server.client.get(record["url"]).status_code == 404
    assert len(ann.get("/records").json()["records"]) == 1


def test_a_deletion_that_is_due_is_carried_out_when_the_page_is_left(
    visitor: Visitor, ann: Caller
) -> None:
    record = ann.upload(SHORT, name="gone.wav").json()
    visitor.arrive_as(ann)
    visitor.page.get_by_role("button", name="Delete: gone.wav").click()
    visitor.page.goto("/docs")
    url = record["url"]
    wait_for(lambda: ann.server.client.get(url).status_code == 404, "the deletion")


def test_a_deletion_that_fails_brings_the_recording_back(visitor: Visitor, ann: Caller) -> None:
    visitor.expected.append(r"net::ERR_")
    ann.upload(SHORT, name="stays.wav")
    page = visitor.page
    page.clock.install()
    visitor.arrive_as(ann)
    page.get_by_role("button", name="Delete: stays.wav").click()
    visitor.context.set_offline(True)
    page.clock.run_for(UNDO_MS + 100)
    stays = recording(page, "stays.wav")
    expect(stays.get_by_role("alert")).to_contain_text("not deleted. The server can’t be reached")
    visitor.context.set_offline(False)
    assert len(ann.get("/records").json()["records"]) == 1


def test_a_list_that_cannot_be_had_can_be_asked_for_again(visitor: Visitor, ann: Caller) -> None:
    visitor.expected.append(r"net::ERR_")
    ann.upload(SHORT, name="there.wav")
    visitor.arrive_as(ann)
    page = visitor.page
    expect(page.locator(".recording")).to_have_count(1)
    visitor.context.set_offline(True)
    page.get_by_role("searchbox").fill("th")
    expect(page.get_by_role("alert").filter(has_text="can’t be reached")).to_be_visible()
    visitor.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".recording")).to_have_count(1)


def test_all_of_it_works_with_the_keyboard_alone(visitor: Visitor) -> None:
    page = visitor.page
    page.goto("/")

    def press_on(name: str, role: str = "button", key: str = "Enter") -> None:
        """Go there by Tab, as one does without a mouse."""
        wanted = page.get_by_role(role, name=re.compile(name)).first  # type: ignore[arg-type]
        expect(wanted).to_be_visible()
        for _ in range(40):
            if wanted.evaluate("element => element === document.activeElement"):
                page.keyboard.press(key)
                return
            page.keyboard.press("Tab")
        pytest.fail(f"{name} is not reached")

    press_on("Your name", "textbox", "A")
    page.keyboard.press("Enter")
    press_on("kept it")
    with page.expect_file_chooser() as chooser:
        press_on("Choose WAV files")
    chooser.value.set_files([{"name": "k.wav", "mimeType": "audio/wav", "buffer": SHORT}])
    expect(page.locator("[data-state=done]")).to_have_count(1)
    press_on("Receipt: k.wav")
    expect(page.locator(".receipt")).to_be_visible()
    press_on("Play: k.wav")
    press_on("Position in the recording", "slider", "End")
    press_on("Delete: k.wav")
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Play: k.wav")).to_be_focused()
    expect(page.get_by_role("status")).to_contain_text("k.wav stays.")


def test_a_deletion_that_is_due_survives_a_search(visitor: Visitor, ann: Caller) -> None:
    for name in ("gone.wav", "other.wav"):
        ann.upload(SHORT, name=name)
    visitor.arrive_as(ann)
    page = visitor.page
    for name in ("gone.wav", "other.wav"):
        page.get_by_role("button", name=f"Delete: {name}").click()
    page.get_by_role("searchbox").fill("other")
    expect(page.locator(".removed")).to_have_count(1)
    page.get_by_role("searchbox").fill("")
    expect(page.get_by_role("button", name="Undo")).to_have_count(2)
    page.get_by_role("searchbox").fill("other")
    expect(page.locator(".removed")).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    page.goto("/docs")
    wait_for(lambda: len(ann.get("/records").json()["records"]) == 1, "the deletion")
    (kept,) = ann.get("/records").json()["records"]
    assert kept["name"] == "other.wav"


def test_a_deletion_under_way_offers_no_undo(visitor: Visitor, ann: Caller) -> None:
    ann.upload(SHORT, name="gone.wav")
    page = visitor.page
    page.clock.install()
    visitor.arrive_as(ann)
    held: list[Route] = []
    page.route("**/records/*", lambda route: held.append(route))
    page.get_by_role("button", name="Delete: gone.wav").click()
    page.clock.run_for(UNDO_MS + 100)
    expect(page.locator(".removed")).to_have_count(1)
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    with page.expect_response("**/records/*"):
        held[0].continue_()
    page.clock.run_for(100)
    expect(page.locator(".removed")).to_have_count(0)


def test_who_is_forgotten_here_leaves_no_deletion_undone(visitor: Visitor, ann: Caller) -> None:
    ann.upload(SHORT, name="gone.wav")
    visitor.arrive_as(ann)
    page = visitor.page
    page.get_by_role("button", name="Delete: gone.wav").click()
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Forget me here").click()
    page.get_by_role("dialog").get_by_role("button", name="Forget me here").click()
    wait_for(lambda: not ann.get("/records").json()["records"], "the deletion")


def test_a_page_of_somebody_in_between_is_no_deletion(visitor: Visitor, ann: Caller) -> None:
    """A hotel's network answers 200 with a page where one has to sign in."""
    ann.upload(SHORT, name="stays.wav")
    page = visitor.page
    page.clock.install()
    visitor.arrive_as(ann)
    expect(recording(page, "stays.wav")).to_be_visible()
    page.route("**/records**", lambda route: route.fulfill(body="<html>Sign in!</html>"))
    page.get_by_role("button", name="Delete: stays.wav").click()
    page.clock.run_for(UNDO_MS + 100)
    wrong = "answered with status 200 and gave no reason"
    expect(recording(page, "stays.wav").get_by_role("alert")).to_contain_text(wrong)


def test_a_page_of_somebody_in_between_is_no_list(visitor: Visitor, ann: Caller) -> None:
    page = visitor.page
    page.route("**/records?**", lambda route: route.fulfill(body="<html>Sign in!</html>"))
    visitor.arrive_as(ann)
    problem = page.get_by_role("alert").filter(has_text="Try again")
    expect(problem).to_contain_text("answered with status 200 and gave no reason")


def test_what_arrives_while_the_list_is_asked_for_is_in_it(visitor: Visitor, ann: Caller) -> None:
    ann.upload(SHORT, name="old.wav")
    page = visitor.page
    visitor.arrive_as(ann)
    expect(page.locator(".recording")).to_have_count(1)
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/records?limit*", lambda route: held.append((route, route.fetch())))
    page.get_by_role("searchbox").fill("w")
    expect(page.locator(".recordings")).to_have_attribute("aria-busy", "true")
    visitor.choose(("new.wav", SHORT))
    expect(page.locator("[data-state=done]")).to_have_count(1)
    route, answer = held[0]
    route.fulfill(response=answer)
    expect(page.locator(".recordings")).to_have_attribute("aria-busy", "false")
    assert names(page) == ["new.wav", "old.wav"]


def test_what_arrives_during_a_search_leaves_its_pages(visitor: Visitor, ann: Caller) -> None:
    for number in range(27):
        ann.upload(SHORT, name=f"call {number:02}.wav")
    visitor.arrive_as(ann)
    page = visitor.page
    page.get_by_role("searchbox").fill("CALL")
    expect(page.get_by_text("25 recordings found")).to_be_attached()
    page.get_by_role("button", name="Show more").click()
    expect(page.locator(".recording")).to_have_count(27)
    visitor.choose(("other.wav", SHORT), ("Call 27.wav", SHORT))
    expect(page.locator("[data-state=done]")).to_have_count(2)
    expect(page.locator(".recording")).to_have_count(28)
    assert names(page)[0] == "Call 27.wav"


def test_the_keyboard_goes_on_near_what_is_gone(visitor: Visitor, ann: Caller) -> None:
    for number in range(28):
        ann.upload(SHORT, name=f"{number:02}.wav")
    page = visitor.page
    page.clock.install()
    visitor.arrive_as(ann)

    def press(name: str, then: str) -> None:
        page.get_by_role("button", name=name).focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name=then)).to_be_focused()

    page.get_by_role("button", name="Show more").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Play: 02.wav")).to_be_focused()
    press("Delete: 20.wav", "Undo")
    page.clock.run_for(UNDO_MS)
    expect(page.locator(".removed")).to_have_count(0)
    expect(page.get_by_role("button", name="Play: 19.wav")).to_be_focused()
    page.route("**/records?name=*", lambda route: None)
    visitor.choose(("a.wav", SHORT), ("b.wav", SHORT))
    page.clock.run_for(100)
    press("Pause: a.wav", "Resume: a.wav")
    press("Resume: a.wav", "Pause: a.wav")
    press("Cancel: a.wav", "Pause: b.wav")
    press("Cancel: b.wav", "Choose WAV files")
