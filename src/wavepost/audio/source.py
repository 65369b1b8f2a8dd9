"""The WAV's bytes as they arrive: read once, in order, counted and hashed."""

import hashlib
from collections.abc import Callable

PIECE_BYTES = 64 * 1024


class Source:
    """A forward-only reader over `receive`, which gives some bytes, or none at the end."""

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive = receive
        self._ahead = b""
        self._hash = hashlib.sha256()
        self.bytes_received = 0

    @property
    def sha256(self) -> str:
        """The hash of all that was received so far, in hex."""
        return self._hash.hexdigest()

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none only at the end."""
        if self._ahead:
            piece, self._ahead = self._ahead[:size], self._ahead[size:]
            return piece
        piece = self._receive(size)
        self._hash.update(piece)
        self.bytes_received += len(piece)
        return piece

    def read_exactly(self, size: int) -> bytes:
        """`size` bytes, or fewer where the WAV ends first."""
        pieces = []
        while size > 0 and (piece := self.read(size)):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def peek(self, size: int) -> bytes:
        """What `read_exactly` would give, left in place."""
        ahead = self.read_exactly(size)
        self._ahead = ahead + self._ahead
        return ahead

    def skip(self, size: int) -> int:
        """Pass over `size` bytes; how many there were."""
        left = size
        while left > 0 and (piece := self.read(min(left, PIECE_BYTES))):
            left -= len(piece)
        return size - left

    def drain(self) -> int:
        """Read to the end, so that the hash is that of the whole WAV; how many bytes there were."""
        before = self.bytes_received - len(self._ahead)
        while self.read(PIECE_BYTES):
            pass
        return self.bytes_received - before
