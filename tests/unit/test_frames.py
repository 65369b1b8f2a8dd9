"""The MP3's frames hold together: a strict parser and the Info frame's arithmetic."""

import struct

import numpy as np
import pytest

from tests import sound
from tests.conversions import converted
from wavepost.audio.encoder import Wanted
from wavepost.audio.frames import FrameHeader, Frames, Tally, bitrates
from wavepost.audio.info import crc16


def frames_of(mp3: bytes) -> list[tuple[FrameHeader, bytes]]:
    """Every frame, from the first byte to the last with nothing between them."""
    frames, at = [], 0
    while at < len(mp3):
        header = FrameHeader.parse(mp3[at : at + 4])
        frames.append((header, mp3[at : at + header.frame_bytes]))
        at += header.frame_bytes
    assert at == len(mp3)
    return frames


def main_data_begin(header: FrameHeader, frame: bytes) -> int:
    """How many bytes before its own a frame's data begins (11172-3 2.4.1.7)."""
    bits = int.from_bytes(frame[4:6], "big")
    return bits >> 7 if header.version == 3 else bits >> 8


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("wanted", [Wanted(), Wanted(quality=2)], ids=["constant", "variable"])
def test_no_frame_points_before_the_data_there_is(rate: int, channels: int, wanted: Wanted) -> None:
    samples = np.repeat(sound.speech_like(3, rate), channels, axis=1)
    mp3, facts = converted(sound.wav(samples, rate), wanted)
    _, *frames = frames_of(mp3)
    assert len(frames) == facts["receipt"]["mp3"]["frames"]
    reservoir = 0
    for header, frame in frames:
        assert header.sample_rate == rate
        assert main_data_begin(header, frame) <= reservoir
        reservoir += len(frame) - 4 - header.side_info_bytes


def info_of(mp3: bytes) -> tuple[bytes, dict[str, int], bytes]:
    """The first frame's name, its numbers, and LAME's extension."""
    header, frame = frames_of(mp3)[0]
    at = 4 + header.side_info_bytes
    name, flags = frame[at : at + 4], int.from_bytes(frame[at + 4 : at + 8], "big")
    at += 8
    numbers = {}
    for bit, (key, size) in {
        1: ("frames", 4),
        2: ("bytes", 4),
        4: ("toc", 100),
        8: ("q", 4),
    }.items():
        if flags & bit:
            numbers[key] = int.from_bytes(frame[at : at + size], "big")
            at += size
    assert int.from_bytes(frame[at + 34 : at + 36], "big") == crc16(frame[: at + 34])
    return name, numbers, frame[at : at + 36]


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
def test_the_info_frame_of_a_constant_bitrate(rate: int) -> None:
    samples = sound.tone(1.3, rate)
    mp3, facts = converted(sound.wav(samples, rate))
    name, numbers, lame = info_of(mp3)
    assert name == b"Info"
    assert "toc" not in numbers
    assert numbers["frames"] == facts["receipt"]["mp3"]["frames"]
    assert numbers["bytes"] == len(mp3)
    assert frames_of(mp3)[0][0].kbps == facts["bitrate"]
    delay, padding = (lambda gaps: (gaps >> 12, gaps & 0xFFF))(int.from_bytes(lame[21:24], "big"))
    frame_samples = 1152 if rate >= 32_000 else 576
    assert numbers["frames"] * frame_samples - delay - padding == len(samples)
    assert struct.unpack(">I", lame[28:32])[0] == len(mp3)


def test_the_xing_frame_of_a_variable_bitrate_finds_places_to_a_256th() -> None:
    quiet, loud = np.zeros((44_100 * 4, 1)), sound.speech_like(4, 44_100)
    mp3, _ = converted(sound.wav(np.concatenate([quiet, loud])), Wanted(quality=4))
    name, numbers, _ = info_of(mp3)
    assert name == b"Xing"
    toc = numbers["toc"].to_bytes(100, "big")
    frames = frames_of(mp3)
    starts = np.cumsum([0, *(len(frame) for _, frame in frames)])[1:-1]
    for part in range(100):
        true_place = starts[part * len(starts) // 100]
        assert toc[part] == pytest.approx(true_place * 256 / len(mp3), abs=1.01)


def test_frames_are_counted_however_their_bytes_come() -> None:
    mp3, _ = converted(sound.wav(sound.speech_like(1, 44_100)))
    expected = len(frames_of(mp3))
    for size in (1, 3, 417, 5000):
        frames = Frames()
        for at in range(0, len(mp3), size):
            frames.feed(mp3[at : at + size])
        assert len(frames) == expected
        assert frames.take(0, expected) == mp3


def test_a_frame_counts_once_it_is_whole() -> None:
    mp3, _ = converted(sound.wav(sound.speech_like(1, 44_100)))
    first = len(frames_of(mp3)[0][1])
    frames = Frames()
    for end, whole in ((3, 0), (first - 1, 0), (first, 1), (first + 3, 1)):
        frames.feed(mp3[len(frames.data) : end])
        assert len(frames) == whole


def test_the_tallys_memory_has_a_bound() -> None:
    frames = Frames()
    frames.feed(100 * (bytes.fromhex("fffb9064") + bytes(413)))
    tally = Tally()
    while tally.frames < 5 * Tally.SEEK_POINTS:
        tally.add(frames, 0, 7)
        tally.add(frames, 7, 100)
    table = tally.seek_table(100)
    assert len(tally._seek_points) <= Tally.SEEK_POINTS
    assert table[0] == 0
    assert table[50] == pytest.approx(tally.bytes / 2, rel=0.01)


@pytest.mark.parametrize("raw", ["00000000", "fffb0064", "fffbf064", "ffeb9064", "fffd9064"])
def test_what_is_no_frame_header_is_refused(raw: str) -> None:
    with pytest.raises(ValueError, match="header"):
        FrameHeader.parse(bytes.fromhex(raw))


def test_telephone_rates_end_at_lames_own_ceiling() -> None:
    assert bitrates(8_000)[-1] == 64
    assert bitrates(16_000)[-1] == 160
    assert bitrates(44_100)[-1] == 320


def test_the_checksum_is_crc_16_arc() -> None:
    assert crc16(b"123456789") == 0xBB3D
