"""Every kind of damage that docs/formats.md lists: what is converted, and the warning."""

import re
import struct
from pathlib import Path

import numpy as np
import pytest

from tests import sound
from tests.conversions import converted
from wavepost.audio import warnings
from wavepost.audio.encoder import Wanted

FORMATS_PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text()
RATE = 8_000
TONE = sound.tone(1, RATE)
BYTES = sound.pcm_bytes(TONE, 16)
FMT = sound.chunk(b"fmt ", sound.fmt_chunk(1, 1, RATE, 16))
DATA = sound.chunk(b"data", BYTES)
TITLE = sound.chunk(b"LIST", b"INFO" + sound.chunk(b"INAM", b"Tone\0"))
LOUD = np.clip(sound.tone(1, RATE, level=1.2), -1, 1)
EIGHT_BITS = sound.chunk(b"fmt ", sound.fmt_chunk(1, 1, RATE, 8))
ODD = struct.pack("<4sI", b"data", 7_999) + sound.pcm_bytes(TONE, 8)[:7_999]


def sized(claimed: int) -> bytes:
    return sound.chunk(b"data", BYTES, size=claimed)


DAMAGED = {
    "size 0": (sound.riff(FMT, sized(0)), 8_000, ["data_size_missing"]),
    "size 0xFFFFFFFF": (sound.riff(FMT, sized(0xFFFFFFFF)), 8_000, ["data_size_missing"]),
    "size 0x7FFFFFFF": (sound.riff(FMT, sized(0x7FFFFFFF)), 8_000, ["data_size_missing"]),
    "24 bits from SoX on a pipe": (
        sound.riff(
            sound.chunk(b"fmt ", sound.fmt_chunk(1, 1, RATE, 24)),
            sound.chunk(b"data", sound.pcm_bytes(TONE, 24), size=0x7FFFEFFF),
        ),
        8_000,
        ["data_size_missing"],
    ),
    "RF64 without ds64": (
        sound.riff(FMT, sized(0xFFFFFFFF), form=b"RF64"),
        8_000,
        ["data_size_missing"],
    ),
    "RF64 with an empty ds64": (
        sound.riff(sound.chunk(b"ds64", bytes(28)), FMT, sized(0xFFFFFFFF), form=b"RF64"),
        8_000,
        ["data_size_missing"],
    ),
    "more than the header says": (sound.riff(FMT, sized(4_000)), 8_000, ["data_size_wrong"]),
    "much less than the header says": (sound.riff(FMT, sized(99_999)), 8_000, ["data_truncated"]),
    "cut within a sample": (
        sound.riff(FMT, DATA)[:-5],
        7_997,
        ["data_truncated", "partial_sample"],
    ),
    "a trailing half sample": (
        sound.riff(FMT, sound.chunk(b"data", BYTES[:-1])),
        7_999,
        ["partial_sample"],
    ),
    "an odd chunk without its pad": (
        sound.riff(FMT, b"note\3\0\0\0abc", DATA),
        8_000,
        ["pad_missing"],
    ),
    "odd sound without its pad": (sound.riff(EIGHT_BITS, ODD, TITLE), 7_999, ["pad_missing"]),
    "odd sound at the very end": (sound.riff(EIGHT_BITS, ODD), 7_999, []),
    "junk behind the sound": (sound.riff(FMT, DATA) + b"\1junk", 8_000, ["trailing_data"]),
    "zeros behind the sound": (sound.riff(FMT, DATA) + bytes(9_000), 8_000, ["trailing_data"]),
    "another WAV behind it": (2 * sound.riff(FMT, DATA), 8_000, ["trailing_data"]),
    "an ID3v1 tag behind it": (
        sound.riff(FMT, DATA) + b"TAG" + bytes(125),
        8_000,
        ["trailing_data"],
    ),
    "a second sound": (sound.riff(FMT, DATA, DATA), 8_000, ["trailing_data"]),
    "a Wave64 whose sound goes on": (
        sound.w64(
            sound.w64_chunk(b"fmt ", sound.fmt_chunk(1, 1, RATE, 16)),
            sound.w64_chunk(b"data", BYTES, size=8_000),
        ),
        8_000,
        ["data_size_wrong"],
    ),
    "text behind a Wave64": (
        sound.w64(
            sound.w64_chunk(b"fmt ", sound.fmt_chunk(1, 1, RATE, 16)),
            sound.w64_chunk(b"data", BYTES),
        )
        + b"some text" * 20,
        8_000,
        ["trailing_data"],
    ),
    "RF64 with an absurd size": (
        sound.riff(
            sound.chunk(b"ds64", struct.pack("<QQQI", 0, 2**64 - 1, 0, 0)),
            FMT,
            sized(0xFFFFFFFF),
            form=b"RF64",
        ),
        8_000,
        ["data_size_missing"],
    ),
    "RF64 whose short size is right": (
        sound.riff(
            sound.chunk(b"ds64", struct.pack("<QQQI", 0, 900, 0, 0)), FMT, DATA, TITLE, form=b"RF64"
        ),
        8_000,
        [],
    ),
    "a chunk cut off": (sound.riff(FMT, DATA, TITLE)[:-4], 8_000, []),
    "junk chunks everywhere": (
        sound.riff(*[sound.chunk(b"JUNK", bytes(28))] * 50, FMT, b"fact\0\0\0\0", DATA, TITLE),
        8_000,
        [],
    ),
    "a wrong RIFF size": (
        b"RIFF" + struct.pack("<I", 1) + sound.riff(FMT, DATA)[8:],
        8_000,
        [],
    ),
    "clipped": (sound.wav(LOUD, RATE), 8_000, ["clipped"]),
    "clipped in 24 bits": (sound.wav(LOUD, RATE, 24), 8_000, ["clipped"]),
    "huge floats": (sound.float_wav(TONE * 1e30, RATE, 32), 8_000, ["clipped"]),
    "floats that are no numbers": (
        sound.float_wav(np.where(np.arange(8_000)[:, None] % 80 == 0, np.nan, TONE), RATE, 32),
        8_000,
        ["not_finite"],
    ),
    "two ID3v2 tags in front, one with a footer": (
        b"ID3\4\0\x10\0\0\0\4abcd3DI\4\0\x10\0\0\0\4ID3\3\0\0\0\0\0\2ab" + sound.riff(FMT, DATA),
        8_000,
        [],
    ),
    "an ID3v2 tag in front": (b"ID3\3\0\0\0\0\0\4abcd" + sound.riff(FMT, DATA), 8_000, []),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_what_can_be_recovered_is_converted_in_full(name: str) -> None:
    wav, samples, codes = DAMAGED[name]
    mp3, facts = converted(wav)
    heard, rate = sound.decode(mp3)
    assert [found["code"] for found in facts["receipt"]["warnings"]] == codes
    assert len(heard) == facts["receipt"]["mp3"]["samples"] == samples
    assert np.isfinite(heard).all()
    assert sound.pitch(heard[:, 0], rate) == pytest.approx(440, abs=3)
    assert facts["receipt"]["source"]["bytes"] == len(wav)


def test_sound_that_goes_on_in_an_rf64_is_measured_by_its_64_bit_size() -> None:
    ds64 = sound.chunk(b"ds64", struct.pack("<QQQI", 0, 4_000, 0, 0))
    _, facts = converted(sound.riff(ds64, FMT, sized(0xFFFFFFFF), form=b"RF64"))
    (warning,) = facts["receipt"]["warnings"]
    assert warning["code"] == "data_size_wrong"
    assert " 4000 bytes" in warning["detail"]


def test_the_page_lists_every_warning_and_no_other() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", FORMATS_PAGE.partition("## Damage")[2], re.M)
    functions = [name for name in vars(warnings) if name[0].islower()]
    assert listed == functions


def test_every_warning_on_the_page_has_a_test() -> None:
    tested = {code for _, _, codes in DAMAGED.values() for code in codes}
    elsewhere = {"data_damaged", "header_wrong", "downmixed", "resampled", "bitrate_adjusted"}
    assert tested | elsewhere == {name for name in vars(warnings) if name[0].islower()}


def test_blocks_that_no_decoder_reads_are_left_out() -> None:
    fmt = sound.fmt_chunk(0x55, 1, 44_100, 0, block_align=1)
    mp3, _ = converted(sound.wav(sound.tone(2)), Wanted(bitrate=64))
    broken = bytearray(mp3)
    broken[6_000:6_400] = b"\xff\xfb\x90\x64" * 100
    wav = sound.riff(
        sound.chunk(b"fmt ", fmt + struct.pack("<HHIHHH", 12, 1, 0, 0, 1, 0)),
        sound.chunk(b"data", bytes(broken)),
    )
    heard, _ = sound.decode(converted(wav)[0])
    assert len(heard) > 44_100
