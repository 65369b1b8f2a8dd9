"""The waveform: right in time and height, and bounded."""

import numpy as np
import pytest

from tests import sound
from tests.conversions import converted_with_waveform
from wavepost.audio.waveform import MAX_PIXELS, Waveform, as_json


def test_the_pixels_follow_the_sound() -> None:
    quiet, loud = sound.tone(1, 8_000, level=0.1), sound.tone(1, 8_000, level=0.8)
    document = as_json(converted_with_waveform(sound.wav(np.vstack([quiet, loud]), 8_000)))
    pixels = np.array(document.pop("data")).reshape(-1, 2)
    assert document == {
        "version": 2,
        "channels": 1,
        "sample_rate": 8_000,
        "samples_per_pixel": 256,
        "bits": 8,
        "length": 63,
    }
    assert len(pixels) == 63
    assert pixels[:31, 1] == pytest.approx(0.1 * 128, abs=1)
    assert pixels[32:62, 1] == pytest.approx(0.8 * 128, abs=1)
    assert pixels[32:62, 0] == pytest.approx(-0.8 * 128, abs=1)


@pytest.mark.parametrize("bits", [16, 24])
def test_all_channels_are_drawn_as_one(bits: int) -> None:
    samples = np.zeros((1_000, 2))
    samples[300, 0], samples[700, 1] = 0.5, -0.25
    pixels = as_json(converted_with_waveform(sound.wav(samples, 8_000, bits)))["data"]
    assert pixels == [0, 0, 0, 64, -32, 0, 0, 0]


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("piece_samples", [1, 100, 4_096, 1 << 20])
def test_the_pixels_are_the_same_in_whatever_pieces_and_stay_few(
    channels: int, piece_samples: int
) -> None:
    samples = np.random.default_rng(1).integers(-32_768, 32_768, (300_000, channels), "<i2")
    samples = samples if piece_samples > 1 else samples[:3_000]
    waveform = Waveform(44_100, channels)
    for at in range(0, len(samples), piece_samples):
        waveform.add(samples[at : at + piece_samples].tobytes())
    document = as_json(waveform.dat())
    a_pixel = document["samples_per_pixel"]
    assert document["length"] == -(-len(samples) // a_pixel) < MAX_PIXELS
    stretches = [samples[at : at + a_pixel] for at in range(0, len(samples), a_pixel)]
    expected = [[one.min() >> 8, one.max() >> 8] for one in stretches]
    assert np.array(document["data"]).reshape(-1, 2).tolist() == expected


def test_hours_have_no_more_pixels_than_minutes() -> None:
    waveform, minute = Waveform(8_000, 1), bytes(2 * 60 * 8_000)
    for _ in range(600):
        waveform.add(minute)
    assert MAX_PIXELS / 2 <= as_json(waveform.dat())["length"] < MAX_PIXELS
