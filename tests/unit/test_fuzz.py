"""WAVs that hypothesis makes, whole and broken: an MP3 that keeps its word, or a clear error.

`make fuzz` looks for longer.
"""

import os
import struct

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import sound
from tests.conversions import converted
from tests.unit.test_frames import frames_of, main_data_begin
from wavepost.audio.encoder import Wanted
from wavepost.errors import WavError

settings.register_profile(
    "fuzz", deadline=None, suppress_health_check=[*HealthCheck], print_blob=True
)
FOUND = settings.get_profile("fuzz")
EXAMPLES = int(os.environ.get("WAVEPOST_FUZZ_EXAMPLES", "60"))

TAGS = [0x0001, 0x0001, 0x0001, 0x0002, 0x0003, 0x0006, 0x0007, 0x0011, 0x0031, 0x0045, 0x0055]
TAGS += [0x0065, 0xFFFE, 0x0161]
RATES = st.sampled_from([1_000, 8_000, 11_025, 16_000, 22_255, 44_100, 48_000, 96_000])
CHUNKS = st.lists(
    st.builds(
        sound.chunk,
        st.sampled_from([b"JUNK", b"LIST", b"bext", b"id3 ", b"fact", b"ds64", b"fmt ", b"cue "]),
        st.binary(max_size=60) | st.binary(max_size=60).map(lambda noise: b"INFOINAM" + noise),
    ),
    max_size=3,
)


@st.composite
def wavs(draw: st.DrawFn) -> bytes:
    """A WAV of any codec, container and layout, with sound of any bytes."""
    tag, channels = draw(st.sampled_from(TAGS)), draw(st.sampled_from([1, 2, 2, 3, 6, 32]))
    bits = draw(st.sampled_from([8, 16, 16, 20, 24, 32, 64, 4]))
    width = (bits + 7) // 8
    align = draw(st.sampled_from([channels * width] * 3 + [0, 1, 65, 256, 1024]))
    rate = draw(RATES)
    if tag == 0xFFFE:
        fmt = sound.extensible_fmt(
            draw(st.sampled_from([1, 3, 6])), channels, rate, bits, valid_bits=bits, mask=3
        )
    else:
        fmt = sound.fmt_chunk(tag, channels, rate, bits, block_align=align)
        fmt += draw(st.binary(max_size=12))
    size = draw(st.integers(0, 6_000))
    seed = draw(st.integers(0, 1_000))
    body = np.random.default_rng(seed).integers(0, 256, size, np.uint8).tobytes()
    claimed = draw(st.sampled_from([size] * 4 + [0, 1, size // 2, 0xFFFFFFFF, 99_999]))
    form = draw(st.sampled_from([b"RIFF"] * 4 + [b"RF64", b"RIFX", b"BW64"]))
    return sound.riff(
        *draw(CHUNKS),
        sound.chunk(b"fmt ", fmt),
        *draw(CHUNKS),
        sound.chunk(b"data", body, size=claimed),
        *draw(CHUNKS),
        form=form,
    )


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """One of them with a few bytes changed, cut out or put in."""
    wav = bytearray(draw(wavs()))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, min(len(wav), 200)))
        kind = draw(st.sampled_from(["change", "number", "cut", "insert"]))
        if kind == "change":
            wav[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
        elif kind == "number":
            extremes = [0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF]
            wav[at : at + 4] = struct.pack("<I", draw(st.sampled_from(extremes)))
        elif kind == "cut":
            del wav[at : at + draw(st.integers(1, 40))]
        else:
            wav[at:at] = draw(st.binary(min_size=1, max_size=40))
    return bytes(wav)


WANTED = st.sampled_from([Wanted(), Wanted(bitrate=320), Wanted(bitrate=8), Wanted(quality=4)])


@settings(FOUND, max_examples=EXAMPLES)
@given(wavs() | mutated(), WANTED)
def test_an_mp3_that_keeps_its_word_or_a_clear_error(wav: bytes, wanted: Wanted) -> None:
    try:
        mp3, facts = converted(wav, wanted, max_seconds=60)
    except WavError:
        return
    receipt = facts["receipt"]
    heard, rate = sound.decode(mp3)
    assert rate == facts["sample_rate"]
    assert len(heard) == receipt["mp3"]["samples"] > 0
    assert receipt["source"]["bytes"] == len(wav)
    assert len(mp3) < 8_000 + 40_000 * (facts["duration"] + 0.2)


@st.composite
def sounds(draw: st.DrawFn) -> sound.Samples:
    """Half a minute and more of tones, noise, clicks and silence, in stretches of any length."""
    rate, channels = draw(st.sampled_from([16_000, 24_000])), draw(st.sampled_from([1, 2]))
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    stretches = []
    for _ in range(draw(st.integers(3, 8))):
        length = draw(st.integers(rate // 10, 15 * rate))
        level = draw(st.sampled_from([0.0, 0.001, 0.1, 0.9]))
        kind = draw(st.sampled_from(["tone", "noise", "clicks"]))
        if kind == "tone":
            stretch = sound.tone(length / rate, rate, (draw(st.integers(40, 7_000)),) * channels)
        elif kind == "noise":
            stretch = random.uniform(-1, 1, (length, channels))
        else:
            stretch = (random.uniform(0, 1, (length, channels)) > 0.999).astype(float)
        stretches.append(level * stretch)
    return np.vstack(stretches)


@settings(FOUND, max_examples=max(EXAMPLES // 6, 10))
@given(sounds(), st.sampled_from([16_000, 24_000]), WANTED)
def test_joined_segments_decode_to_every_sample_whatever_the_threads(
    samples: sound.Samples, rate: int, wanted: Wanted
) -> None:
    wav = sound.wav(samples, rate)
    mp3, facts = converted(wav, wanted, threads=1)
    assert converted(wav, wanted, threads=3)[0] == mp3
    assert len(sound.decode(mp3)[0]) == facts["receipt"]["mp3"]["samples"] == len(samples)
    reservoir = 0
    for header, frame in frames_of(mp3)[1:]:
        assert main_data_begin(header, frame) <= reservoir
        reservoir += len(frame) - 4 - header.side_info_bytes
