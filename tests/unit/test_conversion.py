"""A WAV becomes the MP3 that it should be: every MP3 here is decoded again."""

import io
import struct
from typing import Any

import av
import numpy as np
import pytest

from tests import sound
from tests.conversions import converted
from wavepost.audio.codecs import CODECS
from wavepost.audio.encoder import DEFAULT_KBPS, Wanted
from wavepost.audio.rates import MP3_RATES
from wavepost.errors import EmptyAudio, TooLong, UnsupportedCodec


def warning_codes(facts: dict[str, Any]) -> list[str]:
    return [warning["code"] for warning in facts["receipt"]["warnings"]]


@pytest.mark.parametrize("rate", MP3_RATES)
@pytest.mark.parametrize("hertz", [(440.0,), (440.0, 660.0)], ids=["mono", "stereo"])
@pytest.mark.parametrize("bits", [8, 16, 24, 32])
def test_pcm_of_every_width_keeps_its_samples_pitch_and_loudness(
    rate: int, hertz: tuple[float, ...], bits: int
) -> None:
    samples = sound.tone(0.7, rate, hertz)
    mp3, facts = converted(sound.wav(samples, rate, bits))
    heard, heard_rate = sound.decode(mp3)
    assert heard_rate == rate
    assert heard.shape == samples.shape
    assert facts["receipt"]["mp3"]["samples"] == facts["receipt"]["source"]["samples"] == len(heard)
    assert facts["bitrate"] == DEFAULT_KBPS[rate][len(hertz) - 1]
    for channel, expected in enumerate(hertz):
        assert sound.pitch(heard[:, channel], rate) == pytest.approx(expected, abs=2)
        assert sound.loudness_db(heard[:, channel]) == pytest.approx(
            sound.loudness_db(samples[:, channel]), abs=0.5
        )


@pytest.mark.parametrize("bits", [32, 64])
def test_floats_become_the_same_sound_as_integers(bits: int) -> None:
    samples = sound.tone(0.5, 48_000, (440.0, 550.0))
    mp3, facts = converted(sound.float_wav(samples, 48_000, bits))
    heard, _ = sound.decode(mp3)
    assert heard.shape == samples.shape
    assert facts["receipt"]["peak_dbfs"] == pytest.approx(-6.02, abs=0.01)
    assert sound.loudness_db(heard[:, 1]) == pytest.approx(
        sound.loudness_db(samples[:, 1]), abs=0.5
    )


@pytest.mark.parametrize(("tag", "codec"), [(6, "pcm_alaw"), (7, "pcm_mulaw")])
def test_telephone_companding_at_8_khz(tag: int, codec: str) -> None:
    # The top bits of each code are the sign and the segment: a square wave between two codes.
    loud, quiet = {6: (0xAA, 0x2A), 7: (0x80, 0x00)}[tag]
    data = bytes(loud if (at // 10) % 2 else quiet for at in range(8000))
    fmt = sound.fmt_chunk(tag, 1, 8000, 8)
    mp3, facts = converted(sound.riff(sound.chunk(b"fmt ", fmt), sound.chunk(b"data", data)))
    heard, _ = sound.decode(mp3)
    assert facts["receipt"]["source"]["codec"] == codec
    assert facts["bitrate"] >= 24
    assert len(heard) == 8000
    assert sound.pitch(heard[:, 0], 8000) == pytest.approx(400, abs=2)
    assert sound.loudness_db(heard[:, 0]) > -1


def test_stereo_stays_stereo() -> None:
    samples = sound.tone(0.5, 44_100, (440.0, 880.0))
    samples[:, 1] *= 0.25
    heard, _ = sound.decode(converted(sound.wav(samples))[0])
    left, right = (sound.loudness_db(heard[:, channel]) for channel in (0, 1))
    assert left - right == pytest.approx(12, abs=0.5)


def test_speech_keeps_its_shape_in_time() -> None:
    samples = sound.speech_like(3, 16_000)
    heard, _ = sound.decode(converted(sound.wav(samples, 16_000))[0])

    def envelope(channel: np.ndarray) -> np.ndarray:
        return np.sqrt(np.mean(channel[: 16_000 * 3 // 160 * 160].reshape(-1, 160) ** 2, axis=1))

    before, after = envelope(samples[:, 0]), envelope(heard[:, 0])
    assert np.corrcoef(before, after)[0, 1] > 0.98


@pytest.mark.parametrize("samples", [*range(1, 60, 7), 575, 576, 577, 1151, 1152, 1153, 2304])
@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (24_000, 2), (44_100, 1), (48_000, 2)])
@pytest.mark.parametrize("quality", [None, 4], ids=["constant", "variable"])
def test_the_shortest_recordings_decode_to_the_sample(
    samples: int, rate: int, channels: int, quality: int | None
) -> None:
    silence = np.zeros((samples, channels))
    mp3, _ = converted(sound.wav(silence, rate), Wanted(quality=quality))
    assert sound.decode(mp3)[0].shape == (samples, channels)


@pytest.mark.parametrize(
    ("rate", "mp3_rate"), [(1_000, 8_000), (9_600, 11_025), (37_800, 44_100), (192_000, 48_000)]
)
def test_other_rates_are_resampled_and_the_receipt_says_so(rate: int, mp3_rate: int) -> None:
    samples = sound.tone(1, rate, (220.0,))
    mp3, facts = converted(sound.wav(samples, rate))
    heard, heard_rate = sound.decode(mp3)
    assert heard_rate == facts["sample_rate"] == mp3_rate
    assert facts["duration"] == 1
    assert len(heard) == pytest.approx(mp3_rate, abs=1)
    assert sound.pitch(heard[:, 0], heard_rate) == pytest.approx(220, abs=2)
    assert sound.loudness_db(heard[:, 0]) == pytest.approx(
        sound.loudness_db(samples[:, 0]), abs=0.5
    )
    assert warning_codes(facts) == ["resampled"]


def test_a_sound_shorter_than_the_resamplers_filter_is_not_lost() -> None:
    mp3, _ = converted(sound.wav(np.zeros((2, 1)), 80_000))
    assert len(sound.decode(mp3)[0]) == 2


def test_six_channels_are_mixed_down_by_the_standard_coefficients() -> None:
    pitches = (400.0, 600.0, 900.0, 60.0, 1300.0, 1700.0)  # FL FR FC LFE BL BR
    mp3, facts = converted(sound.wav(sound.tone(0.5, 48_000, pitches, level=0.9), 48_000))
    heard, rate = sound.decode(mp3)
    assert warning_codes(facts) == ["downmixed"]
    assert facts["channels"] == 2
    spectrum = np.abs(np.fft.rfft(heard[:, 0] * np.hanning(len(heard))))

    def level(hertz: float) -> float:
        return float(20 * np.log10(spectrum[round(hertz * len(heard) / rate)] + 1e-9))

    assert level(900) - level(400) == pytest.approx(-3, abs=0.3)
    assert level(1300) - level(400) == pytest.approx(-3, abs=0.3)
    assert level(600) - level(400) < -40
    assert np.abs(heard).max() <= 1.0


def test_channels_without_speakers_are_mixed_to_one() -> None:
    mp3, facts = converted(sound.wav(sound.tone(0.3, 48_000, tuple([500.0] * 12)), 48_000))
    heard, rate = sound.decode(mp3)
    assert facts["channels"] == heard.shape[1] == 1
    assert sound.pitch(heard[:, 0], rate) == pytest.approx(500, abs=4)
    assert sound.loudness_db(heard[:, 0]) == pytest.approx(-9.03, abs=0.5)


def test_24_valid_bits_in_32_are_not_noise() -> None:
    samples = sound.tone(0.5, 48_000, (440.0, 660.0))
    fmt = sound.extensible_fmt(1, 2, 48_000, 32, valid_bits=24, mask=3)
    data = sound.pcm_bytes(samples, 32)
    mp3, _ = converted(sound.riff(sound.chunk(b"fmt ", fmt), sound.chunk(b"data", data)))
    heard, rate = sound.decode(mp3)
    assert heard.shape == samples.shape
    assert sound.pitch(heard[:, 1], rate) == pytest.approx(660, abs=3)


def test_a_bitrate_is_honoured() -> None:
    samples = sound.tone(2, 44_100, (440.0, 660.0))
    mp3, facts = converted(sound.wav(samples), Wanted(bitrate=192))
    assert facts["bitrate"] == 192
    assert facts["receipt"]["mp3"]["mode"] == "CBR 192"
    assert len(mp3) * 8 / 2 == pytest.approx(192_000, rel=0.04)


def test_a_bitrate_that_the_rate_does_not_have_becomes_the_nearest() -> None:
    _, facts = converted(sound.wav(sound.tone(0.5, 8_000), 8_000), Wanted(bitrate=320))
    assert facts["bitrate"] == 64
    assert warning_codes(facts) == ["bitrate_adjusted"]


@pytest.mark.parametrize("quality", [0, 9])
def test_variable_bitrate_keeps_the_samples(quality: int) -> None:
    samples = sound.speech_like(2, 44_100)
    mp3, facts = converted(sound.wav(samples), Wanted(quality=quality))
    assert sound.decode(mp3)[0].shape == samples.shape
    assert facts["receipt"]["mp3"]["mode"] == f"VBR {quality}"


def test_better_quality_takes_more_bytes() -> None:
    wav = sound.wav(sound.speech_like(2, 44_100))
    sizes = [len(converted(wav, Wanted(quality=quality))[0]) for quality in (0, 5, 9)]
    assert sizes == sorted(sizes, reverse=True)


def test_clipping_and_peak_are_counted_before_the_mix() -> None:
    samples = sound.tone(0.1, 44_100, (440.0, 440.0), level=0.5)
    samples[10:13, 0] = 1.0
    _, facts = converted(sound.wav(samples))
    assert facts["receipt"]["peak_dbfs"] == 0
    assert facts["receipt"]["clipped_samples"] == 3


def test_silence_has_a_peak_that_json_can_hold() -> None:
    _, facts = converted(sound.wav(np.zeros((100, 1))))
    assert facts["receipt"]["peak_dbfs"] == -150


def test_floats_that_are_no_numbers_become_silence() -> None:
    samples = sound.tone(0.5, 44_100)
    samples[100:200] = np.nan
    samples[300] = np.inf
    mp3, facts = converted(sound.float_wav(samples, 44_100, 32))
    heard, rate = sound.decode(mp3)
    assert warning_codes(facts) == ["not_finite"]
    assert np.abs(heard).max() < 0.7
    assert sound.pitch(heard[:, 0], rate) == pytest.approx(440, abs=3)


def test_a_pipes_header_of_unknown_length_is_converted_to_the_end() -> None:
    samples = sound.tone(0.5, 8_000)
    data = sound.pcm_bytes(samples, 16)
    for claimed in (0, 0xFFFFFFFF, 0x7FFFFFFF):
        wav = sound.riff(
            sound.chunk(b"fmt ", sound.fmt_chunk(1, 1, 8_000, 16)),
            sound.chunk(b"data", data, size=claimed),
        )
        mp3, facts = converted(wav)
        assert sound.decode(mp3)[0].shape == samples.shape
        assert warning_codes(facts) == ["data_size_missing"]


def test_sound_that_ends_too_soon_is_converted_as_far_as_it_goes() -> None:
    wav = sound.wav(sound.tone(1, 8_000), 8_000)
    mp3, facts = converted(wav[:-4001])
    assert len(sound.decode(mp3)[0]) == 8000 - 2001
    assert warning_codes(facts) == ["data_truncated", "partial_sample"]


def test_chunks_behind_the_sound_are_not_heard_but_hashed() -> None:
    samples = sound.tone(0.2, 8_000)
    plain = sound.wav(samples, 8_000)
    tagged = plain + sound.chunk(b"LIST", b"INFO" + bytes(range(256)) * 40)
    mp3, facts = converted(plain)
    mp3_tagged, facts_tagged = converted(tagged)
    assert mp3 == mp3_tagged
    assert facts_tagged["receipt"]["source"]["bytes"] == len(tagged)
    assert facts["receipt"]["source"]["sha256"] != facts_tagged["receipt"]["source"]["sha256"]


def test_rf64_takes_its_size_from_ds64() -> None:
    samples = sound.tone(0.2, 48_000)
    data = sound.pcm_bytes(samples, 24)
    ds64 = struct.pack("<QQQI", 0, len(data), len(samples), 0)
    wav = sound.riff(
        sound.chunk(b"ds64", ds64),
        sound.chunk(b"fmt ", sound.fmt_chunk(1, 1, 48_000, 24)),
        sound.chunk(b"data", data, size=0xFFFFFFFF),
        sound.chunk(b"LIST", b"INFO" + b"\x7f\x80" * 4000),
        form=b"RF64",
    )
    mp3, facts = converted(wav)
    assert sound.decode(mp3)[0].shape == samples.shape
    assert facts["receipt"]["source"]["format"] == "RF64"
    assert warning_codes(facts) == []


def test_more_seconds_than_allowed_are_refused() -> None:
    with pytest.raises(TooLong, match="up to 1 seconds"):
        converted(sound.wav(sound.tone(3, 8_000), 8_000), max_seconds=1)


def test_no_samples_is_an_error_and_never_an_empty_mp3() -> None:
    with pytest.raises(EmptyAudio):
        converted(sound.wav(np.zeros((0, 1))))


@pytest.mark.parametrize("tag", [0x0000, 0x0070, 0x0161, 0xF1AC, 0xFFFF])
def test_a_codec_that_is_not_taken_is_named(tag: int) -> None:
    wav = sound.riff(
        sound.chunk(b"fmt ", sound.fmt_chunk(tag, 1, 8_000, 8)), sound.chunk(b"data", bytes(800))
    )
    with pytest.raises(UnsupportedCodec, match=f"0x{tag:04X}"):
        converted(wav)


def test_the_same_wav_gives_the_same_bytes_however_it_arrives() -> None:
    wav = sound.wav(sound.speech_like(2, 16_000), 16_000)
    whole, _ = converted(wav)
    for size in (1000, 4096, 65_536):
        assert converted(wav, piece_bytes=size)[0] == whole


def av_wav(codec: str, rate: int, channels: int, samples: sound.Samples) -> bytes:
    """A WAV in any codec that FFmpeg can write."""
    file = io.BytesIO()
    layout = "mono" if channels == 1 else "stereo"
    with av.open(file, mode="w", format="wav") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        assert isinstance(stream, av.AudioStream)
        whole = np.round(samples * 32767).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(whole, format="s16", layout=layout)
        frame.sample_rate = rate
        resampler = av.AudioResampler(
            format=stream.format.name,
            layout=layout,
            rate=rate,
            frame_size=stream.codec_context.frame_size or 1024,
        )
        for piece in (*resampler.resample(frame), *resampler.resample(None), None):
            container.mux(stream.encode(piece))
    return file.getvalue()


@pytest.mark.parametrize("codec", sorted(set(CODECS) - {"gsm_ms"}))
def test_every_codec_that_is_promised_is_converted(codec: str) -> None:
    rate = {"adpcm_g722": 16_000, "adpcm_g726": 8_000}.get(codec, 22_050)
    channels = 1 if codec in ("adpcm_g722", "adpcm_g726") else 2
    samples = sound.tone(1, rate, (440.0, 440.0)[:channels])
    encoder = {"mp3": "libmp3lame", "adpcm_g722": "g722", "adpcm_g726": "g726"}.get(codec, codec)
    mp3, facts = converted(av_wav(encoder, rate, channels, samples))
    heard, heard_rate = sound.decode(mp3)
    assert facts["receipt"]["source"]["codec"] == codec
    assert facts["duration"] == pytest.approx(1, abs=0.15)
    assert sound.pitch(heard[:, 0], heard_rate) == pytest.approx(440, abs=3)
    assert sound.loudness_db(heard[:, 0]) == pytest.approx(-9.03, abs=1.5)


@pytest.mark.parametrize(
    ("size", "codes"), [(25 * 65, set()), (0x7FFFEFC2, {"data_size_missing"})], ids=["file", "pipe"]
)
def test_gsm_as_phone_systems_write_it(size: int, codes: set[str]) -> None:
    # WAV49: blocks of 65 bytes are 320 samples; a block of this pattern decodes to some sound.
    fmt = sound.fmt_chunk(0x31, 1, 8_000, 0, block_align=65) + struct.pack("<HH", 2, 320)
    block = np.random.default_rng(1).integers(0, 256, 65, dtype=np.uint8).tobytes()
    wav = sound.riff(sound.chunk(b"fmt ", fmt), sound.chunk(b"data", block * 25, size=size))
    mp3, facts = converted(wav)
    assert facts["receipt"]["source"]["codec"] == "gsm_ms"
    found = {warning["code"] for warning in facts["receipt"]["warnings"]}
    assert found - {"clipped"} == codes
    assert len(sound.decode(mp3)[0]) == 25 * 320
