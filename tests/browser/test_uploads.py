"""Files on their way: in line, refused, paused, cut off and sent again."""

import re
import signal
import struct
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests import sound
from tests.browser.conftest import Visitor
from tests.relay import Relay
from tests.service import Caller, Server, running, wait_for

SHORT = sound.wav(sound.tone(1, 8_000), 8_000)
LONG = sound.wav(sound.speech_like(60, 16_000), 16_000)
"""1.9 MB."""


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


def test_of_three_files_the_bad_one_is_refused_before_it_is_sent(
    visitor: Visitor, ann: Caller, tmp_path: Path
) -> None:
    visitor.arrive_as(ann)
    sent: list[str] = []
    visitor.page.on("request", lambda request: sent.append(request.method + request.url))
    for name, data in (("a.wav", SHORT), ("b.wav", LONG), ("c.wav", b"ID3\4\0\0\0\0\0\0 an MP3")):
        (tmp_path / name).write_bytes(data)
    drop(visitor.page, *sorted(tmp_path.iterdir()))
    expect(uploads(visitor.page, "done")).to_have_count(2)
    refused = uploads(visitor.page, "refused")
    expect(refused).to_contain_text("c.wav")
    expect(refused).to_contain_text("Not a WAV. Whatever its name says")
    assert sum(request.startswith("POST") for request in sent) == 2
    assert {record["name"] for record in records_of(ann)} == {"a.wav", "b.wav"}


def test_a_folder_brings_its_wavs_and_says_what_it_left_out(
    visitor: Visitor, ann: Caller, tmp_path: Path
) -> None:
    visitor.arrive_as(ann)
    folder = tmp_path / "calls"
    (folder / "deeper").mkdir(parents=True)
    (folder / "notes.txt").write_text("nothing to hear")
    (folder / "one.WAV").write_bytes(SHORT)
    for number in range(120):
        (folder / "deeper" / f"{number:03}.txt").touch()
    (folder / "deeper" / "two.wav").write_bytes(SHORT)
    drop(visitor.page, folder)
    expect(uploads(visitor.page, "done")).to_have_count(2)
    expect(visitor.page.get_by_text("121 files in the folder were left out")).to_be_visible()


def test_a_folder_can_be_picked(visitor: Visitor, ann: Caller, tmp_path: Path) -> None:
    visitor.arrive_as(ann)
    (tmp_path / "one.wav").write_bytes(SHORT)
    (tmp_path / "cover.jpg").write_bytes(b"\xff\xd8\xff")
    visitor.page.set_input_files("#folder", tmp_path)
    expect(uploads(visitor.page, "done")).to_have_count(1)
    expect(visitor.page.get_by_text("1 file in the folder was left out")).to_be_visible()


def test_every_kind_of_wav_passes_the_look_at_its_first_bytes(
    visitor: Visitor, ann: Caller
) -> None:
    visitor.arrive_as(ann)
    samples = sound.tone(0.5, 8_000)
    fmt, data = sound.fmt_chunk(1, 1, 8_000, 16), sound.pcm_bytes(samples, 16)
    behind_tags = b"ID3\3\0\0" + bytes([0, 0, 1, 5]) + bytes(133) + SHORT
    visitor.choose(
        ("riff.wav", SHORT),
        ("rifx.wav", sound.rifx(samples, 8_000, 16)),
        ("long.w64", sound.w64(sound.w64_chunk(b"fmt ", fmt), sound.w64_chunk(b"data", data))),
        ("rf64.wav", b"RF64" + sound.float_wav(samples, 8_000, 32)[4:]),
        ("tags.wav", behind_tags),
    )
    expect(uploads(visitor.page, "done")).to_have_count(5)


def test_progress_speed_and_time_left_are_seen(visitor: Visitor, ann: Caller) -> None:
    visitor.arrive_as(ann)
    page = visitor.page
    visitor.send_no_faster_than(600_000)
    visitor.choose(("long.wav", LONG))
    bar = page.get_by_role("progressbar", name="Upload of long.wav")
    seen: set[float] = set()
    said: set[str] = set()

    def watch() -> bool:
        # The bar may be gone between two looks.
        if bar.count():
            seen.update(page.locator("progress").evaluate_all("bars => bars.map(b => b.value)"))
            said.update(page.locator(".upload .state").all_inner_texts())
        return bool(uploads(page, "done").count())

    wait_for(watch, "the upload to end")
    parts = sorted(value for value in seen if 0 < value < len(LONG))
    assert len(parts) >= 4
    assert any(re.search(r"of 1\.9 MB · [\d.]+ [kM]B/s · \d+ secs? left", line) for line in said)


def test_two_go_up_at_once_and_the_title_says_how_far(visitor: Visitor, ann: Caller) -> None:
    visitor.arrive_as(ann)
    visitor.send_no_faster_than(400_000)
    visitor.choose(*((f"{number}.wav", LONG) for number in range(4)))
    expect(uploads(visitor.page, "sending")).to_have_count(2)
    expect(uploads(visitor.page, "waiting")).to_have_count(2)
    expect(visitor.page).to_have_title(re.compile(r"^[1-9]\d? % · wavepost$"))
    visitor.send_no_faster_than(-1)
    expect(uploads(visitor.page, "done")).to_have_count(4)
    expect(visitor.page).to_have_title("wavepost")


def test_who_listens_hears_how_far_it_is_and_of_many_ends_their_number(
    visitor: Visitor, ann: Caller
) -> None:
    visitor.arrive_as(ann)
    said = visitor.page.get_by_role("status")
    expect(said).to_have_attribute("aria-atomic", "false")
    visitor.send_no_faster_than(250_000)
    visitor.choose(("long.wav", LONG))
    expect(said).to_contain_text("1 file added.")
    expect(said).to_contain_text("Uploads: 75 %.")
    expect(said).to_contain_text("long.wav is ready.")
    visitor.send_no_faster_than(-1)
    visitor.choose(*((f"{number}.wav", SHORT) for number in range(3)), ("png.wav", b"\x89PNG"))
    expect(said).to_contain_text("3 files are ready.")
    expect(said).to_contain_text("png.wav was refused. Not a WAV.")


def test_what_the_server_says_is_marked_as_english(chromium: Browser, server: Server) -> None:
    visitor = Visitor(chromium, server, locale="ru-RU")
    visitor.expected.append("415")
    visitor.arrive_as(Caller(server, "Ann"))
    odd = bytearray(SHORT)
    odd[20:22] = struct.pack("<H", 0x9999)
    visitor.choose(("odd.wav", bytes(odd)), ("png.wav", b"\x89PNG"))
    details = uploads(visitor.page, "refused").locator(".state [lang]")
    expect(details).to_have_count(2)
    assert [detail.get_attribute("lang") for detail in details.all()] == ["en", "ru"]
    visitor.close()


def test_an_upload_is_paused_resumed_and_cancelled(visitor: Visitor, ann: Caller) -> None:
    visitor.arrive_as(ann)
    page = visitor.page
    visitor.send_no_faster_than(200_000)
    visitor.choose(("one.wav", LONG), ("two.wav", LONG))
    expect(uploads(page, "sending")).to_have_count(2)
    page.get_by_role("button", name="Pause: one.wav").click()
    expect(uploads(page, "paused")).to_contain_text("It starts over when you resume")
    page.get_by_role("button", name="Cancel: two.wav").click()
    expect(page.locator(".upload")).to_have_count(1)
    visitor.send_no_faster_than(-1)
    page.get_by_role("button", name="Resume: one.wav").click()
    expect(uploads(page, "done")).to_have_count(1)
    assert [record["name"] for record in records_of(ann)] == ["one.wav"]


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
    settings = {"data": str(tmp_path / "data")}
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
        expect(uploads(visitor.page, "done")).to_have_count(1)
        expect(visitor.page.locator(".recording")).to_have_count(1)
        visitor.close()


def test_a_refusal_in_the_middle_of_many_bytes_shows_what_the_server_says(
    visitor: Visitor, ann: Caller, tmp_path: Path
) -> None:
    visitor.expected.append("415")
    visitor.arrive_as(ann)
    fmt = struct.pack("<HHIIHH", 0x9999, 1, 8_000, 16_000, 2, 16)
    wav = sound.riff(sound.chunk(b"fmt ", fmt), sound.chunk(b"data", bytes(30_000_000)))
    (tmp_path / "strange.wav").write_bytes(wav)
    drop(visitor.page, tmp_path / "strange.wav")
    refused = uploads(visitor.page, "refused")
    expect(refused).to_contain_text("Its codec isn’t supported.")
    expect(refused).to_contain_text("0x9999")
    said = ann.upload(wav[:100_000]).json()["detail"]
    expect(refused).to_contain_text(said)


def test_a_full_storage_is_said_and_once_there_is_room_tried_again(
    chromium: Browser, tmp_path: Path
) -> None:
    settings = {"data": str(tmp_path / "data"), "quota_bytes": "5000"}
    with running(tmp_path / "log", **settings) as server:
        visitor = Visitor(chromium, server)
        visitor.expected.append("403")
        page = visitor.page
        page.clock.install()
        visitor.sign_up()
        visitor.choose(("one.wav", SHORT))
        expect(uploads(page, "done")).to_have_count(1)
        visitor.choose(("two.wav", SHORT))
        refused = uploads(page, "refused")
        expect(refused).to_contain_text("Your storage is full.")
        page.get_by_role("button", name="Delete: one.wav").click()
        page.clock.run_for(11_000)
        expect(page.locator(".recording, .removed")).to_have_count(0)
        page.get_by_role("button", name="Try again: two.wav").click()
        expect(uploads(page, "done")).to_have_count(2)
        visitor.close()


def test_files_larger_than_the_server_takes_are_not_sent(chromium: Browser, tmp_path: Path) -> None:
    settings = {"data": str(tmp_path / "data"), "max_upload_bytes": "100000"}
    with running(tmp_path / "log", **settings) as server:
        visitor = Visitor(chromium, server)
        visitor.sign_up()
        visitor.choose(("long.wav", LONG))
        expect(uploads(visitor.page, "refused")).to_contain_text("Too large.")
        visitor.close()


def test_a_file_that_is_gone_or_empty_is_said_to_be(
    visitor: Visitor, ann: Caller, tmp_path: Path
) -> None:
    visitor.arrive_as(ann)
    visitor.send_no_faster_than(300_000)
    for name in ("1.wav", "2.wav", "gone.wav"):
        (tmp_path / name).write_bytes(LONG)
    (tmp_path / "empty.wav").touch()
    drop(visitor.page, *sorted(tmp_path.iterdir()))
    expect(uploads(visitor.page, "refused")).to_have_count(1)
    expect(uploads(visitor.page, "waiting")).to_have_count(1)
    (tmp_path / "gone.wav").unlink()
    visitor.send_no_faster_than(-1)
    expect(uploads(visitor.page, "done")).to_have_count(2)
    refused = uploads(visitor.page, "refused")
    expect(refused.filter(has_text="gone.wav")).to_contain_text("can’t be read any more")
    expect(refused.filter(has_text="empty.wav")).to_contain_text("The file is empty.")


def test_files_may_come_before_the_name(visitor: Visitor) -> None:
    visitor.page.goto("/")
    visitor.choose(("early.wav", SHORT))
    expect(uploads(visitor.page, "waiting")).to_contain_text("Waiting for your name")
    visitor.page.get_by_label("Your name").fill("Ann")
    visitor.page.get_by_role("button", name="Begin").click()
    expect(uploads(visitor.page, "done")).to_have_count(1)


def test_leaving_in_the_middle_asks_first(visitor: Visitor, ann: Caller) -> None:
    visitor.arrive_as(ann)
    asked: list[str] = []
    visitor.page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    visitor.choose(("short.wav", SHORT))
    expect(uploads(visitor.page, "done")).to_have_count(1)
    visitor.page.reload()
    assert asked == []
    visitor.send_no_faster_than(200_000)
    visitor.choose(("long.wav", LONG))
    expect(uploads(visitor.page, "sending")).to_have_count(1)
    visitor.page.locator("h2").first.click()  # browsers ask only who has touched the page
    visitor.page.reload()
    assert asked == ["beforeunload"]


def test_what_one_user_put_in_line_is_not_sent_in_anothers_name(
    visitor: Visitor, ann: Caller, server: Server
) -> None:
    visitor.arrive_as(ann)
    page = visitor.page
    visitor.send_no_faster_than(200_000)
    visitor.choose(*((f"{number}.wav", LONG) for number in range(3)))
    expect(uploads(page, "sending")).to_have_count(2)
    bob = Caller(server, "Bob")
    other = visitor.context.new_page()
    other.goto("/limits")
    known = {"id": bob.id, "name": "Bob", "token": bob.token}
    other.evaluate(
        "known => localStorage.setItem('wavepost.account', JSON.stringify(known))", known
    )
    expect(page.locator(".menu summary")).to_contain_text("Bob")
    expect(page.locator(".upload")).to_have_count(0)
    assert records_of(bob) == []


def test_a_second_click_before_the_first_is_drawn_changes_nothing(
    visitor: Visitor, ann: Caller
) -> None:
    visitor.arrive_as(ann)
    page = visitor.page

    def click_twice(name: str) -> None:
        button = page.get_by_role("button", name=name)
        button.evaluate("button => { button.click(); button.click(); }")

    visitor.send_no_faster_than(200_000)
    visitor.choose(*((f"{number}.wav", LONG) for number in range(3)))
    expect(uploads(page, "sending")).to_have_count(2)
    click_twice("Cancel: 0.wav")
    expect(page.locator(".upload .name")).to_have_text(["1.wav", "2.wav"])
    click_twice("Pause: 1.wav")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    click_twice("Resume: 1.wav")
    expect(uploads(page, "sending")).to_have_count(2)
    visitor.send_no_faster_than(-1)
    expect(uploads(page, "done")).to_have_count(2)
    assert sent.count("POST") == 1


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


def test_what_is_resumed_while_nobody_is_here_waits_for_its_owner(
    visitor: Visitor, ann: Caller
) -> None:
    visitor.arrive_as(ann)
    page = visitor.page
    visitor.send_no_faster_than(200_000)
    visitor.choose(("secret.wav", LONG))
    expect(uploads(page, "sending")).to_have_count(1)
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Forget me here").click()
    page.get_by_role("dialog").get_by_role("button", name="Forget me here").click()
    page.get_by_role("button", name="Resume: secret.wav").click()
    visitor.send_no_faster_than(-1)
    page.get_by_label("Your name").fill("Bob")
    page.get_by_role("button", name="Begin").click()
    expect(page.locator(".menu summary")).to_contain_text("Bob")
    expect(page.locator(".upload")).to_have_count(0)
