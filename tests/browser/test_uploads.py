"""Files on their way: in line, seen to go, paused, cancelled."""

import re
from pathlib import Path

from playwright.sync_api import expect

from tests import sound
from tests.browser.conftest import Visitor, remember
from tests.browser.uploading import LONG, SHORT, drop, records_of, uploads
from tests.service import Caller, Server, wait_for


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
    remember(visitor.context.new_page(), bob, "Bob")
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
