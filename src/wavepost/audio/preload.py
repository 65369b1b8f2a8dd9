"""Imported once, by the forkserver, so that each converter child starts warm.

A child may open no file, so all that a conversion imports on first use must be there before
it forks: converting a moment of silence brings in the last of it.
"""

import io
import os

# numpy's threads would be of no use here, and a child would be forked with their memory.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import wavepost.audio.child  # noqa: F401
from wavepost.audio.conversion import Conversion
from wavepost.audio.encoder import Wanted
from wavepost.audio.silence import SILENT_WAV
from wavepost.audio.source import Source

for _ in Conversion(Source(io.BytesIO(SILENT_WAV).read), Wanted(), max_seconds=1).frames():
    pass
