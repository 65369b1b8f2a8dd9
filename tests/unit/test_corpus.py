"""Recordings from elsewhere, each with its verdict; they are not part of the project.

Where the folder is not there (`WAVEPOST_CORPUS` names it), sounds made here stand in, so that
these tests never pass by doing nothing.
"""

import csv
from dataclasses import dataclass

import numpy as np
import pytest

from tests import sound
from tests.conversions import converted
from wavepost.errors import WavError


@dataclass(frozen=True)
class Sample:
    name: str
    expected: str
    seconds: float | None
    hertz: float | None
    loud: bool
    wav: bytes


def samples() -> list[Sample]:
    verdicts = sound.CORPUS / "EXPECTED.tsv"
    if not verdicts.exists():
        return made_here()
    with verdicts.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [
        Sample(
            row["file"],
            row["expected"],
            float(row["secs"]) if row["secs"] else None,
            float(row["tone"]) if row["tone"] else None,
            "loud" in row["check"],
            (sound.CORPUS / row["file"]).read_bytes(),
        )
        for row in rows
    ]


def made_here() -> list[Sample]:
    tone = sound.wav(sound.tone(1, 22_050), 22_050)
    return [
        Sample("tone", "convert", 1, 440, True, tone),
        Sample("speech", "convert", 2, None, False, sound.wav(sound.speech_like(2, 8_000), 8_000)),
        Sample("cut", "either", None, 440, False, tone[:9_999]),
        Sample("text", "reject", None, None, False, b"no sound at all"),
    ]


# Block codecs fill their last block, which the verdicts' durations leave out.
BLOCK_SECONDS = 0.12


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_a_recording_from_elsewhere(sample: Sample) -> None:
    if sample.expected == "reject":
        with pytest.raises(WavError):
            converted(sample.wav, max_seconds=86_400)
        return
    try:
        mp3, facts = converted(sample.wav, max_seconds=86_400)
    except WavError:
        if sample.expected == "convert":
            raise
        return
    heard, rate = sound.decode(mp3)
    assert len(heard) == facts["receipt"]["mp3"]["samples"]
    assert np.isfinite(heard).all()
    if sample.expected == "convert" and sample.seconds is not None:
        assert sample.seconds - 0.002 <= facts["duration"] <= sample.seconds + BLOCK_SECONDS
    if sample.loud:
        # A sine's mean is 3.01 dB below its peak, which the receipt has from before the encoding;
        # LAME itself takes 0.45 dB off (its scale of 0.95). Telephone codecs raise the peaks.
        is_plain = facts["receipt"]["source"]["codec"].startswith(("pcm_s", "pcm_f"))
        loudest = max(sound.loudness_db(channel) for channel in heard.T)
        expected = facts["receipt"]["peak_dbfs"] - 3.01 - 0.45
        assert loudest == pytest.approx(expected, abs=0.15 if is_plain else 0.8)
    if sample.hertz is not None:
        pitches = [sound.pitch(channel, rate) for channel in heard.T]
        # The first channel has the tone; the next ones are a quarter, a half, … above it.
        nearest = min(
            abs(found / sample.hertz * 4 % 1 - edge) for found in pitches for edge in (0, 1)
        )
        assert nearest < 0.05 + 4 * rate / len(heard) / sample.hertz, pitches
