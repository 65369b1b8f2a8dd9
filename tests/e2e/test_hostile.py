"""Files made to harm: nothing is opened, nobody is called, and the service lives on."""

import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from tests import sound
from tests.service import Caller, assert_problem, running

TONE = sound.wav(sound.tone(0.5, 8_000), 8_000)


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    folder = tmp_path_factory.mktemp("hostile")
    with running(folder / "log", data=str(folder / "data")) as server:
        yield Caller(server)
        assert "Traceback" not in server.log


class Canary:
    """A file and a listening port that nobody should touch."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "canary.wav"
        os.mkfifo(self.path)
        self.was_read = False
        self._writer = Thread(target=self._wait_for_a_reader)
        self._writer.start()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]

    def _wait_for_a_reader(self) -> None:
        # Opening a named pipe waits until somebody opens its other end.
        with self.path.open("wb"):
            self.was_read = True

    @property
    def was_called(self) -> bool:
        try:
            self._listener.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def end(self) -> None:
        """Be the reader that the writer waits for."""
        with self.path.open("rb"):
            self._writer.join()
        self._listener.close()


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Canary]:
    canary = Canary(tmp_path)
    yield canary
    canary.end()


PLAYLISTS = {
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{file}\n#EXTINF:1,\n{url}\n",
    "m3u": "{file}\n{url}\n",
    "ffconcat": "ffconcat version 1.0\nfile '{path}'\nfile '{url}'\n",
    "pls": "[playlist]\nFile1={file}\nFile2={url}\nNumberOfEntries=2\n",
    "smil": "<smil><body><audio src='{url}'/><audio src='{file}'/></body></smil>",
    "xspf": "<?xml version='1.0'?><playlist><location>{url}</location></playlist>",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio {port} RTP/AVP 0\n",
    "a script": "#!/bin/sh\ncat {path}; curl {url}\n",
}


@pytest.mark.parametrize("kind", PLAYLISTS)
def test_a_playlist_named_wav_opens_nothing(kind: str, sender: Caller, canary: Canary) -> None:
    url = f"http://127.0.0.1:{canary.port}/a.wav"
    text = PLAYLISTS[kind].format(
        file=f"file://{canary.path}", path=canary.path, url=url, port=canary.port
    )
    for body in (text, text + "\n" + "#" * 9_000):
        assert_problem(sender.post(body.encode()), 415, "not_a_wav")
    hidden = sound.riff(
        sound.chunk(b"JUNK", text.encode()),
        sound.chunk(b"fmt ", sound.fmt_chunk(0x55, 1, 44_100, 0, block_align=1)),
        sound.chunk(b"data", text.encode() * 50),
    )
    assert sender.post(hidden).status_code in (201, 415, 422)
    assert not canary.was_read
    assert not canary.was_called


FMT = sound.fmt_chunk(1, 1, 8_000, 16)
HEADER_LIES = {
    "4 GB in a chunk before the sound": sound.riff(
        sound.chunk(b"LIST", b"INFO", size=0xFFFFFFFE), sound.chunk(b"fmt ", FMT)
    ),
    "4 GB of fmt": sound.riff(sound.chunk(b"fmt ", FMT, size=0xFFFFFFF0)),
    "block align 0": sound.riff(
        sound.chunk(b"fmt ", struct.pack("<HHIIHH", 2, 1, 8_000, 0, 0, 4)),
        sound.chunk(b"data", bytes(4_000)),
    ),
    "1 Hz": sound.wav(sound.tone(50, 8_000), 1),
    "65,535 channels": sound.riff(
        sound.chunk(b"fmt ", struct.pack("<HHIIHH", 1, 65_535, 8_000, 0, 0, 16)),
        sound.chunk(b"data", bytes(400_000)),
    ),
    "16 EB of Wave64": sound.w64(sound.w64_chunk(b"fmt ", FMT, size=1 << 62)),
    "a million chunks": sound.riff(*[b"JUNK\0\0\0\0"] * 1_000_000),
    "an ID3 tag of 256 MB": b"ID3\3\0\0\x7f\x7f\x7f\x7f" + TONE,
}


@pytest.mark.parametrize("lie", HEADER_LIES)
def test_a_header_that_lies_costs_nothing(lie: str, sender: Caller) -> None:
    answer = sender.post(HEADER_LIES[lie])
    assert answer.status_code in (415, 422), answer.text
    assert "converter child" not in sender.server.log


def test_after_all_that_the_service_converts(sender: Caller) -> None:
    assert sender.post(TONE).status_code == 201
