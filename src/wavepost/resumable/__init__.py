"""Uploads that come in several requests: what has come stays, also when the line is cut.

The WAV is converted from its first byte on by the request that will bring its last one, while
that comes; where it is not known which will, once all is here. It is a recording as any other
then, and its pieces go.
"""

from wavepost.resumable.adding import Addition
from wavepost.resumable.uploads import Plan, ResumableUploads

__all__ = ["Addition", "Plan", "ResumableUploads"]
