"""Files that are not taken: who says so, when, and in which words."""

import struct
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests import sound
from tests.browser.conftest import Visitor
from tests.browser.uploading import LONG, SHORT, drop, records_of, uploads
from tests.service import Caller, Server, running


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
