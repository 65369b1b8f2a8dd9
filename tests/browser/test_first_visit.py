"""Who somebody is: a name, a token shown once, remembered here and forgotten here."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from tests import sound
from tests.browser.conftest import Visitor
from tests.service import Caller, Server, running

SHORT = sound.wav(sound.tone(1, 8_000), 8_000)
SCRIPT = "<img src=x onerror=alert(1)><script>alert(2)</script>"


def test_a_name_is_enough_for_a_link(visitor: Visitor) -> None:
    page = visitor.page
    page.goto("/")
    page.get_by_label("Your name").fill("Ann")
    page.get_by_role("button", name="Begin").click()
    shown = page.locator(".token code")
    expect(shown).to_be_visible()
    expect(page.get_by_role("heading", name="Your access token")).to_be_focused()
    token = shown.inner_text()
    visitor.choose(("hello.wav", sound.wav(sound.tone(2, 8_000), 8_000)))
    link = page.locator("[data-state=done] a[href*='/record?id=']").get_attribute("href")
    assert link
    mp3 = visitor.server.client.get(link)
    assert mp3.headers["content-type"] == "audio/mpeg"
    samples, rate = sound.decode(mp3.content)
    assert (len(samples), rate) == (16_000, 8_000)
    assert sound.pitch(samples[:, 0], rate) == pytest.approx(440, abs=1)
    known = visitor.server.client.get("/users/me", headers={"Authorization": f"Bearer {token}"})
    assert known.json()["records"] == 1


def test_the_token_is_shown_once_copied_and_remembered(visitor: Visitor) -> None:
    page = visitor.page
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/")
    page.get_by_label("Your name").fill("Ann")
    page.get_by_role("button", name="Begin").click()
    token = page.locator(".token code").inner_text()
    page.get_by_role("button", name="Copy the token").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == token
    page.reload()
    expect(page.get_by_text("My recordings")).to_be_visible()
    expect(page.locator(".token")).to_have_count(0)
    assert token not in page.content()


def test_forgetting_asks_first_and_leaves_nothing_here(visitor: Visitor) -> None:
    page = visitor.page
    token = visitor.sign_up()
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Forget me here").click()
    expect(page.get_by_role("dialog")).to_contain_text("copy it first")
    page.get_by_role("button", name="Stay").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("button", name="Forget me here").click()
    page.get_by_role("dialog").get_by_role("button", name="Forget me here").click()
    expect(page.get_by_label("Your name")).to_be_focused()
    assert page.evaluate("localStorage.length") == 0
    page.reload()
    page.get_by_role("button", name="I have a token").click()
    page.get_by_label("Your access token").fill(f"  {token} ")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator(".menu summary")).to_contain_text("Ann")


@pytest.mark.parametrize("token", ["4e9cf4b5-3a5f-4ab5-9d44-3a4f9c0d1b2e", "токен"])
def test_a_wrong_token_is_told_so(visitor: Visitor, token: str) -> None:
    visitor.expected.append("401")
    page = visitor.page
    page.goto("/")
    page.get_by_role("button", name="I have a token").click()
    page.get_by_label("Your access token").fill(token)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert").filter(has_text="doesn’t accept this")).to_be_visible()


def test_a_token_that_was_replaced_elsewhere_asks_for_the_new_one(
    visitor: Visitor, ann: Caller
) -> None:
    visitor.expected.append("401")
    visitor.server.client.post("/users/me/token", headers=ann.bearer)
    visitor.arrive_as(ann)
    expect(visitor.page.get_by_text("no longer accepts the token")).to_be_visible()


def test_the_token_can_be_replaced(visitor: Visitor) -> None:
    page = visitor.page
    old = visitor.sign_up()
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Replace the token").click()
    new = page.locator(".token code").inner_text()
    assert new != old
    client = visitor.server.client
    assert client.get("/users/me", headers={"Authorization": f"Bearer {old}"}).status_code == 401
    assert client.get("/users/me", headers={"Authorization": f"Bearer {new}"}).status_code == 200


def test_the_menu_closes_by_escape_and_by_a_click_elsewhere(visitor: Visitor) -> None:
    page = visitor.page
    visitor.sign_up()
    menu = page.locator(".menu summary")
    for close in (lambda: page.keyboard.press("Escape"), lambda: page.locator("h2").first.click()):
        menu.click()
        expect(page.get_by_text("User id")).to_be_visible()
        close()
        expect(page.get_by_text("User id")).to_be_hidden()


def test_tabs_agree_on_who_is_here(visitor: Visitor) -> None:
    visitor.page.goto("/")
    other = visitor.context.new_page()
    other.goto("/")
    visitor.sign_up("Ann")
    expect(other.locator(".menu summary")).to_contain_text("Ann")


def test_a_script_as_a_name_stays_text(visitor: Visitor) -> None:
    page = visitor.page
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    visitor.sign_up(SCRIPT)
    expect(page.locator(".menu summary")).to_have_text(SCRIPT)
    name = f"{SCRIPT.replace('/', '')}.wav"
    visitor.choose((name, sound.wav(sound.tone(0.2, 8_000), 8_000)))
    expect(page.locator(".upload .name")).to_have_text(name)
    expect(page.locator(".recording .name")).to_have_text(name)
    page.goto(page.locator(".recording a[href^=listen]").get_attribute("href") or "")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    assert page.title() == name
    assert page.locator("img").count() == 0
    assert page.locator("meta[property='og:title']").get_attribute("content") == name


@pytest.fixture
def signup(request: pytest.FixtureRequest, chromium: Browser, tmp_path: Path) -> Iterator[Visitor]:
    """Somebody before a server with this policy for sign-ups."""
    with running(tmp_path / "log", data=str(tmp_path / "data"), **request.param) as server:
        visitor = Visitor(chromium, server)
        yield visitor
        visitor.close()


@pytest.mark.parametrize("signup", [{"signup": "key", "signup_key": "sesame"}], indirect=True)
def test_a_server_that_wants_a_key_is_given_one(signup: Visitor) -> None:
    signup.expected.append("401")
    page = signup.page
    page.goto("/")
    page.get_by_label("Your name").fill("Ann")
    page.get_by_label("Sign-up key").fill("wrong")
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("alert").filter(has_text="doesn’t accept this")).to_be_visible()
    page.get_by_label("Sign-up key").fill("sesame")
    page.get_by_role("button", name="Begin").click()
    expect(page.locator(".token code")).to_be_visible()


@pytest.mark.parametrize("signup", [{"signup": "closed"}], indirect=True)
def test_a_server_that_takes_nobody_new_says_so(signup: Visitor) -> None:
    signup.page.goto("/")
    expect(signup.page.get_by_text("takes no new users")).to_be_visible()
    expect(signup.page.get_by_label("Your access token")).to_be_visible()


def test_plain_http_still_registers_uploads_and_copies(chromium: Browser, server: Server) -> None:
    """Browsers keep some of their abilities from pages without HTTPS."""
    visitor = Visitor(chromium, server)
    page = visitor.page
    page.goto(f"http://wavepost.test:{server.port}/")
    assert page.evaluate("isSecureContext") is False
    page.get_by_label("Your name").fill("Ann")
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("button", name="Copy the token").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    visitor.choose(("a.wav", sound.wav(sound.tone(0.2, 8_000), 8_000)))
    expect(page.locator("[data-state=done]")).to_have_count(1)
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_text("only on pages that came over HTTPS")).to_be_visible()
    visitor.close()


def test_a_token_on_its_way_is_not_lost_when_the_old_one_is_refused(
    visitor: Visitor, ann: Caller
) -> None:
    """The old one stops before the answer is here, and the list is asked for in between."""
    visitor.expected.append("401")
    visitor.arrive_as(ann)
    page = visitor.page
    expect(page.get_by_text("Nothing here yet")).to_be_visible()

    def answer_late(route: Route) -> None:
        answer = route.fetch()
        with page.expect_response(lambda response: response.status == 401):
            page.get_by_role("searchbox").fill("x")
        route.fulfill(response=answer)

    page.route("**/users/me/token", answer_late)
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Replace the token").click()
    token = page.locator(".token code").inner_text()
    page.reload()
    expect(page.locator(".menu summary")).to_contain_text("Ann")
    known = page.evaluate("JSON.parse(localStorage.getItem('wavepost.account'))")
    assert known == {"id": ann.id, "name": "Ann", "token": token}


def test_uploads_go_on_while_the_token_is_replaced(visitor: Visitor, ann: Caller) -> None:
    visitor.expected.append("401")
    visitor.arrive_as(ann)
    page = visitor.page

    def answer_late(route: Route) -> None:
        answer = route.fetch()
        with page.expect_response(lambda response: response.status == 401):
            visitor.choose(("call.wav", SHORT))
        route.fulfill(response=answer)

    page.route("**/users/me/token", answer_late)
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Replace the token").click()
    expect(page.locator(".upload[data-state=done]")).to_have_count(1)
