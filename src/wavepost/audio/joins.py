"""Where one encoder's frames can give way to those of the next one, and how.

Two encoders that hear the same sound make the same of it, once what each heard before has
faded. But their frames are not the same bytes. A frame may begin its data in room that the
frames before it left unused, the bit reservoir: `main_data_begin` says how many bytes before
(ISO/IEC 11172-3 2.4.1.7). To follow one encoder's frames with another's, those bytes must be
put where the first one left room, and it must have left as many.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from wavepost.audio.frames import HEADER_BYTES, Frames

AGREEING = 4
"""Frames with the same sound in both before one may follow the other."""

PATIENCE = 40
"""Frames to look for a reservoir of the same size before one with room to spare will do."""


@dataclass(frozen=True)
class SideInfo:
    """What a frame says of its data (11172-3 2.4.1.7, 13818-3 2.4.1.7), and where it stands.

    Attributes:
        main_data_begin: bytes of reservoir that it uses.
        main_data_bits: the length of its data; what follows up to the next frame's is stuffing.
        rest: all other bits of the side information, and the frame's stereo mode.
        begin: where the frame's own room for data begins in the encoder's bytes.
        end: where it ends.
    """

    main_data_begin: int
    main_data_bits: int
    rest: tuple[int, int]
    begin: int
    end: int

    @classmethod
    def read(cls, frames: Frames, number: int) -> "SideInfo":
        """That of frame `number`, which is whole."""
        header = frames.header(number)
        start = frames.starts[number] + HEADER_BYTES
        size = header.side_info_bytes
        bits = int.from_bytes(frames.data[start : start + size], "big")
        is_mpeg1 = header.version == 3
        begin_bits, granules, granule_bits = (9, 2, 59) if is_mpeg1 else (8, 1, 63)
        # Each granule of each channel begins with the 12 bits of its part2_3_length.
        lengths = (
            bits >> (behind * granule_bits - 12) & 0xFFF
            for behind in range(1, granules * header.channels + 1)
        )
        after_begin = size * 8 - begin_bits
        return cls(
            main_data_begin=bits >> after_begin,
            main_data_bits=sum(lengths),
            rest=(bits & (1 << after_begin) - 1, header.raw[3]),
            begin=start + size,
            end=frames.starts[number + 1],
        )


class Join:
    """Looks for the place where `right`'s frames follow `left`'s, while both still come.

    The place is a frame before which AGREEING frames hold the same sound in both. The first
    where the reservoirs have the same size too is taken: from there on the encoders are in the
    same state. After PATIENCE frames the first will do where `left`'s is larger.

    Attributes:
        place: the frame of `right` to go on with, once `look` has found it.
    """

    def __init__(
        self, left: Frames, right: Frames, *, shift: int, earliest: int, same_reservoir: bool
    ) -> None:
        """`left` and `right` may still grow.

        Args:
            left: the encoder before.
            right: the one that is to follow.
            shift: the frame of `left` that begins where the first of `right` does.
            earliest: the first frame of `right` that may follow.
            same_reservoir: never be content with one that has room to spare.
        """
        self.place: int | None = None
        self._left = left
        self._right = right
        self._shift = shift
        self._next = earliest - AGREEING
        self._patient_until = math.inf if same_reservoir else earliest + PATIENCE
        self._agreed = 0
        self._has_room: int | None = None

    def look(self) -> bool:
        """Whether the place is among the frames that both have by now."""
        while self.place is None and self._next < self._in_both():
            self._look_at(self._next)
            self._next += 1
        return self.place is not None

    @property
    def needs_right(self) -> bool:
        """Whether it is `right` that has to bring more frames before `look` goes on."""
        return self._next >= len(self._right)

    def close(self) -> None:
        """Put into the reservoir of `left` what `right`'s frames need from the place on."""
        assert self.place is not None, "look() has not found the place"
        here = SideInfo.read(self._right, self.place)
        data = _data_before(self._right, self.place, here.main_data_begin)
        _put_before(self._left, self.place + self._shift, data)

    def _in_both(self) -> int:
        return min(len(self._left) - self._shift, len(self._right))

    def _look_at(self, number: int) -> None:
        left = SideInfo.read(self._left, number + self._shift)
        right = SideInfo.read(self._right, number)
        if self._agreed >= AGREEING:
            if left.main_data_begin == right.main_data_begin:
                self.place = number
                return
            if left.main_data_begin > right.main_data_begin and self._has_room is None:
                self._has_room = number
        if number >= self._patient_until and self._has_room is not None:
            self.place = self._has_room
        self._agreed = self._agreed + 1 if self._same_sound(number, left, right) else 0

    def _same_sound(self, number: int, left: SideInfo, right: SideInfo) -> bool:
        if left.rest != right.rest:
            return False
        return _main_data(self._left, number + self._shift, left) == _main_data(
            self._right, number, right
        )


def _main_data(frames: Frames, number: int, info: SideInfo) -> int:
    """A frame's data without its stuffing, as one number."""
    data = _data_before(frames, number, info.main_data_begin)
    data += frames.data[info.begin : info.end]
    size = -(-info.main_data_bits // 8)
    return int.from_bytes(data[:size], "big") >> size * 8 - info.main_data_bits


def _data_before(frames: Frames, number: int, size: int) -> bytes:
    """The last `size` bytes of data before frame `number`."""
    return b"".join(
        frames.data[begin:end] for begin, end in reversed([*_room_before(frames, number, size)])
    )


def _put_before(frames: Frames, number: int, data: bytes) -> None:
    """Write `data` over the last bytes of data before frame `number`."""
    left = len(data)
    for begin, end in _room_before(frames, number, left):
        frames.data[begin:end] = data[left - (end - begin) : left]
        left -= end - begin


def _room_before(frames: Frames, number: int, size: int) -> Iterator[tuple[int, int]]:
    """Begin and end of the stretches that hold the `size` bytes of data before frame `number`.

    From the last one back; they are fewer where the frames begin later than that.
    """
    while size > 0 and number > 0:
        number -= 1
        info = SideInfo.read(frames, number)
        begin = max(info.begin, info.end - size)
        yield begin, info.end
        size -= info.end - begin
