"""Long files: what arrived before something broke is not sent again."""

import hashlib
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from tests.pushing import kept, long_wav
from tests.relay import Relay
from tests.service import Caller
from wavepost.client import Client, ClientError, SourceChanged
from wavepost.client.resuming import LEAST_PIECE_BYTES

HALF = 8 * 1024**2
ON_THE_WAY = 6 * 1024**2
"""What may be in buffers between here and the server when a line breaks, with room to spare."""


class Withholding(Relay):
    """Holds each request back until it is whole, and gives up on those of more than 4 MiB."""

    LIMIT = 4 * 1024**2

    def _ask(self, caller: socket.socket, server: socket.socket) -> None:
        with suppress(OSError), caller.makefile("rb") as requests:
            while head := b"".join(iter(requests.readline, b"\r\n")):
                length = next(
                    (
                        int(line.split(b":")[1])
                        for line in head.lower().splitlines()
                        if line.startswith(b"content-length:")
                    ),
                    0,
                )
                if length > self.LIMIT:
                    requests.read(self.LIMIT)
                    for side in (caller, server):
                        side.shutdown(socket.SHUT_RDWR)
                        side.close()
                    return
                body = requests.read(length)
                self.passed += len(body)
                server.sendall(head + b"\r\n" + body)


@pytest.fixture(scope="module")
def wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A long file to send."""
    path = tmp_path_factory.mktemp("wavs") / "long.wav"
    path.write_bytes(long_wav())
    return path


def address(relay: Relay) -> str:
    return f"http://127.0.0.1:{relay.port}"


def test_a_long_file_is_sent_whole(ann: Caller, wav: Path) -> None:
    told: list[int] = []
    with Client(ann.server.url, ann.token) as client:
        record = client.push(wav, bitrate=96, progress=told.append)
        assert client.push(wav, bitrate=96) == record
    assert record.source_sha256 == hashlib.sha256(wav.read_bytes()).hexdigest()
    assert (record.name, record.bitrate) == ("long.wav", 96)
    assert told == sorted(told)
    assert told[-1] == wav.stat().st_size
    assert kept(ann) == ["long.wav"]


def test_what_arrived_before_the_line_broke_is_not_sent_again(
    ann: Caller, relay: Relay, wav: Path
) -> None:
    cut: list[int] = []

    def cut_at_half(sent: int) -> None:
        if sent > HALF and not cut:
            cut.append(sent)
            relay.cut()

    def mend(_: ClientError, __: float) -> None:
        relay.mend()

    with Client(address(relay), ann.token, on_retry=mend) as client:
        client.push(wav, progress=cut_at_half)
    assert cut
    assert relay.passed < wav.stat().st_size + ON_THE_WAY
    assert kept(ann) == ["long.wav"]


def test_another_program_goes_on_where_one_was_stopped(
    ann: Caller, relay: Relay, wav: Path
) -> None:
    def stop(sent: int) -> None:
        if sent > HALF:
            raise KeyboardInterrupt

    with Client(address(relay), ann.token) as client, pytest.raises(KeyboardInterrupt):
        client.push(wav, progress=stop)
    told: list[int] = []
    with Client(address(relay), ann.token) as client:
        client.push(wav, progress=told.append)
    assert told[0] > HALF - ON_THE_WAY
    assert relay.passed < wav.stat().st_size + ON_THE_WAY
    assert kept(ann) == ["long.wav"]


def test_pieces_shrink_until_they_come_through(ann: Caller, wav: Path) -> None:
    relay = Withholding(ann.server.port)
    with Client(address(relay), ann.token) as client:
        client.push(wav)
    relay.close()
    assert kept(ann) == ["long.wav"]
    assert relay.passed < wav.stat().st_size + LEAST_PIECE_BYTES


def test_a_long_file_that_is_written_to_meanwhile_is_not_kept(ann: Caller, tmp_path: Path) -> None:
    path = tmp_path / "growing.wav"
    path.write_bytes(long_wav())

    def write(_: int) -> None:
        with path.open("ab") as file:
            file.write(b"more")

    with Client(ann.server.url, ann.token) as client, pytest.raises(SourceChanged):
        client.push(path, progress=write)
    assert kept(ann) == []


def test_an_upload_that_is_gone_is_begun_anew(ann: Caller, relay: Relay, wav: Path) -> None:
    gone: list[str] = []

    def cut_at_half(sent: int) -> None:
        if sent > HALF and not gone:
            relay.cut()

    def remove(_: ClientError, __: float) -> None:
        if not gone:
            location = ann.server.client.post(
                "/uploads",
                headers={**ann.bearer, "Tus-Resumable": "1.0.0", **key_of(wav)},
            ).headers["location"]
            gone.append(location)
            path = "/uploads/" + location.rpartition("/")[2]
            ann.server.client.delete(path, headers={**ann.bearer, "Tus-Resumable": "1.0.0"})
        relay.mend()

    with Client(address(relay), ann.token, on_retry=remove) as client:
        client.push(wav, key="a key", progress=cut_at_half)
    assert gone
    assert kept(ann) == ["long.wav"]


def key_of(wav: Path) -> dict[str, str]:
    """The headers that find the upload of this file again."""
    return {
        "Idempotency-Key": "a key",
        "Upload-Length": str(wav.stat().st_size),
        "Upload-Metadata": "filename bG9uZy53YXY=",
    }
