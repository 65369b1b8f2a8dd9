"""What a WAV's header says, and what is said of headers that are none."""

import contextlib
import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import sound
from wavepost.audio.container import Wav
from wavepost.audio.source import Source
from wavepost.errors import DamagedWav, EmptyAudio, NotAWav, UnsupportedCodec, WavError

FMT = sound.chunk(b"fmt ", sound.fmt_chunk(1, 2, 44_100, 16))
DATA = sound.chunk(b"data", bytes(400))


def opened(wav: bytes) -> Wav:
    return Wav(Source(io.BytesIO(wav).read))


def test_the_plain_header_of_44_bytes() -> None:
    found = opened(sound.wav(np.zeros((100, 2))))
    assert found.data_size == 400
    assert (found.format.channels, found.format.sample_rate, found.format.bits) == (2, 44_100, 16)


@pytest.mark.parametrize(
    "before",
    [
        sound.chunk(b"JUNK", bytes(28)),
        sound.chunk(b"bext", bytes(603)),
        sound.chunk(b"LIST", b"INFOIART" + bytes(9)),
    ],
)
def test_unknown_chunks_are_passed_over(before: bytes) -> None:
    assert opened(sound.riff(before, FMT, before, DATA)).data_size == 400


def test_a_forgotten_pad_byte_is_noticed() -> None:
    odd = struct.pack("<4sI", b"note", 3) + b"abc"
    assert opened(sound.riff(odd, FMT, odd, DATA)).data_size == 400


def test_a_pad_byte_that_is_not_zero_is_noticed() -> None:
    odd = struct.pack("<4sI", b"note", 3) + b"abcd"
    assert opened(sound.riff(FMT, odd, DATA)).data_size == 400


def test_the_width_of_a_sample_comes_from_the_block_not_from_the_valid_bits() -> None:
    fmt = sound.fmt_chunk(1, 2, 48_000, 20, block_align=6)
    assert opened(sound.riff(sound.chunk(b"fmt ", fmt), DATA)).format.sample_bytes == 3


@pytest.mark.parametrize("size", [*range(1, 44)])
def test_a_header_cut_off_anywhere_is_damaged_or_no_wav(size: int) -> None:
    with pytest.raises((DamagedWav, NotAWav)):
        opened(sound.wav(np.zeros((100, 2)))[:size])


@pytest.mark.parametrize(
    ("start", "looks_like"),
    [
        (b"ID3\x04" + bytes(60), "an MP3"),
        (b"OggS" + bytes(60), "an Ogg file"),
        (b"fLaC" + bytes(60), "a FLAC"),
        (b"PK\x03\x04" + bytes(60), "a ZIP archive"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "a playlist"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "XML or HTML"),
        (b"Dear Sir or Madam, please find attached", "text"),
        (b"\0\0\0\x20ftypM4A " + bytes(60), "an MP4 file"),
        (b"RIFF\0\0\0\0AVI LIST" + bytes(60), "a RIFF file of type 'AVI'"),
        (b"\x01\x02\x03" * 30, "something other than a WAV"),
    ],
)
def test_what_is_no_wav_is_named(start: bytes, looks_like: str) -> None:
    with pytest.raises(NotAWav, match=looks_like):
        opened(start)


def test_an_empty_file_says_so() -> None:
    with pytest.raises(NotAWav, match="empty"):
        opened(b"")


def test_data_before_fmt_is_damaged() -> None:
    with pytest.raises(DamagedWav):
        opened(sound.riff(DATA, FMT))


@pytest.mark.parametrize("rate", [0, 100, 999, 768_001, 0xFFFFFFFF])
def test_impossible_rates_are_damaged(rate: int) -> None:
    fmt = struct.pack("<HHIIHH", 1, 1, rate, 0, 2, 16)
    with pytest.raises(DamagedWav, match=str(rate)):
        opened(sound.riff(sound.chunk(b"fmt ", fmt), DATA))


@pytest.mark.parametrize("channels", [33, 256, 0xFFFF])
def test_too_many_channels_are_refused(channels: int) -> None:
    fmt = struct.pack("<HHIIHH", 1, channels, 8000, 0, 0, 16)
    with pytest.raises(UnsupportedCodec, match=str(channels)):
        opened(sound.riff(sound.chunk(b"fmt ", fmt), DATA))


def test_a_foreign_subtype_is_refused() -> None:
    fmt = sound.extensible_fmt(1, 2, 8000, 16, valid_bits=16, mask=3)[:-4] + b"\1\2\3\4"
    with pytest.raises(UnsupportedCodec, match="01020304"):
        opened(sound.riff(sound.chunk(b"fmt ", fmt), DATA))


def test_an_empty_data_chunk_is_empty_audio() -> None:
    tags = sound.chunk(b"LIST", b"INFO" + bytes(50))
    with pytest.raises(EmptyAudio):
        opened(sound.riff(FMT, sound.chunk(b"data", b""), tags))


@given(st.binary(max_size=300), st.integers(0, 60))
def test_no_header_whatever_does_worse_than_a_clear_error(noise: bytes, at: int) -> None:
    wav = bytearray(sound.wav(np.zeros((10, 2))))
    wav[at : at + len(noise)] = noise
    with contextlib.suppress(WavError):
        assert opened(bytes(wav)).format.channels > 0
