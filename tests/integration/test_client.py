"""The client against a real server: what is sent is kept, what comes back is checked."""

import hashlib
import io
import os
import pickle
import socket
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import sound
from tests.integration.conftest import WAV
from tests.relay import Relay
from tests.service import Caller, Server, wait_for
from wavepost.client import (
    Client,
    ClientError,
    Record,
    Refused,
    SourceChanged,
    Unauthorized,
    Unreachable,
    UnusableWav,
)

HOUR = 3600


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
