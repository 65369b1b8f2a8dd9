"""What `wavepost doctor` does with strange addresses and strange answers, and what it leaves."""

import itertools
import json
import signal
import subprocess
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.doctor import Certificates, Opinion, behind_nginx
from tests.proxies import free_port
from tests.service import WAVEPOST, Caller, Server, count_rows, environment, running, wait_for
from tests.stranger import answer, stranger
from wavepost.commands.doctor.reaching import tls
from wavepost.commands.doctor.target import target
from wavepost.commands.doctor.verdicts import Fault
from wavepost.commands.doctor.visit import Plan, Visit

PACE_SECONDS = 0.02
PLAN = Plan(1_000_000, 1)
LIMITS = json.dumps({"max_upload_bytes": 1_000_000, "signup": "open"})
STRANGE = [f'{{"max_upload_bytes": {size}}}' for size in ('"1"', "true", -1, 1e300, "9" * 99, [])]
"""As nobody can send so many bytes."""

TOKEN = "5b1c2f6e-6f0e-4a55-9a53-0f5a2c7b9d10"
ESCAPE = "\x1b[2J\u202e"


def sqlite(folder: Path) -> str:
    """A database for one server."""
    return f"sqlite:///{folder / 'wavepost.db'}"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "post.example.org",
        "file:///etc/passwd",
        "ftp://post.example.org",
        "http://",
        "http://ann:secret@post.example.org",
        "https://post.example.org/?token=secret",
        "https://post.example.org/#secret",
        "http://post.example.org:99999",
        "http://post example.org",
        "http://post.example.org/\x1b[2J",
    ],
)
def test_what_is_no_address_of_a_service_is_a_wrong_use(url: str) -> None:
    opinion = Opinion(url)
    assert opinion.status == 2
    assert "Error: " in opinion.printed
    assert "secret" not in opinion.printed
    assert "\x1b" not in opinion.printed


def test_a_check_that_there_is_none_of_is_a_wrong_use() -> None:
    opinion = Opinion("http://127.0.0.1:1", "--only", "everything")
    assert opinion.status == 2
    assert "unknown-length" in opinion.printed, "it says which there are"


def test_where_nobody_is_one_sentence_says_so() -> None:
    opinion = Opinion(f"http://127.0.0.1:{free_port()}")
    assert opinion.status == 1
    assert list(opinion.checks) == ["service"]
    assert "Nobody can be reached there" in opinion.faults["service"]


def test_what_is_no_wavepost_gets_one_sentence() -> None:
    with stranger(lambda _: answer("<h1>It works!</h1>", media_type="text/html")) as url:
        opinion = Opinion(url)
    assert list(opinion.checks) == ["service"]
    assert "That is no wavepost" in opinion.faults["service"]


@pytest.mark.parametrize(
    "body",
    ["[]", "null", "{", "[" * 100_000, *STRANGE],
)
def test_a_document_of_somebody_else_is_no_wavepost(body: str) -> None:
    with stranger(lambda _: answer(body)) as url:
        opinion = Opinion(url)
    assert "That is no wavepost" in opinion.faults["service"]


def test_a_service_that_is_not_able_to_serve_says_what_fails() -> None:
    unable = {"status": "unavailable", "checks": {"database": "out of reach", "converter": "ok"}}

    def answering(line: str) -> Iterable[bytes]:
        if "/readyz" in line:
            return answer(json.dumps(unable), "503 Service Unavailable")
        return answer(LIMITS)

    with stranger(answering) as url:
        opinion = Opinion(url, "--only", "service")
    assert "'database': 'out of reach'" in opinion.faults["service"]


def test_a_redirect_is_named_and_not_followed() -> None:
    called = []

    def away(line: str) -> Iterable[bytes]:
        called.append(line)
        return answer("", "301 Moved", more="Location: https://elsewhere.example/limits\r\n")

    with stranger(away) as url:
        opinion = Opinion(url)
    assert "sends its callers on to 'https://elsewhere.example'" in opinion.faults["service"]
    assert len(called) == 1


def test_an_answer_without_end_is_given_up() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
    with stranger(lambda _: itertools.chain([head], itertools.repeat(b"x" * 65_536))) as url:
        opinion = Opinion(url)
    assert "without end" in opinion.faults["service"]


async def test_an_answer_that_comes_a_byte_at_a_time_is_given_up() -> None:
    ended = threading.Event()

    def bytewise(_: str) -> Iterable[bytes]:
        yield b"HTTP/1.1 200 OK\r\nX-Endless: "
        while not ended.wait(PACE_SECONDS):
            yield b"x"

    with stranger(bytewise) as url:
        async with Visit(target(url), PLAN) as visit:
            with pytest.raises(Fault) as fault:
                await visit.ask("GET", "/limits", seconds=0.5)
    ended.set()
    assert "was not answered" in fault.value.sentence


def test_what_a_stranger_says_moves_no_cursor_and_shows_no_token() -> None:
    def echoing(line: str) -> Iterable[bytes]:
        if "/limits" in line:
            return answer(LIMITS)
        if "POST /users" in line:
            return answer(json.dumps({"id": TOKEN, "access_token": TOKEN}), "201 Created")
        if "/readyz" in line:
            return answer("{}")
        problem = {"code": "internal", "detail": f"{ESCAPE}{TOKEN}"}
        media_type = "application/problem+json"
        return answer(json.dumps(problem), "500 No", media_type)

    with stranger(echoing) as url:
        printed = subprocess.run(
            [WAVEPOST, "doctor", url, "--only", "upload"],
            env=environment({}),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert printed.returncode == 1
    assert "was refused by the service: 500" in printed.stdout
    for forbidden in (TOKEN, "\x1b", "\u202e", "Traceback"):
        assert forbidden not in printed.stdout + printed.stderr


def test_a_clock_that_is_wrong_is_named() -> None:
    an_hour_ago = format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)
    with stranger(lambda _: answer(LIMITS, more=f"Date: {an_hour_ago}\r\n")) as url:
        opinion = Opinion(url, "--only", "clock")
    assert set(opinion.faults) == {"clock"}
    assert " s behind this machine's" in opinion.faults["clock"]


async def test_plain_http_is_a_fault_unless_it_stays_on_this_machine() -> None:
    with pytest.raises(Fault) as fault:
        await tls(Visit(target("http://192.0.2.1"), PLAN))
    assert "can be read on the way" in fault.value.sentence
    assert "does not leave" in await tls(Visit(target("http://[::1]:8000"), PLAN))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterable[Server]:
    """A server with default settings; each test takes its users away again."""
    folder = tmp_path_factory.mktemp("manners")
    with running(folder / "log", database_url=sqlite(folder)) as server:
        yield server


NOW = datetime.now(UTC)
EXPIRED = {"not_before": NOW - timedelta(days=90), "not_after": NOW - timedelta(days=1)}
ENDING = {"not_before": NOW - timedelta(days=85), "not_after": NOW + timedelta(days=5)}


@pytest.mark.parametrize(
    ("name", "dates", "check", "said"),
    [
        ("localhost", EXPIRED, "service", ["expired", "certbot renew"]),
        ("localhost", ENDING, "tls", ["ends in", "certbot renew"]),
        ("elsewhere.example", {}, "service", ["for the name in the URL"]),
    ],
    ids=["expired", "about to end", "for another name"],
)
def test_a_certificate_that_is_not_good_is_explained(
    name: str,
    dates: dict[str, datetime],
    check: str,
    said: list[str],
    server: Server,
    tmp_path: Path,
) -> None:
    certificates = Certificates(tmp_path)
    with behind_nginx(server, tmp_path, certificates.issue(name, **dates)) as url:
        opinion = Opinion(url, "--ca", str(certificates.ca), "--only", "tls")
    assert set(opinion.faults) == {check}
    for words in said:
        assert words in opinion.faults[check]


def test_an_authority_that_is_not_known_is_explained(server: Server, tmp_path: Path) -> None:
    with behind_nginx(server, tmp_path, Certificates(tmp_path).issue()) as url:
        opinion = Opinion(url)
    assert list(opinion.checks) == ["service"]
    assert "--ca FILE" in opinion.faults["service"]


def test_with_a_token_only_the_doctors_own_recordings_go(server: Server) -> None:
    ann = Caller(server)
    kept = ann.record()
    opinion = Opinion(server.url, "--slow", "1", token=ann.token)
    assert opinion.status == 0, opinion.faults
    assert [record["id"] for record in ann.get("/records").json()["records"]] == [kept["id"]]
    assert count_rows(server.settings["database_url"], "users") == 1
    assert ann.token not in opinion.printed
    ann.delete("/users/me")


def test_a_wrong_token_is_a_fault_and_not_shown(server: Server) -> None:
    opinion = Opinion(server.url, "--only", "account", token=TOKEN)
    assert "WAVEPOST_TOKEN" in opinion.faults["account"]
    assert TOKEN not in opinion.printed


def test_where_nobody_may_register_it_asks_for_a_token(tmp_path: Path) -> None:
    settings = {"database_url": sqlite(tmp_path), "signup": "closed"}
    with running(tmp_path / "log", **settings) as server:
        opinion = Opinion(server.url)
    assert opinion.faults == {}
    assert opinion.status == 0
    not_tried = opinion.said("not_tried")
    assert "WAVEPOST_TOKEN=" in not_tried["account"]
    assert {"upload", "large", "slow", "cache"} <= set(not_tried)
    assert {"refusals", "size", "errors", "methods"} <= set(opinion.said("well"))


def test_a_limit_of_the_services_own_is_no_fault(tmp_path: Path) -> None:
    with running(tmp_path / "log", database_url=sqlite(tmp_path), rate_limit="1") as server:
        opinion = Opinion(server.url, "--only", "upload", "--only", "unknown-length")
    assert opinion.faults == {}
    assert "Wait a minute" in opinion.said("not_tried")["unknown-length"]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_removes_what_was_made(server: Server, stop: signal.Signals) -> None:
    url = server.settings["database_url"]
    command = [WAVEPOST, "doctor", server.url, "--only", "slow", "--slow", "60"]
    known_before = server.log.count("GET /users/me")
    with subprocess.Popen(command, env=environment({}), stderr=subprocess.PIPE, text=True) as run:
        wait_for(lambda: server.log.count("GET /users/me") > known_before, "it to register")
        run.send_signal(stop)
        _, said = run.communicate(timeout=60)
    assert run.returncode == 1
    assert said == "The doctor has not come to the end: it was stopped.\n"
    wait_for(lambda: count_rows(url, "users") == count_rows(url, "records") == 0, "all to go")
