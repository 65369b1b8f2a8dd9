"""MP3 frame headers (ISO/IEC 11172-3 2.4.1.3, 13818-3; MPEG-2.5 for 8 to 12 kHz)."""

from dataclasses import dataclass

_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_MPEG1_KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MPEG2_KBPS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_MONO = 3

HEADER_BYTES = 4
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
        return 1152 if self.version == 3 else 576

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


class FrameWalker:
    """Follows the frames of an MP3 as its bytes come out of the encoder, in any pieces.

    Attributes:
        first: the first frame's header; None until it came.
        frames: frames begun so far.
        bytes: bytes seen so far.
    """

    SEEK_POINTS = 1024

    def __init__(self) -> None:
        self.first: FrameHeader | None = None
        self.frames = 0
        self.bytes = 0
        self._next_frame_at = 0
        self._header = b""
        self._seek_points: list[int] = []
        self._frames_a_point = 1

    def feed(self, piece: bytes) -> None:
        """Take the next bytes. Raises ValueError where a frame does not begin where it should."""
        start = self.bytes
        self.bytes += len(piece)
        while self._next_frame_at + HEADER_BYTES <= self.bytes:
            at = self._next_frame_at - start
            raw = self._header + piece[max(at, 0) : at + HEADER_BYTES]
            self._header = b""
            self._begin_frame(FrameHeader.parse(raw))
        if self._next_frame_at < self.bytes:
            self._header += piece[max(self._next_frame_at - start, 0) :]

    def seek_table(self, size: int) -> list[int]:
        """Where `size` equal parts of the time begin, in bytes, to within one seek point."""
        points = self._seek_points
        return [points[part * len(points) // size] for part in range(size)]

    def _begin_frame(self, header: FrameHeader) -> None:
        self.first = self.first or header
        if self.frames % self._frames_a_point == 0:
            self._seek_points.append(self._next_frame_at)
        self.frames += 1
        self._next_frame_at += header.frame_bytes
        if len(self._seek_points) == self.SEEK_POINTS:
            # Every other point goes: memory stays the same however long the recording.
            del self._seek_points[1::2]
            self._frames_a_point *= 2
