"""Imported once, by the forkserver, so that each converter child starts warm.

A child may open no file, so all that a conversion imports on first use must be there before
it forks: converting moments of silence brings in the last of it.
"""

import codecs
import io
import os

# numpy's threads would be of no use here, and a child would be forked with their memory.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import wavepost.audio.child  # noqa: F401
from wavepost.audio import id3, tags
from wavepost.audio.conversion import Conversion
from wavepost.audio.encoder import Wanted
from wavepost.audio.silence import DECODED_WAV, PLAIN_WAV
from wavepost.audio.source import Source

for encoding in (*id3.ENCODINGS, *tags.ENCODINGS):
    codecs.lookup(encoding)
for wav in (PLAIN_WAV, DECODED_WAV):
    for _ in Conversion(Source(io.BytesIO(wav).read), Wanted(), max_seconds=1).frames():
        pass
