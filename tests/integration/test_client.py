"""The client against a real server: what is sent is kept, what comes back is checked."""

import hashlib
import io
import os
import pickle
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import sound
from tests.relay import Relay
from tests.service import Caller, Server, wait_for
from wavepost.client import (
    Client,
    ClientError,
    Damaged,
    NotFound,
    NotWavepost,
    Record,
    Refused,
    SourceChanged,
    Unauthorized,
    Unreachable,
    UnusableWav,
)

WAV = sound.wav(sound.tone(0.5, 8_000), 8_000)
HOUR = 3600


@pytest.fixture
def client(ann: Caller) -> Iterator[Client]:
    """Ann's, who tries everything once."""
    with Client(ann.server.url, ann.token, patience_seconds=0) as client:
        yield client


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    """A file to send."""
    path = tmp_path / "call.wav"
    path.write_bytes(WAV)
    return path


@pytest.fixture
def relay(server: Server) -> Iterator[Relay]:
    """A line to the server that can be cut."""
    relay = Relay(server.port)
    yield relay
    relay.close()


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """The address of something that gives everybody the same bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            try:
                while True:
                    caller, _ = listening.accept()
                    caller.recv(65_536)
                    caller.sendall(answer)
                    caller.shutdown(socket.SHUT_WR)
                    # Until the caller has read it: what is unread would have it reset.
                    while caller.recv(65_536):
                        pass
                    caller.close()
            except OSError:
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)


def html(status: str, *headers: str) -> bytes:
    """A proxy's page."""
    body = b"<html>proxy</html>"
    lines = [f"HTTP/1.1 {status}", "Content-Type: text/html", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, *headers, "Connection: close", "", ""]).encode() + body


def test_a_new_user_can_send_and_download(server: Server, wav: Path, tmp_path: Path) -> None:
    with Client(server.url) as stranger:
        user = stranger.create_user("Анна")
    assert user.name == "Анна"
    with Client(server.url, user.access_token) as client:
        record = client.push(wav)
        assert (record.name, record.duration, record.sample_rate) == ("call.wav", 0.5, 8_000)
        assert client.download(record, tmp_path / "call.mp3") == record.bytes
        me = client.me()
    mp3 = (tmp_path / "call.mp3").read_bytes()
    assert hashlib.sha256(mp3).hexdigest() == record.mp3_sha256
    assert sound.decode(mp3)[0].shape == (4_000, 1)
    assert (me.id, me.records, me.bytes, me.quota) == (user.id, 1, record.bytes, None)


def test_the_token_is_in_no_repr_and_no_traceback(server: Server, ann: Caller) -> None:
    with Client(server.url, ann.token) as client:
        new = client.create_user("Bob")
        assert ann.token not in repr(client)
        assert new.access_token not in repr(new)
    wrong = ann.token[::-1]
    with Client(server.url, wrong) as client, pytest.raises(Unauthorized) as refused:
        client.me()
    shown = "".join(traceback.format_exception(refused.value))
    assert wrong not in shown
    assert refused.value.code == "unauthorized"
    with pytest.raises(ValueError, match="token") as malformed:
        Client(server.url, f"{ann.token}\nX-More: 1")
    assert ann.token not in str(malformed.value)


@pytest.mark.parametrize(
    "server",
    [
        "post.example.org",
        "ftp://post.example.org",
        "http://",
        "http://a b",
        "https://ann:pw@host",
        "http://[::1",
        "http://host:99999",
        "http://host:no",
    ],
)
def test_an_address_that_can_be_none_is_refused_at_once(server: str) -> None:
    with pytest.raises(ValueError, match="server"):
        Client(server)


def test_the_same_file_sent_again_is_the_same_recording(client: Client, wav: Path) -> None:
    first, second = client.push(wav), client.push(wav)
    assert first == second
    assert [record.id for record in client.records()] == [first.id]
    assert client.push(wav, key="another").id != first.id


def test_options_go_along(client: Client, wav: Path) -> None:
    record = client.push(wav, name="Звонок.wav", bitrate=32, expires_in=HOUR)
    assert (record.name, record.bitrate) == ("Звонок.wav", 32)
    assert record.expires_at is not None
    assert (record.expires_at - record.created_at).total_seconds() == pytest.approx(HOUR, abs=5)
    assert client.push(wav, quality=9).receipt["mp3"]["mode"] == "VBR 9"


@pytest.mark.parametrize(
    "source",
    [io.BytesIO, lambda wav: iter([wav[:1_000], wav[1_000:]]), lambda wav: [wav]],
    ids=["a file in memory", "an iterator", "a list"],
)
def test_what_is_no_path_is_sent_too(client: Client, source: Callable[[bytes], object]) -> None:
    record = client.push(source(WAV), name="call.wav")  # type: ignore[arg-type]
    assert record.source_sha256 == hashlib.sha256(WAV).hexdigest()
    assert record.name == "call.wav"


def test_an_open_file_is_sent_from_where_it_stands(client: Client, tmp_path: Path) -> None:
    (tmp_path / "file.wav").write_bytes(b"before" + WAV)
    with (tmp_path / "file.wav").open("rb") as file:
        file.seek(len(b"before"))
        record = client.push(file)
    assert record.source_sha256 == hashlib.sha256(WAV).hexdigest()
    assert record.name == "file.wav"


def test_a_pipe_is_sent_as_it_comes(client: Client) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe, os.fdopen(writing, "wb") as source:
        thread = threading.Thread(target=lambda: (source.write(WAV), source.close()))
        thread.start()
        record = client.push(pipe, name="pipe.wav")
        thread.join()
    assert record.source_sha256 == hashlib.sha256(WAV).hexdigest()


def test_a_name_that_is_no_text_is_sent_with_marks(client: Client, tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.wav"
    Path(os.fsdecode(path)).write_bytes(WAV)
    assert client.push(os.fsdecode(path)).name == "caf�.wav"


def test_what_is_no_wav_is_refused_with_its_code(client: Client) -> None:
    with pytest.raises(UnusableWav) as refused:
        client.push(io.BytesIO(b"%PDF-1.7 no sound at all"))
    assert (refused.value.code, refused.value.status) == ("not_a_wav", 415)
    assert "PDF" in str(refused.value)
    assert refused.value.request_id
    assert not refused.value.passes


def test_errors_can_cross_processes() -> None:
    error = Refused("busy", 503, "Later.", "a1", 5.0)
    copied = pickle.loads(pickle.dumps(error))
    assert (str(copied), copied.code, copied.retry_after_seconds) == ("Later.", "busy", 5.0)


def test_progress_is_told_to_the_end(client: Client, wav: Path) -> None:
    told: list[int] = []
    client.push(wav, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == len(WAV)


def test_a_file_that_is_written_to_meanwhile_is_not_kept(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "growing.wav"
    path.write_bytes(sound.wav(sound.tone(60, 8_000), 8_000))

    def write(_: int) -> None:
        with path.open("ab") as file:
            file.write(b"more")

    with pytest.raises(SourceChanged, match="changed"):
        client.push(path, progress=write)
    assert list(client.records()) == []


def test_a_broken_line_makes_no_second_recording(ann: Caller, relay: Relay, wav: Path) -> None:
    failures: list[ClientError] = []

    def mend(error: ClientError, _: float) -> None:
        failures.append(error)
        relay.mend()

    relay.answers_pass.clear()
    url = f"http://127.0.0.1:{relay.port}"
    with Client(url, ann.token, on_retry=mend) as client:
        made: list[Record] = []
        thread = threading.Thread(target=lambda: made.append(client.push(wav)))
        thread.start()
        wait_for(lambda: ann.get("/records").json()["records"], "the recording to be kept")
        relay.cut()
        thread.join()
    assert isinstance(failures[0], Unreachable)
    assert [record["id"] for record in ann.get("/records").json()["records"]] == [made[0].id]


def test_who_cant_reach_the_server_hears_so_in_the_end(wav: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    tried: list[float] = []
    with (
        Client(
            f"http://127.0.0.1:{port}",
            "token",
            patience_seconds=1,
            on_retry=lambda _, seconds: tried.append(seconds),
        ) as client,
        pytest.raises(Unreachable, match="refused"),
    ):
        client.push(wav)
    assert sum(tried) <= 1


@pytest.mark.parametrize(
    ("answer", "sentence", "passes"),
    [
        (html("413 Request Entity Too Large"), "in front of the server", False),
        (html("502 Bad Gateway"), "can't reach it", True),
        (html("504 Gateway Timeout"), "can't reach it", True),
        (html("200 OK"), "no wavepost", False),
        (html("404 Not Found"), "no wavepost", False),
        (html("301 Moved", "Location: https://other.example/"), "other.example", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", "no wavepost", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "not understood", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", "broke", True),
        (b"SSH-2.0-OpenSSH\r\n", "broke", True),
    ],
)
def test_an_answer_that_is_not_waveposts_is_explained(
    answer: bytes, sentence: str, passes: bool
) -> None:
    with (
        answering(answer) as url,
        Client(url, "token", patience_seconds=0) as client,
        pytest.raises(Unreachable, match=sentence) as error,
    ):
        client.me()
    assert error.value.passes is passes


def test_a_redirect_is_not_followed_with_the_token(server: Server, ann: Caller) -> None:
    with (
        answering(html("307 Moved", f"Location: {server.url}/users/me")) as url,
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


def test_a_download_by_link_needs_no_token(ann: Caller, tmp_path: Path) -> None:
    record = ann.record()
    with Client(ann.server.url) as stranger:
        stranger.download(record["url"], tmp_path / "a.mp3")
    mp3 = (tmp_path / "a.mp3").read_bytes()
    assert hashlib.sha256(mp3).hexdigest() == record["receipt"]["mp3"]["sha256"]


def test_a_download_that_is_cut_goes_on_where_it_was(
    ann: Caller, relay: Relay, tmp_path: Path
) -> None:
    record = ann.record(seconds=300)
    link = record["url"].replace(str(ann.server.port), str(relay.port))
    told: list[int] = []
    failures: list[ClientError] = []

    def cut_once(got: int) -> None:
        if not told:
            relay.cut()
            relay.mend()
        told.append(got)

    def note(error: ClientError, _: float) -> None:
        failures.append(error)

    with Client(ann.server.url, on_retry=note) as client:
        assert client.download(link, tmp_path / "a.mp3", progress=cut_once) == record["bytes"]
    assert len(failures) == 1
    assert told == sorted(told)
    assert os.listdir(tmp_path) == ["a.mp3"]
    mp3 = (tmp_path / "a.mp3").read_bytes()
    assert hashlib.sha256(mp3).hexdigest() == record["receipt"]["mp3"]["sha256"]


def test_a_download_that_always_begins_anew_ends(tmp_path: Path) -> None:
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut"
    waits: list[float] = []

    def note(_: ClientError, seconds: float) -> None:
        waits.append(seconds)
        assert sum(waits) <= 1

    with (
        answering(cut) as url,
        Client(url, patience_seconds=1, on_retry=note) as client,
        pytest.raises(Unreachable, match="broke"),
    ):
        client.download(f"{url}/record?id=1&user=2", tmp_path / "a.mp3")
    assert os.listdir(tmp_path) == []


def test_a_download_that_fails_leaves_what_was_there(client: Client, tmp_path: Path) -> None:
    target = tmp_path / "a.mp3"
    target.write_bytes(b"before")
    target.chmod(0o600)
    wrong = b'HTTP/1.1 200 OK\r\nETag: "' + b"0" * 64 + b'"\r\nContent-Length: 5\r\n\r\nwrong'
    with answering(wrong) as url, pytest.raises(Damaged):
        client.download(f"{url}/record?id=1&user=2", target)
    assert target.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["a.mp3"]


def test_a_download_keeps_the_files_permissions(client: Client, wav: Path, tmp_path: Path) -> None:
    target = tmp_path / "a.mp3"
    target.touch(0o600)
    client.download(client.push(wav), target)
    assert target.stat().st_mode & 0o777 == 0o600


def test_a_download_goes_down_a_pipe(client: Client, wav: Path) -> None:
    record, file = client.push(wav), io.BytesIO()
    client.download(record, file)
    assert hashlib.sha256(file.getvalue()).hexdigest() == record.mp3_sha256


def test_what_is_kept_already_is_not_sent_if_so_asked(client: Client, wav: Path) -> None:
    first = client.push(wav, key="some day")
    told: list[int] = []
    assert client.push(wav, key="another", unless_kept=True, progress=told.append) == first
    assert told == []
    with_options = client.push(wav, bitrate=8, unless_kept=True)
    assert with_options.bitrate == 8
    assert client.push(wav, bitrate=8, key="a third", unless_kept=True) == with_options


def test_what_will_be_gone_soon_is_not_taken_for_kept(client: Client, wav: Path) -> None:
    passing = client.push(wav, expires_in=HOUR)
    staying = client.push(wav, unless_kept=True)
    assert staying.id != passing.id
    assert staying.expires_at is None
    assert client.push(wav, key="again", unless_kept=True) == staying


def test_threads_that_send_the_same_make_one_recording(client: Client, wav: Path) -> None:
    made: list[Record] = []
    threads = [
        threading.Thread(target=lambda: made.append(client.push(wav, unless_kept=True)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({record.id for record in made}) == 1
    assert len(made) == 4
