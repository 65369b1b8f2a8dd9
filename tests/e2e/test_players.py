"""What real players make of an MP3 with many joins."""

import subprocess
import threading
import wave
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue

import av
import pytest

from tests import sound
from tests.conversions import converted
from tests.players import chromium, tool
from tests.unit.test_segments import music_like
from wavepost.audio import segments
from wavepost.audio.encoder import Wanted

RATE, SECONDS = 44_100, 60

PAGE = b"""<!doctype html><script>
fetch("/music.mp3").then(answer => answer.arrayBuffer())
  .then(bytes => new OfflineAudioContext(2, 1, 44100).decodeAudioData(bytes))
  .then(sound => `${sound.length} samples of ${sound.numberOfChannels} channels`, String)
  .then(found => fetch("/found", {method: "POST", body: found}));
</script>"""


@pytest.fixture(params=[Wanted(), Wanted(quality=4)], ids=["constant", "variable"])
def mp3(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A minute of music in a dozen segments."""
    monkeypatch.setattr(segments, "segment_blocks", lambda _: 4)
    path = tmp_path / "music.mp3"
    path.write_bytes(converted(sound.wav(music_like(SECONDS, RATE)), request.param, threads=2)[0])
    return path


def test_ffmpeg_has_nothing_to_complain_of(mp3: Path) -> None:
    av.logging.set_level(av.logging.WARNING)
    try:
        with av.logging.Capture() as complaints:
            heard, _ = sound.decode(mp3.read_bytes())
    finally:
        av.logging.set_level(None)
    assert complaints == []
    assert heard.shape == (SECONDS * RATE, 2)


def test_mpg123_has_nothing_to_complain_of(mp3: Path) -> None:
    decoded = mp3.with_suffix(".wav")
    command = [tool("mpg123"), "-q", "-w", str(decoded), str(mp3)]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stderr == b""
    with wave.open(str(decoded)) as wav:
        assert wav.getnframes() == SECONDS * RATE


def test_chromium_decodes_every_sample(mp3: Path) -> None:
    found: SimpleQueue[str] = SimpleQueue()

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(mp3.read_bytes() if self.path == "/music.mp3" else PAGE)

        def do_POST(self) -> None:
            found.put(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.answer(b"")

        def answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        page = f"http://127.0.0.1:{site.server_port}/"
        command = [*chromium(mp3.parent / "profile"), "--remote-debugging-port=0", page]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as browser:
            try:
                assert found.get(timeout=60) == f"{SECONDS * RATE} samples of 2 channels"
            finally:
                browser.terminate()
        site.shutdown()
