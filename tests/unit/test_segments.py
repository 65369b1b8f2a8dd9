"""An MP3 made in segments is the one that a single encoder would have made."""

import lameenc
import numpy as np
import pytest

from tests import sound
from tests.conversions import converted
from tests.unit.test_frames import frames_of, main_data_begin
from wavepost.audio import segments
from wavepost.audio.encoder import Wanted
from wavepost.audio.info import lead_in
from wavepost.audio.segment import BLOCK_FRAMES
from wavepost.audio.segments import Segments, segment_blocks

FEW_BLOCKS = 4
"""Segments as short as they can be tried at: 196 frames, with a run-in of 98."""

CONSTANT, VARIABLE = Wanted(), Wanted(quality=5)


def music_like(seconds: float, rate: int, channels: int = 2) -> sound.Samples:
    """Four plucked notes a second, with all their harmonics, some of them with a drum."""
    rng = np.random.default_rng(2)
    samples = np.zeros((round(seconds * rate), channels))
    for begin in range(0, len(samples), rate // 4):
        time = np.arange(min(rate, len(samples) - begin)) / rate
        pitch = 110 * 2 ** (rng.integers(36) / 12)
        harmonics = np.arange(1, 9)[:, None]
        note = (np.sin(2 * np.pi * pitch * harmonics * time) / harmonics).sum(axis=0)
        note *= np.exp(-3 * time) * rng.uniform(0.05, 0.15)
        if rng.random() < 0.3:
            note += 0.1 * rng.standard_normal(len(time)) * np.exp(-50 * time)
        samples[begin : begin + len(time)] += note[:, None] * rng.uniform(0.5, 1, channels)
    return samples


def loud_and_silent(seconds: float, rate: int) -> sound.Samples:
    """Music in stretches of very different loudness: what an encoder has heard lasts longest."""
    samples = music_like(seconds, rate, 1)
    levels = np.random.default_rng(3).choice([1, 0.1, 0.01, 0.001, 0], size=int(seconds) + 1)
    return samples * np.repeat(levels, rate)[: len(samples), None]


def noise(seconds: float, rate: int) -> sound.Samples:
    return 0.1 * np.random.default_rng(4).standard_normal((round(seconds * rate), 2))


def sweep(seconds: float, rate: int) -> sound.Samples:
    """A sine that rises from 50 Hz to 0.3 of the rate, each octave in the same time."""
    time = np.arange(round(seconds * rate)) / rate
    octaves = np.log(0.3 * rate / 50)
    phase = 2 * np.pi * 50 * seconds / octaves * (np.exp(time / seconds * octaves) - 1)
    return 0.5 * np.sin(phase).reshape(-1, 1)


def encoded_at_once(samples: sound.Samples, rate: int, wanted: Wanted, kbps: int) -> bytes:
    """What one encoder makes of all of it, without the first frame that describes the rest."""
    lame = constant_lame(rate, samples.shape[1], kbps)
    if wanted.quality is not None:
        lame.set_vbr(4)
        lame.set_vbr_quality(wanted.quality)
    start = bytes(2 * samples.shape[1] * lead_in(rate))
    return bytes(lame.encode(start + sound.pcm_bytes(samples, 16))) + bytes(lame.flush())


def constant_lame(rate: int, channels: int, kbps: int) -> lameenc.Encoder:
    lame = lameenc.Encoder()
    lame.silence()
    lame.set_channels(channels)
    lame.set_in_sample_rate(rate)
    lame.set_out_sample_rate(rate)
    lame.set_quality(5)
    lame.set_bit_rate(kbps)
    return lame


def without_head(mp3: bytes) -> bytes:
    return mp3[len(frames_of(mp3)[0][1]) :]


@pytest.fixture
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "segment_blocks", lambda _: FEW_BLOCKS)


SOUNDS = {
    "speech at 8 kHz": (sound.speech_like(100, 8_000), 8_000),
    "music at 22.05 kHz": (music_like(60, 22_050), 22_050),
    "music at 44.1 kHz": (music_like(60, 44_100), 44_100),
    "noise at 48 kHz": (noise(40, 48_000), 48_000),
    "loud and silent": (loud_and_silent(60, 44_100), 44_100),
    "a sweep": (sweep(40, 44_100), 44_100),
}


@pytest.mark.parametrize("wanted", [CONSTANT, VARIABLE], ids=["constant", "variable"])
@pytest.mark.parametrize("name", SOUNDS)
@pytest.mark.usefixtures("short_segments")
def test_it_sounds_as_if_encoded_at_once(name: str, wanted: Wanted) -> None:
    samples, rate = SOUNDS[name]
    mp3, facts = converted(sound.wav(samples, rate), wanted, threads=2)
    frames = without_head(mp3)
    serial = encoded_at_once(samples, rate, wanted, facts["bitrate"])
    heard, expected = sound.decode(frames)[0], sound.decode(serial)[0]
    assert heard.shape == expected.shape
    if wanted is VARIABLE:
        assert np.array_equal(heard, expected)
        return
    assert len(frames) == len(serial)
    assert np.array_equal(heard, expected) or nearly_as_good(heard, expected, samples, rate)


def nearly_as_good(
    heard: sound.Samples, serial: sound.Samples, samples: sound.Samples, rate: int
) -> bool:
    """Within 0.05 dB over the whole, and no frame worse than the worst of the serial encode."""
    delay = 1105 + lead_in(rate)
    length = min(len(samples), len(serial) - delay)
    original = samples[:length]
    errors = [copy[delay : delay + length] - original for copy in (heard, serial)]
    whole = [np.sum(error**2) for error in errors]
    frame = 1152 * samples.shape[1]
    worst = [
        np.add.reduceat((error**2).ravel(), range(0, error.size, frame)).max() for error in errors
    ]
    return bool(10 * np.log10(whole[0] / whole[1]) < 0.05 and worst[0] <= worst[1])


@pytest.mark.parametrize("wanted", [CONSTANT, VARIABLE], ids=["constant", "variable"])
def test_the_same_bytes_come_from_any_number_of_threads(wanted: Wanted) -> None:
    wav = sound.wav(music_like(100, 32_000), 32_000)
    one, two, five = (converted(wav, wanted, threads=threads) for threads in (1, 2, 5))
    assert one == two
    assert one == five


@pytest.mark.parametrize("wanted", [CONSTANT, VARIABLE], ids=["constant", "variable"])
@pytest.mark.usefixtures("short_segments")
def test_no_frame_near_a_join_points_before_the_data_there_is(wanted: Wanted) -> None:
    mp3, facts = converted(sound.wav(music_like(60, 44_100)), wanted, threads=2)
    frames = frames_of(without_head(mp3))
    assert len(frames) == facts["receipt"]["mp3"]["frames"]
    reservoir = 0
    for header, frame in frames:
        assert main_data_begin(header, frame) <= reservoir
        reservoir += len(frame) - 4 - header.side_info_bytes
    if wanted is CONSTANT:
        assert {header.kbps for header, _ in frames} == {facts["bitrate"]}


@pytest.mark.usefixtures("short_segments")
def test_a_sweep_through_fifty_joins_has_no_step() -> None:
    rate = 8_000
    samples = sweep(51 * FEW_BLOCKS * BLOCK_FRAMES * 576 / rate, rate)
    mp3, facts = converted(sound.wav(samples, rate), Wanted(bitrate=32), threads=2)
    heard, _ = sound.decode(mp3)
    assert len(heard) == len(samples)
    serial, _ = sound.decode(encoded_at_once(samples, rate, CONSTANT, 32))
    serial = serial[1105 + lead_in(rate) :][: len(samples)]
    residual, expected = heard - samples, serial - samples
    assert np.abs(residual).max() <= np.abs(expected).max() + 1e-6
    assert facts["receipt"]["mp3"]["mode"] == "CBR 32"


@pytest.mark.parametrize("extra", [-1, 0, 1, 2 * BLOCK_FRAMES * 576, 2 * BLOCK_FRAMES * 576 + 1])
@pytest.mark.usefixtures("short_segments")
def test_no_sample_is_lost_wherever_the_sound_ends(extra: int) -> None:
    rate, length = 16_000, 2 * FEW_BLOCKS * BLOCK_FRAMES * 576 + extra
    samples = sound.speech_like(length / rate, rate)
    for wanted in (CONSTANT, VARIABLE):
        heard, _ = sound.decode(converted(sound.wav(samples, rate), wanted, threads=3)[0])
        assert len(heard) == length


@pytest.mark.usefixtures("short_segments")
def test_an_encoder_that_no_other_agrees_with_carries_on_to_the_end() -> None:
    rate = 44_100
    samples = noise(30, rate)
    wanted = iter([96, 128, 160, 192] * 4)
    encoder = Segments(
        lambda: constant_lame(rate, 2, next(wanted)),
        frame_bytes=4 * 1152,
        expected_frames=None,
        threads=2,
        variable=False,
    )
    mp3 = b"".join((*encoder.encode(sound.pcm_bytes(samples, 16)), *encoder.finish()))
    assert encoder.tally.bytes == len(mp3)
    assert mp3 == encoded_at_once(samples, rate, CONSTANT, 96)


def test_segments_are_of_equal_length_and_bounded() -> None:
    assert segment_blocks(None) == segments.MAX_SEGMENT_BLOCKS
    for frames in (0, 1, 190, 2_297, 22_970, 137_813, 10**12):
        blocks = segment_blocks(frames)
        assert blocks <= segments.MAX_SEGMENT_BLOCKS
        assert blocks >= segments.MIN_SEGMENT_BLOCKS


def test_an_encoder_that_fails_on_its_thread_fails_the_whole() -> None:
    class Broken:
        def encode(self, samples: bytes) -> bytes:
            raise MemoryError

        def flush(self) -> bytes:
            return b""

    encoder = Segments(Broken, frame_bytes=2304, expected_frames=None, threads=2, variable=False)
    silence = bytes(500 * BLOCK_FRAMES * 2304)
    with pytest.raises(MemoryError):
        list(encoder.encode(silence))
    encoder.close()
