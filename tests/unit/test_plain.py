"""The short way for 16-bit sound gives what the way through FFmpeg does."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests import sound
from wavepost.audio.container import Wav
from wavepost.audio.decoded import Decoded
from wavepost.audio.plain import Plain, is_plain
from wavepost.audio.source import Source

CLIPPED = np.clip(sound.tone(2, 8_000, (440.0,), level=1.2), -1, 1)
EVERY_CODE = np.random.default_rng(1).permutation(np.arange(256, dtype=np.uint8).repeat(300))


def companded(tag: int) -> bytes:
    fmt = sound.chunk(b"fmt ", sound.fmt_chunk(tag, 1, 8_000, 8))
    return sound.riff(fmt, sound.chunk(b"data", EVERY_CODE.tobytes()))


WAVS = {
    "mono": sound.wav(sound.tone(2, 16_000), 16_000),
    "stereo": sound.wav(sound.tone(2, 44_100, (440.0, 660.0))),
    "clipped": sound.wav(CLIPPED, 8_000),
    "half a sample at the end": sound.wav(sound.tone(2, 8_000), 8_000)[:-1],
    "A-law": companded(6),
    "mu-law": companded(7),
}


@pytest.mark.parametrize("wav", WAVS.values(), ids=WAVS)
def test_both_ways_give_the_same_samples_levels_and_warnings(wav: bytes) -> None:
    outcomes = []
    for way in (Plain, Decoded):
        source = Source(io.BytesIO(wav).read)
        opened = Wav(source)
        assert is_plain(opened.format)
        taken = way(opened, source)
        samples = b"".join(taken.pcm())
        outcomes.append(
            (
                samples,
                taken.levels,
                taken.waveform.dat(),
                taken.warnings,
                taken.samples,
                taken.codec,
                taken.expected_samples,
                taken.channels,
                taken.sample_rate,
            )
        )
    assert outcomes[0] == outcomes[1]
    assert len(outcomes[0][0]) > 0


def test_a_command_loads_neither_ffmpeg_nor_numpy_for_it(tmp_path: Path) -> None:
    (tmp_path / "in.wav").write_bytes(WAVS["stereo"])
    code = (
        "import sys; from wavepost.cli import app;"
        "app(['convert', 'in.wav', 'out.mp3'], standalone_mode=False);"
        "sys.exit(', '.join({'av', 'numpy'} & {*sys.modules}) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(sound.decode((tmp_path / "out.mp3").read_bytes())[0]) == 88_200
