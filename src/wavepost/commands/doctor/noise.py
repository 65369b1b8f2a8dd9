"""The WAVs that are sent: noise, the same each time, for nothing may make it smaller on the way."""

import hashlib
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass

PIECE_BYTES = 64 * 1024
HEADER_BYTES = 44


@dataclass(frozen=True)
class Noise:
    """A WAV of 16 bits.

    Attributes:
        most_bytes: what the file is as large as, if that is a number of whole samples.
        rate: in Hz.
        channels: 1 or 2.
    """

    most_bytes: int
    rate: int = 16_000
    channels: int = 1

    @property
    def samples(self) -> int:
        """For each channel."""
        return (self.most_bytes - HEADER_BYTES) // (2 * self.channels)

    def pieces(self) -> Iterator[bytes]:
        """The file, bit by bit; the same at each call."""
        yield self._header()
        generator = random.Random(self.most_bytes)  # noqa: S311 - noise, and no secret
        left = 2 * self.channels * self.samples
        while left:
            size = min(left, PIECE_BYTES)
            yield generator.randbytes(size)
            left -= size

    def whole(self) -> bytes:
        """The file at once; for small ones."""
        return b"".join(self.pieces())

    def sha256(self) -> str:
        """Of the file, in hexadecimal digits."""
        digest = hashlib.sha256()
        for piece in self.pieces():
            digest.update(piece)
        return digest.hexdigest()

    @property
    def size_bytes(self) -> int:
        """Of the file."""
        return HEADER_BYTES + 2 * self.channels * self.samples

    def _header(self) -> bytes:
        data = self.size_bytes - HEADER_BYTES
        align = 2 * self.channels
        form = struct.pack("<HHIIHH", 1, self.channels, self.rate, self.rate * align, align, 16)
        return struct.pack(
            "<4sI8sI16s4sI", b"RIFF", 36 + data, b"WAVEfmt ", 16, form, b"data", data
        )
