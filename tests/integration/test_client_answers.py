"""What the client makes of answers: lists, removals, and what no wavepost would say."""

import io
from pathlib import Path

import pytest

from tests import sound
from tests.service import Caller, Server
from tests.stranger import always, page
from wavepost.client import (
    Client,
    NotFound,
    NotWavepost,
    Record,
    Unreachable,
)


def test_a_list_goes_over_all_pages(
    client: Client, wav: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wavepost.client.client.PAGE", 2)
    sent = [client.push(wav, key=f"key {count}").id for count in range(5)]
    assert [record.id for record in client.records()] == sent[::-1]


def test_a_list_can_be_of_a_name_or_of_a_wav(client: Client, wav: Path) -> None:
    other = sound.wav(sound.tone(0.7, 8_000), 8_000)
    first = client.push(wav, name="first.wav")
    second = client.push(io.BytesIO(other), name="second.wav")
    assert [record.id for record in client.records(name="SECOND")] == [second.id]
    assert [record.id for record in client.records(sha256=first.source_sha256)] == [first.id]


def test_what_is_removed_is_gone(client: Client, wav: Path) -> None:
    record = client.push(wav)
    client.delete(record)
    with pytest.raises(NotFound):
        client.record(record.id)
    with pytest.raises(NotFound):
        client.delete(record.id)
    assert client.push(wav).id != record.id


@pytest.mark.parametrize("path", ["", "../users/me", "a/b", "a?b"])
def test_an_id_is_no_path(client: Client, path: str) -> None:
    with pytest.raises(ValueError, match="id"):
        client.delete(path)


@pytest.mark.parametrize(
    ("answer", "sentence", "passes"),
    [
        (page("413 Request Entity Too Large"), "in front of the server", False),
        (page("502 Bad Gateway"), "can't reach it", True),
        (page("504 Gateway Timeout"), "can't reach it", True),
        (page("200 OK"), "no wavepost", False),
        (page("404 Not Found"), "no wavepost", False),
        (page("301 Moved", "Location: https://other.example/"), "other.example", False),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"], "no wavepost", False),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"], "not understood", False),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"], "broke", True),
        ([b"SSH-2.0-OpenSSH\r\n"], "broke", True),
    ],
)
def test_an_answer_that_is_not_waveposts_is_explained(
    answer: list[bytes], sentence: str, passes: bool
) -> None:
    with (
        always(*answer) as url,
        Client(url, "token", patience_seconds=0) as client,
        pytest.raises(Unreachable, match=sentence) as error,
    ):
        client.me()
    assert error.value.passes is passes


def test_a_redirect_is_not_followed_with_the_token(server: Server, ann: Caller) -> None:
    with (
        always(*page("307 Moved", f"Location: {server.url}/users/me")) as url,
        Client(url, ann.token) as client,
        pytest.raises(NotWavepost, match="give that"),
    ):
        client.me()


def test_a_link_that_is_no_link_is_not_believed(client: Client, wav: Path) -> None:
    answer = dict(client.push(wav).answer)
    for url in ("javascript:alert()", "http://a\nb", "http://a\x1b[2J", 7):
        with pytest.raises(ValueError, match="url"):
            Record.read(answer | {"url": url})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("duration", float("inf")),
        ("duration", float("nan")),
        ("duration", -1),
        ("duration", 10**400),
        ("created_at", "0001-01-01T00:00:00+14:00"),
        ("created_at", "9999-12-31T23:59:59-12:00"),
    ],
)
def test_a_number_that_nobody_can_reckon_with_is_not_believed(
    client: Client, wav: Path, field: str, value: object
) -> None:
    answer = dict(client.push(wav).answer)
    with pytest.raises(ValueError, match=field):
        Record.read(answer | {field: value})


def test_what_newer_servers_add_does_no_harm(client: Client, wav: Path) -> None:
    answer = dict(client.push(wav).answer)
    record = Record.read(answer | {"sung_by": "Ann"})
    assert record.answer["sung_by"] == "Ann"
