"""Every format that docs/formats.md lists, by what comes out."""

import re
import struct
from pathlib import Path

import numpy as np
import pytest

from tests import sound
from tests.conversions import converted
from wavepost.audio.codecs import CODECS
from wavepost.audio.riff import FORMATS
from wavepost.errors import DamagedWav, UnsupportedCodec

FORMATS_PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text()
TONE = sound.tone(0.5, 16_000, (440.0, 660.0))
FMT = sound.chunk(b"fmt ", sound.fmt_chunk(1, 2, 16_000, 16))
DATA = sound.chunk(b"data", sound.pcm_bytes(TONE, 16))
DS64 = sound.chunk(b"ds64", struct.pack("<QQQI", 0, len(TONE) * 4, len(TONE), 0))
WITHOUT_SIZE = sound.chunk(b"data", sound.pcm_bytes(TONE, 16), size=0xFFFFFFFF)

CONTAINERS = {
    "WAV": sound.riff(FMT, DATA),
    "RIFX": sound.rifx(TONE, 16_000, 16),
    "RF64": sound.riff(DS64, FMT, WITHOUT_SIZE, form=b"RF64"),
    "BW64": sound.riff(DS64, FMT, WITHOUT_SIZE, form=b"BW64"),
    "W64": sound.w64(
        sound.w64_chunk(b"fmt ", sound.fmt_chunk(1, 2, 16_000, 16)),
        sound.w64_chunk(b"fact", bytes(4)),
        sound.w64_chunk(b"data", sound.pcm_bytes(TONE, 16)),
    ),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_every_container_gives_the_same_mp3(name: str) -> None:
    mp3, facts = converted(CONTAINERS[name])
    assert mp3 == converted(CONTAINERS["WAV"])[0]
    assert facts["receipt"]["source"]["format"] == name
    assert facts["receipt"]["warnings"] == []


def test_the_page_lists_the_containers_and_codecs_there_are() -> None:
    assert tuple(CONTAINERS) == FORMATS
    for name in (*FORMATS, *CODECS):
        assert f"\n| `{name}` |" in FORMATS_PAGE


@pytest.mark.parametrize(("bits", "tag"), [(8, 1), (24, 1), (32, 1), (64, 1), (32, 3), (64, 3)])
def test_big_endian_samples_of_every_width(bits: int, tag: int) -> None:
    little = sound.wav(TONE, 16_000, bits) if tag == 1 else sound.float_wav(TONE, 16_000, bits)
    assert converted(sound.rifx(TONE, 16_000, bits, tag))[0] == converted(little)[0]


def test_big_endian_blocks_are_refused_rather_than_turned_into_noise() -> None:
    fmt = struct.pack(">4sIHHIIHHHH", b"fmt ", 20, 0x11, 1, 8000, 4055, 256, 4, 2, 505)
    wav = b"RIFX\0\0\0\0WAVE" + fmt + struct.pack(">4sI", b"data", 512) + bytes(512)
    with pytest.raises(UnsupportedCodec, match="0x0011"):
        converted(wav)


def test_wave64_without_a_size_is_converted_to_its_end() -> None:
    fmt = sound.w64_chunk(b"fmt ", sound.fmt_chunk(1, 2, 16_000, 16))
    data = b"data" + sound.W64_TAIL + bytes(8) + sound.pcm_bytes(TONE, 16)
    mp3, facts = converted(sound.w64(fmt, data))
    assert len(sound.decode(mp3)[0]) == len(TONE)
    assert [found["code"] for found in facts["receipt"]["warnings"]] == ["data_size_missing"]


@pytest.mark.parametrize(
    ("bits", "codec"),
    [
        (int(bits), codec)
        for codec, first, last in re.findall(
            r"^\| `(pcm_[us]\w+)` \| 0x0001 \| (?:(\d+) to )?(\d+) bits", FORMATS_PAGE, re.M
        )
        for bits in sorted({first or last, last})
    ],
)
def test_integers_of_every_number_of_valid_bits(bits: int, codec: str) -> None:
    # The samples are in the upper bits of their container (mmreg.h), which the mask leaves.
    width = (bits + 7) // 8
    whole = np.frombuffer(_padded(sound.pcm_bytes(TONE, width * 8), width), "<i8")
    valid = (whole >> (width * 8 - bits) << (width * 8 - bits)).astype("<i8").tobytes()
    data = b"".join(valid[at : at + width] for at in range(0, len(valid), 8))
    fmt = sound.fmt_chunk(1, 2, 16_000, bits)
    mp3, facts = converted(sound.riff(sound.chunk(b"fmt ", fmt), sound.chunk(b"data", data)))
    heard, _ = sound.decode(mp3)
    assert facts["receipt"]["source"]["codec"] == codec
    assert sound.pitch(heard[:, 1], 16_000) == pytest.approx(660, abs=3)
    assert sound.loudness_db(heard[:, 0]) == pytest.approx(-9.03, abs=0.6)


def _padded(data: bytes, width: int) -> bytes:
    """Integers of `width` bytes, signed or one byte each, as ones of eight."""
    rows = np.frombuffer(data, np.uint8).reshape(-1, width)
    sign = np.where((rows[:, -1:] > 127) & (width > 1), 255, 0).astype(np.uint8)
    return np.hstack([rows, sign.repeat(8 - width, axis=1)]).tobytes()


@pytest.mark.parametrize("valid_bits", [20, 24])
@pytest.mark.parametrize("width", [3, 4])
def test_extensible_with_fewer_valid_bits_than_the_container(valid_bits: int, width: int) -> None:
    fmt = sound.extensible_fmt(1, 2, 16_000, 8 * width, valid_bits=valid_bits, mask=3)
    data = sound.pcm_bytes(TONE, 8 * width)
    mp3, facts = converted(sound.riff(sound.chunk(b"fmt ", fmt), sound.chunk(b"data", data)))
    assert facts["receipt"]["source"]["codec"] == f"pcm_s{8 * width}le"
    assert sound.loudness_db(sound.decode(mp3)[0][:, 0]) == pytest.approx(-9.03, abs=0.6)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 32])
def test_one_to_32_channels(channels: int) -> None:
    samples = sound.tone(0.2, 8_000, (440.0,) * channels)
    mp3, facts = converted(sound.wav(samples, 8_000))
    heard, rate = sound.decode(mp3)
    assert heard.shape == (1600, 1 if channels == 1 or channels > 8 else 2)
    assert sound.pitch(heard[:, 0], rate) == pytest.approx(440, abs=5)
    assert facts["receipt"]["source"]["channels"] == channels


@pytest.mark.parametrize("rate", [1_000, 6_000, 44_056, 88_200, 96_000, 192_000, 768_000])
def test_rates_from_1_to_768_khz(rate: int) -> None:
    mp3, facts = converted(sound.wav(sound.tone(0.5, rate, (200.0,)), rate))
    heard, heard_rate = sound.decode(mp3)
    assert len(heard) == facts["receipt"]["mp3"]["samples"]
    assert len(heard) / heard_rate == pytest.approx(0.5, abs=0.001)
    assert sound.pitch(heard[:, 0], heard_rate) == pytest.approx(200, abs=3)


@pytest.mark.parametrize("mask", [0x1F, 0x117, 0x7F, 0x1C, 0x2D63F, 0x2D60F, 0xFFFF, 0xFFFFFFFF])
def test_no_speaker_but_the_lfe_is_lost_in_the_mix(mask: int) -> None:
    bits = [bit for bit in range(32) if mask >> bit & 1]
    for channel, bit in enumerate(bits):
        samples = np.zeros((1_600, len(bits)))
        samples[:, channel] = sound.tone(0.2, 8_000)[:, 0]
        fmt = sound.extensible_fmt(1, len(bits), 8_000, 16, valid_bits=16, mask=mask)
        data = sound.chunk(b"data", sound.pcm_bytes(samples, 16))
        heard, _ = sound.decode(converted(sound.riff(sound.chunk(b"fmt ", fmt), data))[0])
        assert heard.shape == (1_600, 2)
        loudest = max(sound.loudness_db(side) for side in heard.T)
        assert (loudest > -45) == (bit != 3), bit


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
def test_integers_of_every_width_are_mixed_alike(bits: int) -> None:
    samples = sound.tone(0.3, 16_000, (440.0, 440.0, 440.0), level=0.9)
    heard, _ = sound.decode(converted(sound.wav(samples, 16_000, bits))[0])
    assert sound.loudness_db(heard[:, 0]) == pytest.approx(-3.92 - 0.45, abs=0.3)


def test_big_endian_extensible_as_sox_writes_it_and_as_it_should_be() -> None:
    plain = sound.rifx(TONE, 16_000, 24)
    fmt = struct.pack(">HHIIHHHHI", 0xFFFE, 2, 16_000, 96_000, 6, 24, 22, 24, 3)
    tail = bytes.fromhex("000000001000800000aa00389b71")
    for guid in (b"\0\1" + tail, struct.pack(">IHH", 1, 0, 16) + tail[6:]):
        body = struct.pack(">4sI", b"fmt ", 40) + fmt + guid + plain[36:]
        wav = b"RIFX" + struct.pack(">I", 4 + len(body)) + b"WAVE" + body
        assert converted(wav)[0] == converted(plain)[0]


def test_an_mp3_in_a_wav_may_be_other_than_its_header_says() -> None:
    mono = converted(sound.wav(sound.tone(1, 16_000), 16_000))[0]
    stereo = converted(sound.wav(sound.tone(1, 24_000, (440.0, 440.0)), 24_000))[0]
    for body in (mono, mono + stereo):
        fmt = sound.fmt_chunk(0x55, 1, 44_100, 0, block_align=1)
        fmt += struct.pack("<HHIHHH", 12, 1, 0, 0, 1, 0)
        mp3, facts = converted(sound.riff(sound.chunk(b"fmt ", fmt), sound.chunk(b"data", body)))
        heard, rate = sound.decode(mp3)
        assert rate == 44_100
        assert "header_wrong" in [found["code"] for found in facts["receipt"]["warnings"]]
        assert facts["duration"] == pytest.approx(len(heard) / rate, abs=0.001)
        assert facts["duration"] == pytest.approx(1 if body is mono else 2, abs=0.25)
        assert sound.pitch(heard[:, 0], rate) == pytest.approx(440, abs=3)


def test_400_kb_at_1_hz_do_not_become_days_of_mp3() -> None:
    with pytest.raises(DamagedWav, match="1 samples a second"):
        converted(sound.wav(np.zeros((200_000, 1)), 1))
