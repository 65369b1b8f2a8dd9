"""MP3 frame headers (ISO/IEC 11172-3 2.4.1.3, 13818-3; MPEG-2.5 for 8 to 12 kHz)."""

from dataclasses import dataclass
from functools import cache

_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_MPEG1_KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MPEG2_KBPS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_MONO = 3

HEADER_BYTES = 4
ENCODER_DELAY = 576
"""Samples LAME puts before the sound; a decoder adds 529 of its own, 1105 in all."""

MIN_PADDING = 576
"""Samples LAME puts behind it, at least."""

MPEG25_MAX_KBPS = 64
"""LAME's own ceiling at 8 to 12 kHz."""


ALL_BITRATES = tuple(sorted({*_MPEG1_KBPS[1:], *_MPEG2_KBPS[1:]}))


def bitrates(sample_rate: int) -> tuple[int, ...]:
    """The constant bitrates in kbit/s at an MP3 sample rate in Hz, ascending."""
    if sample_rate >= 32_000:
        return _MPEG1_KBPS[1:]
    if sample_rate >= 16_000:
        return _MPEG2_KBPS[1:]
    return tuple(kbps for kbps in _MPEG2_KBPS[1:] if kbps <= MPEG25_MAX_KBPS)


def frame_samples(sample_rate: int) -> int:
    """Samples a channel in a frame at an MP3 sample rate in Hz."""
    return 1152 if sample_rate >= 32_000 else 576


@dataclass(frozen=True)
class FrameHeader:
    """The first four bytes of a Layer III frame."""

    raw: bytes
    version: int
    bitrate_index: int
    rate_index: int
    padding: int
    mode: int

    @classmethod
    def parse(cls, raw: bytes) -> "FrameHeader":
        """Raises ValueError where `raw` (4 bytes) is no Layer III header."""
        version, layer = raw[1] >> 3 & 3, raw[1] >> 1 & 3
        bitrate_index, rate_index = raw[2] >> 4, raw[2] >> 2 & 3
        valid = raw[0] == 0xFF and raw[1] & 0xE0 == 0xE0 and version != 1 and layer == 1
        if not valid or bitrate_index in (0, 15) or rate_index == 3:
            raise ValueError(f"not a Layer III frame header: {raw.hex()}")
        return cls(raw, version, bitrate_index, rate_index, raw[2] >> 1 & 1, raw[3] >> 6)

    @property
    def sample_rate(self) -> int:
        """Hz."""
        return _RATES[self.version][self.rate_index]

    @property
    def kbps(self) -> int:
        """The bitrate in kbit/s."""
        return (_MPEG1_KBPS if self.version == 3 else _MPEG2_KBPS)[self.bitrate_index]

    @property
    def samples(self) -> int:
        """Samples a channel in a frame: 1152, or 576 below 32 kHz."""
        return frame_samples(self.sample_rate)

    @property
    def channels(self) -> int:
        """1 or 2."""
        return 1 if self.mode == _MONO else 2

    @property
    def side_info_bytes(self) -> int:
        """The side information that follows the header (11172-3 2.4.1.7)."""
        if self.version == 3:
            return 17 if self.mode == _MONO else 32
        return 9 if self.mode == _MONO else 17

    @property
    def frame_bytes(self) -> int:
        """The whole frame, header included."""
        return self.samples // 8 * self.kbps * 1000 // self.sample_rate + self.padding

    def with_room_for(self, size: int) -> "FrameHeader":
        """The same header, unpadded, at the lowest bitrate from its own up that holds `size` bytes.

        Its own first: players that know no Info frame take the length from the first header.
        """
        for index in range(self.bitrate_index, 15):
            third = index << 4 | self.rate_index << 2 | self.raw[2] & 1
            header = FrameHeader.parse(bytes((self.raw[0], self.raw[1], third, self.raw[3])))
            if header.frame_bytes >= size:
                return header
        raise ValueError(f"no frame holds {size} bytes")


class Frames:
    """The frames of one encoder, as their bytes come out in any pieces.

    Attributes:
        data: the bytes so far.
        starts: where each frame begins in `data`; the last is where the next one will.
    """

    def __init__(self) -> None:
        self.data = bytearray()
        self.starts = [0]

    def __len__(self) -> int:
        """How many are whole."""
        return len(self.starts) - (1 if self.starts[-1] <= len(self.data) else 2)

    def feed(self, piece: bytes) -> None:
        """Take the next bytes. Raises ValueError where a frame does not begin where it should."""
        self.data += piece
        start = self.starts[-1]
        while start + HEADER_BYTES <= len(self.data):
            # The first byte is the same in all, and the fourth says nothing of the size.
            start += _frame_bytes(self.data[start + 1], self.data[start + 2])
            self.starts.append(start)

    def header(self, number: int) -> FrameHeader:
        """The header of frame `number`."""
        start = self.starts[number]
        return FrameHeader.parse(bytes(self.data[start : start + HEADER_BYTES]))

    def reach_highest_bitrate(self) -> bool:
        """Whether any frame has the highest bitrate that there is."""
        return any(self.data[start + 2] >> 4 == 14 for start in self.starts[: len(self)])

    def take(self, begin: int, end: int) -> bytes:
        """The bytes of the frames from `begin` up to `end`."""
        return bytes(self.data[self.starts[begin] : self.starts[end]])


@cache
def _frame_bytes(second: int, third: int) -> int:
    return FrameHeader.parse(bytes((0xFF, second, third, 0))).frame_bytes


class Tally:
    """What the first frame says of all the others, counted as they are written.

    Attributes:
        first: the first one's header; None until it came.
        frames: how many were written.
        bytes: their sum.
    """

    SEEK_POINTS = 1024

    def __init__(self) -> None:
        self.first: FrameHeader | None = None
        self.frames = 0
        self.bytes = 0
        self._seek_points: list[int] = []
        self._frames_a_point = 1

    def add(self, frames: Frames, begin: int, end: int) -> None:
        """Count those from `begin` up to `end`."""
        if begin == end:
            return
        self.first = self.first or frames.header(begin)
        offset = self.bytes - frames.starts[begin]
        next_point = begin + -self.frames % self._frames_a_point
        for number in range(next_point, end, self._frames_a_point):
            self._seek_points.append(frames.starts[number] + offset)
        self.frames += end - begin
        self.bytes = frames.starts[end] + offset
        while len(self._seek_points) >= self.SEEK_POINTS:
            # Every other point goes: memory stays the same however long the recording.
            del self._seek_points[1::2]
            self._frames_a_point *= 2

    def seek_table(self, size: int) -> list[int]:
        """Where `size` equal parts of the time begin, in bytes, to within one seek point."""
        points = self._seek_points
        return [points[part * len(points) // size] for part in range(size)]


def constant_tally(first: FrameHeader, samples: int) -> Tally:
    """What LAME's frames for so many samples a channel add up to at constant bitrate.

    It ends with at least 576 samples of padding, so that the decoder's delay loses nothing, and
    a frame is padded whenever the ones before it have fallen a byte behind the bitrate (LAME
    3.100, lame.c, lame_encode_flush; encoder.c, lame_encode_mp3_frame).
    """
    tally = Tally()
    tally.first = first
    tally.frames = -(-(ENCODER_DELAY + samples + MIN_PADDING) // first.samples)
    size, behind = divmod(first.samples // 8 * first.kbps * 1000, first.sample_rate)
    tally.bytes = tally.frames * size - (1 - tally.frames) * behind // first.sample_rate
    return tally
