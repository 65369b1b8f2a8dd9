"""The conversion as a function of bytes, for tests of what comes out."""

import io
from typing import Any

from wavepost.audio.conversion import convert
from wavepost.audio.encoder import Wanted
from wavepost.audio.source import Source

AS_USUAL = Wanted()


def converted(
    wav: bytes, wanted: Wanted = AS_USUAL, max_seconds: float = 3600
) -> tuple[bytes, dict[str, Any]]:
    """The MP3 and the facts of its conversion."""
    written: list[bytes] = []
    head, facts = convert(Source(io.BytesIO(wav).read), written.append, wanted, max_seconds)
    return head + b"".join(written), facts
