"""The bytes of a WAV's sound, and what was wrong with them."""

from wavepost.audio import warnings
from wavepost.audio.container import Wav
from wavepost.audio.source import Source


class Data:
    """Reads the `data` chunk from its first byte on, whole units at a time, little-endian.

    Attributes:
        size: how many bytes the header promises; None where that is unknown.
        warnings: what was wrong, complete once `read` gave nothing.
    """

    def __init__(self, wav: Wav, source: Source, unit: int) -> None:
        """`unit` is the size in bytes of what can't be cut: one sample in every channel."""
        self.size = wav.data_size
        self.warnings: list[warnings.Entry] = []
        self._wav = wav
        self._source = source
        self._unit = unit
        self._left = wav.data_size
        self._remainder = b""

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, which is at least a unit; none only at the end."""
        whole = b""
        while not whole:
            piece = self._read(size - len(self._remainder))
            if not piece:
                self._end()
                return b""
            piece = self._remainder + piece
            end = len(piece) - len(piece) % self._unit
            whole, self._remainder = piece[:end], piece[end:]
        if self._wav.format.is_big_endian:
            return _swapped(whole, self._wav.format.sample_bytes)
        return whole

    def _read(self, size: int) -> bytes:
        if self._left == 0 and self._wav.runs_on():
            self._left = None
        if self._left is None:
            return self._source.read(size)
        piece = self._source.read(min(size, self._left)) if self._left else b""
        self._left -= len(piece)
        return piece

    def _end(self) -> None:
        if self._left:
            self.warnings.append(warnings.data_truncated(self._left))
            self._left = 0
        if self._remainder:
            self.warnings.append(warnings.partial_sample(len(self._remainder)))
            self._remainder = b""


def _swapped(data: bytes, sample_bytes: int) -> bytes:
    swapped = bytearray(len(data))
    for place in range(sample_bytes):
        swapped[place::sample_bytes] = data[sample_bytes - 1 - place :: sample_bytes]
    return bytes(swapped)
