"""One sound on several cores: cut into segments, each encoded on its own thread, and joined.

Every segment has an encoder of its own. It hears RUN_IN_BLOCKS of the sound before the segment
first, so that it comes to the state that an encoder of the whole sound would be in. The encoder
of the segment before carries on into this one until both agree (`joins`); should they never, it
carries on to this one's end. The cuts are at fixed places: the same sound gives the same bytes
whatever the number of threads.
"""

from collections import deque
from collections.abc import Callable, Iterator

from wavepost.audio.frames import Tally
from wavepost.audio.joins import Join
from wavepost.audio.segment import BLOCK_FRAMES, RUN_IN_BLOCKS, Block, Lame, Segment

MAX_SEGMENT_BLOCKS = 60
"""2940 frames, 77 s at 44.1 kHz. Longer segments cost less CPU and more memory."""

MIN_SEGMENT_BLOCKS = 12
"""Of a quarter of a minute a sixth is spent on the run-in: less is not worth a core."""

RUN_OUT_BLOCKS = 2
"""How much of a segment must be there before it is begun: less is not worth a run-in."""


class Segments:
    """Encodes a sound that comes in any pieces; its frames come out in order.

    At most `threads` segments are encoded at a time, and their sound is all that is kept.

    Attributes:
        tally: what the frames that came out add up to.
    """

    def __init__(
        self,
        new_lame: Callable[[], Lame],
        *,
        frame_bytes: int,
        expected_frames: int | None,
        threads: int,
        variable: bool,
    ) -> None:
        """Nothing is encoded yet.

        Args:
            new_lame: makes an encoder; all are alike.
            frame_bytes: what the samples of one frame take, in all channels.
            expected_frames: how many there will be, if that is known.
            threads: how many segments are encoded at once.
            variable: whether the encoders' bitrate is.
        """
        self.tally = Tally()
        self._variable = variable
        self._new_lame = new_lame
        self._segment_blocks = segment_blocks(expected_frames)
        self._block_bytes = BLOCK_FRAMES * frame_bytes
        self._threads = threads
        self._pending: Block = []
        self._missing = self._block_bytes
        self._beyond: list[Block] = []
        self._segments = deque([Segment(new_lame(), 0, [])])
        self._segments[0].begin_with(0)
        self._join: Join | None = None

    def encode(self, samples: bytes) -> Iterator[bytes]:
        """Take the next samples; gives the frames that are ready."""
        while len(samples) >= self._missing:
            self._pending.append(samples[: self._missing])
            samples = samples[self._missing :]
            block, self._pending = self._pending, []
            self._missing = self._block_bytes
            self._add(block)
            yield from self._joined()
        self._pending.append(samples)
        self._missing -= len(samples)

    def finish(self) -> Iterator[bytes]:
        """Gives the rest of the frames."""
        last = self._segments[-1]
        for block in [*self._beyond, self._pending]:
            last.feed(block)
        self.close()
        for segment in self._segments:
            segment.wait()
        yield from self._joined()
        (last,) = self._segments
        last.flush()
        yield self._taken(last, len(last.frames))

    def close(self) -> None:
        """Have the threads end when they have encoded what they have."""
        for segment in self._segments:
            segment.end()

    def _add(self, block: Block) -> None:
        segment = self._segments[-1]
        if segment.length < self._segment_blocks:
            segment.feed(block)
            return
        self._beyond.append(block)
        if len(self._beyond) == RUN_OUT_BLOCKS:
            segment.end()
            self._open_after(segment)

    def _open_after(self, before: Segment) -> None:
        if len(self._segments) >= self._threads:
            self._segments[-self._threads].wait()
        run_in = [*before.blocks][-RUN_IN_BLOCKS:]
        number = before.number + before.run_in + before.length - RUN_IN_BLOCKS
        segment = Segment(self._new_lame(), number, run_in)
        self._segments.append(segment)
        for block in self._beyond:
            segment.feed(block)
        self._beyond.clear()

    def _joined(self) -> Iterator[bytes]:
        """Gives the frames of those segments whose end is settled."""
        while len(self._segments) > 1 and self._segments[0].is_encoded:
            left, right = self._segments[0], self._segments[1]
            left.wait()
            if self._variable and not right.is_encoded:
                return
            self._join = self._join or self._new_join(left, right)
            if not self._meet(self._join, left, right):
                return
            if self._join.place is None:
                # They never agreed, and the left one has encoded all of the right one's sound.
                right.wait()
                del self._segments[1]
                left.carried = 0
            else:
                self._join.close()
                yield self._taken(left, self._join.place + _shift(left, right))
                self._segments.popleft()
                right.begin_with(self._join.place)
            self._join = None

    def _new_join(self, left: Segment, right: Segment) -> Join:
        return Join(
            left.frames,
            right.frames,
            shift=_shift(left, right),
            earliest=right.earliest,
            # At variable bitrate a frame depends on the reservoir only where it needs more bits
            # than the highest bitrate has.
            same_reservoir=self._variable and right.frames.reach_highest_bitrate(),
        )

    def _meet(self, join: Join, left: Segment, right: Segment) -> bool:
        """Whether it is settled where, if anywhere, `right` follows `left`.

        The outcome depends on the frames alone, never on how far each thread is just now.
        """
        while True:
            all_there = right.is_encoded
            if join.look():
                return True
            at_end = left.carried == len(right.blocks)
            if not all_there and (at_end or join.needs_right):
                return False
            if at_end:
                return True
            left.carry_on(right.blocks[left.carried])

    def _taken(self, segment: Segment, end: int) -> bytes:
        self.tally.add(segment.frames, segment.taken, end)
        return segment.frames.take(segment.taken, end)


def segment_blocks(expected_frames: int | None) -> int:
    """How long the segments are, so that two or four cores end at the same time."""
    if expected_frames is None:
        return MAX_SEGMENT_BLOCKS
    blocks = expected_frames // BLOCK_FRAMES + 1
    if blocks < 2 * MIN_SEGMENT_BLOCKS:
        return 2 * MIN_SEGMENT_BLOCKS
    cores = 2 if blocks < 8 * MIN_SEGMENT_BLOCKS else 4
    rounds = -(-blocks // (cores * MAX_SEGMENT_BLOCKS))
    return -(-blocks // (cores * rounds))


def _shift(left: Segment, right: Segment) -> int:
    return (right.number - left.number) * BLOCK_FRAMES
