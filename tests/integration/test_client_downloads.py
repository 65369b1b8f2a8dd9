"""The client's downloads: whole and checked, or not at all."""

import hashlib
import io
import os
from pathlib import Path

import pytest

from tests.relay import Relay
from tests.service import Caller
from tests.stranger import always
from wavepost.client import (
    Client,
    ClientError,
    Damaged,
    Unreachable,
)


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
        always(cut) as url,
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
    with always(wrong) as url, pytest.raises(Damaged):
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
