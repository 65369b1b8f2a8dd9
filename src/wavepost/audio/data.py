"""The bytes of a WAV's sound, and what was wrong with them."""

from wavepost.audio.container import Wav
from wavepost.audio.source import Source


class Data:
    """Reads the `data` chunk from its first byte on, whole units at a time.

    Attributes:
        size: how many bytes the header promises; None where that is unknown.
        warnings: what was wrong, complete once `read` gave nothing.
    """

    def __init__(self, wav: Wav, source: Source, unit: int) -> None:
        """`unit` is the size in bytes of what can't be cut: one sample in every channel."""
        self.size = wav.data_size
        self.warnings: list[dict[str, str]] = []
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
        return whole

    def _read(self, size: int) -> bytes:
        if self._left is None:
            return self._source.read(size)
        piece = self._source.read(min(size, self._left)) if self._left else b""
        self._left -= len(piece)
        return piece

    def _end(self) -> None:
        if self._left:
            detail = f"The sound ends {self._left} bytes before the header says; "
            self._warn("data_truncated", detail + "all there is was converted.")
            self._left = 0
        if self._remainder:
            self._warn("partial_sample", "The sound ended within a sample, which was left out.")
            self._remainder = b""

    def _warn(self, code: str, detail: str) -> None:
        self.warnings.append({"code": code, "detail": detail})
