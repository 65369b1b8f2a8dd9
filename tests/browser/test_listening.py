"""The page of a link, and whether what is heard is what was asked for."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import sound
from tests.browser.conftest import Visitor
from tests.seeking import HEARD, LISTEN, heard_time, marked_recording, samples_of
from tests.service import Caller, Server

MINUTES = 60
PLACES = (0.004, 0.083, 0.21, 0.333, 0.4, 0.505, 0.666, 0.75, 0.9, 0.996)
"""Parts of the waveform's width."""


def page_of(record: dict[str, str]) -> str:
    """Its listening page."""
    return f"/listen?id={record['id']}&user={record['user']}"


def is_playing(page: Page) -> bool:
    """Whether its sound goes on."""
    return bool(page.locator("audio").evaluate("audio => !audio.paused"))


def test_whoever_gets_the_link_can_listen(visitor: Visitor, ann: Caller) -> None:
    page = visitor.page
    record = ann.upload(sound.wav(sound.tone(65, 8_000), 8_000), name="Weekly call.wav").json()
    page.goto(page_of(record))
    expect(page).to_have_title("Weekly call.wav")
    expect(page.get_by_role("heading", level=1)).to_have_text("Weekly call.wav")
    slider = page.get_by_role("slider", name="Position in the recording")
    expect(slider).to_have_attribute("aria-valuetext", "0:00 of 1:05")
    page.get_by_role("button", name="Play: Weekly call.wav").click()
    expect(slider).to_have_attribute("aria-valuetext", "0:01 of 1:05")
    page.get_by_role("button", name="Pause: Weekly call.wav").click()
    assert not is_playing(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download MP3").click()
    assert download.value.suggested_filename == "Weekly call.mp3"
    samples, rate = sound.decode(download.value.path().read_bytes())
    assert sound.pitch(samples[:, 0], rate) == pytest.approx(440, abs=1)


def test_the_place_is_chosen_by_keys(visitor: Visitor, ann: Caller) -> None:
    page = visitor.page
    record = ann.upload(sound.wav(sound.tone(200, 8_000), 8_000)).json()
    page.goto(page_of(record))
    slider = page.get_by_role("slider")
    slider.focus()
    for key, place in (
        *(("ArrowRight", "0:05"), ("PageUp", "1:05"), ("ArrowLeft", "1:00"), ("End", "3:20")),
        *(("PageDown", "2:20"), ("Home", "0:00"), ("ArrowDown", "0:00")),
    ):
        slider.press(key)
        expect(slider).to_have_attribute("aria-valuetext", f"{place} of 3:20")
    slider.press(" ")
    expect(page.get_by_role("button", name=re.compile("^Pause"))).to_be_visible()


def test_the_speed_changes_and_the_pitch_does_not(visitor: Visitor, ann: Caller) -> None:
    page = visitor.page
    page.goto(page_of(ann.upload(sound.wav(sound.tone(20, 16_000), 16_000)).json()))
    page.get_by_label("Speed").select_option("2")
    page.evaluate(LISTEN)
    page.get_by_role("button", name="Play").click()
    samples, rate = samples_of(page.evaluate(HEARD, 0.8))
    begin = int((abs(samples) > 0.1).argmax())
    heard = samples[begin + rate // 10 : begin + rate // 2]
    assert sound.pitch(heard, rate) == pytest.approx(440, abs=4)
    assert page.locator("audio").evaluate("audio => audio.playbackRate") == 2


def test_messengers_can_tell_what_the_link_leads_to(server: Server, ann: Caller) -> None:
    record = ann.upload(sound.wav(sound.tone(65, 8_000), 8_000), name='"Q&A" <1>.wav').json()
    answer = server.client.get(page_of(record), headers={"Accept-Language": "ru;q=0.9, de"})
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    for shown in (
        '<html lang="ru">',
        "<title>&#34;Q&amp;A&#34; &lt;1&gt;.wav</title>",
        '<meta property="og:title" content="&#34;Q&amp;A&#34; &lt;1&gt;.wav">',
        '<meta property="og:description" content="Запись, 1:05. Слушайте здесь.">',
        f'<meta property="og:audio" content="{record["url"].replace("&", "&amp;")}&amp;inline=1">',
    ):
        assert shown in answer.text
    assert "Ann" not in answer.text
    assert server.client.head(page_of(record)).status_code == 200


@pytest.mark.parametrize("query", ["", "id=1&user=2", "id={id}&user={id}", "id={user}&user={id}"])
def test_what_is_no_link_gets_one_page(
    visitor: Visitor, ann: Caller, query: str, server: Server
) -> None:
    visitor.expected.append("404")
    path = "/listen?" + query.format(**ann.record())
    assert server.client.get(path).status_code == 404
    visitor.page.goto(path)
    expect(visitor.page.get_by_role("heading", level=1)).to_contain_text("There is no recording")
    assert "<b>" not in visitor.page.content()


def test_it_can_be_heard_without_scripts(chromium: Browser, server: Server, ann: Caller) -> None:
    visitor = Visitor(chromium, server, java_script_enabled=False)
    visitor.page.goto(page_of(ann.record()))
    expect(visitor.page.locator("audio[controls]")).to_be_visible()
    visitor.page.goto("/")
    expect(visitor.page.locator("noscript p")).to_be_visible()
    visitor.close()


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (44_100, 1)])
def test_what_is_heard_is_within_a_tenth_of_a_second_of_what_was_asked_for(
    visitor: Visitor, ann: Caller, rate: int, channels: int
) -> None:
    """Ten places of an hour that tells its own time, asked for by pressing on the waveform."""
    page = visitor.page
    record = ann.post(marked_recording(MINUTES, rate, channels)).json()
    page.goto(page_of(record))
    wave = page.locator(".wave")
    expect(wave.locator("canvas").first).to_be_attached()
    box = wave.bounding_box()
    assert box
    for place in PLACES:
        page.evaluate(LISTEN)
        x = round(box["width"] * place)
        wave.click(position={"x": x, "y": 30})
        page.locator("button.play").click()
        heard = heard_time(*samples_of(page.evaluate(HEARD, 0.6)))
        asked = record["duration"] * x / box["width"]
        assert heard == pytest.approx(asked, abs=0.1)


def test_what_could_not_be_loaded_is_asked_for_again(visitor: Visitor, ann: Caller) -> None:
    visitor.expected.append(r"net::ERR_")
    page = visitor.page
    record = ann.upload(sound.wav(sound.tone(20, 8_000), 8_000)).json()
    page.route("**/record?*", lambda route: route.abort())
    page.goto(page_of(record))
    page.locator("button.play").click()
    expect(page.get_by_role("alert")).to_contain_text("can’t play it")
    page.unroute("**/record?*")
    page.locator("button.play").click()
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuetext", "0:01 of 0:20")
    expect(page.get_by_role("alert")).to_have_count(0)
