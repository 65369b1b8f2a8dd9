"""A part of a sound, encoded on a thread of its own while it comes."""

from collections import deque
from queue import SimpleQueue
from threading import Thread
from typing import Protocol

from wavepost.audio.frames import Frames

BLOCK_FRAMES = 49
"""Cuts are at multiples of this: at 44.1, 22.05 and 11.025 kHz the pattern of padded frames at
constant bitrate repeats after 49."""

RUN_IN_BLOCKS = 2
"""98 frames. What LAME keeps longest is its threshold of hearing, which after a loud sound sinks
by at most 7.5 % a frame, from 1 to its least, 0.000625, in 95 (3.100, encoder.c, adjust_ATH)."""

LAG_FRAMES = 12
"""An encoder has not brought out the last few frames of what it heard. The next one may begin as
many before the cut, so that as a rule none has to carry on at all."""

Block = list[bytes]
"""The samples of BLOCK_FRAMES frames, or of fewer at the end, in the pieces they came in."""


class Lame(Protocol):
    """What lameenc's encoder does."""

    def encode(self, samples: bytes) -> bytes:
        """The next bytes of MP3, if any."""

    def flush(self) -> bytes:
        """The last ones."""


class Segment:
    """A part of the sound, encoded on its own thread while it comes.

    Attributes:
        number: the block of the whole sound at which its encoder begins.
        run_in: how many blocks from there on belong to the segment before.
        length: how many blocks of its own it has so far.
        blocks: these, while the segment before may carry on into them; then the last few.
        frames: what its encoder made so far.
        carried: into how many blocks of the next segment it carried on.
        taken: how many of its frames went to the MP3, or never will.
    """

    def __init__(self, lame: Lame, number: int, run_in: list[Block]) -> None:
        self.number = number
        self.run_in = len(run_in)
        self.length = 0
        self.blocks: deque[Block] = deque()
        self.frames = Frames()
        self.carried = 0
        self.taken = 0
        self._lame = lame
        self._queue: SimpleQueue[Block | None] = SimpleQueue()
        self._failure: BaseException | None = None
        self._thread = Thread(target=self._run, name=f"segment {number}", daemon=True)
        self._thread.start()
        for block in run_in:
            self._queue.put(block)

    @property
    def earliest(self) -> int:
        """The first of its frames with which it may begin."""
        return self.run_in * BLOCK_FRAMES - LAG_FRAMES

    @property
    def is_encoded(self) -> bool:
        """Whether `frames` has all that it was given, and no more will come."""
        return not self._thread.is_alive()

    def feed(self, block: Block) -> None:
        """Have the next block encoded."""
        self.length += 1
        self.blocks.append(block)
        self._queue.put(block)

    def end(self) -> None:
        """Say that no more will come."""
        self._queue.put(None)

    def wait(self) -> None:
        """Wait until all is encoded. Raises what went wrong there."""
        self._thread.join()
        if self._failure:
            raise self._failure

    def begin_with(self, frame: int) -> None:
        """Have `frame` be the first to go to the MP3: the segment before ends there."""
        self.taken = frame
        self.blocks = deque(self.blocks, maxlen=RUN_IN_BLOCKS)

    def carry_on(self, block: Block) -> None:
        """Encode a block of the next segment, here and now."""
        self.carried += 1
        self._encode(block)

    def flush(self) -> None:
        """Bring out the last frames."""
        self.frames.feed(bytes(self._lame.flush()))

    def _encode(self, block: Block) -> None:
        for samples in block:
            self.frames.feed(bytes(self._lame.encode(samples)))

    def _run(self) -> None:
        try:
            while (block := self._queue.get()) is not None:
                self._encode(block)
        except BaseException as failure:
            self._failure = failure
