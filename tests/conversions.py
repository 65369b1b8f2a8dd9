"""The conversion as a function of bytes, for tests of what comes out."""

import io
from typing import Any

from wavepost.audio.conversion import Conversion
from wavepost.audio.encoder import Wanted
from wavepost.audio.source import PIECE_BYTES, Source

AS_USUAL = Wanted()


def converted(
    wav: bytes,
    wanted: Wanted = AS_USUAL,
    *,
    max_seconds: float = 3600,
    threads: int = 1,
    piece_bytes: int = PIECE_BYTES,
) -> tuple[bytes, dict[str, Any]]:
    """The MP3 and the facts of its conversion, from a WAV that comes in pieces of a size."""
    reader = io.BytesIO(wav)
    source = Source(lambda size: reader.read(min(size, piece_bytes)))
    conversion = Conversion(source, wanted, max_seconds=max_seconds, threads=threads)
    frames = b"".join(conversion.frames())
    return conversion.head() + frames, conversion.facts()


def converted_with_waveform(wav: bytes) -> bytes:
    """The waveform that the conversion of `wav` gives, as a .dat."""
    conversion = Conversion(Source(io.BytesIO(wav).read), AS_USUAL, max_seconds=3600)
    for _ in conversion.frames():
        pass
    return conversion.waveform()
