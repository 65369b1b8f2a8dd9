"""A pipe's bytes in a file: what came down it is not lost when the server can't be reached."""

import os
import sys
import tempfile
from pathlib import Path
from typing import IO

from wavepost.commands.finding import PIPE

PIECE_BYTES = 256 * 1024


class Spool:
    """A temporary file for nobody else, which stays until it is told to go.

    Attributes:
        path: where it is.
    """

    def __init__(self) -> None:
        """Raises OSError."""
        handle, name = tempfile.mkstemp(prefix="wavepost-", suffix=".wav")  # of mode 600
        self._file = os.fdopen(handle, "wb")
        self.path = Path(name)

    def fill(self, source: Path) -> None:
        """Take all that comes from a pipe. Raises OSError; what came until then is kept."""
        with self._file, _opened(source) as pipe:
            # Unbuffered: what has come is in the file, whatever becomes of this program.
            while piece := pipe.read(PIECE_BYTES):
                self._file.write(piece)
                self._file.flush()
            os.fsync(self._file.fileno())

    @property
    def is_empty(self) -> bool:
        """Whether nothing came."""
        return not self.path.exists() or self.path.stat().st_size == 0

    def remove(self) -> None:
        """It is no longer needed."""
        self.path.unlink(missing_ok=True)


def _opened(source: Path) -> IO[bytes]:
    if source == PIPE:
        return os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0)
    return source.open("rb", buffering=0)
