"""Whether the server may be asked now, or is left in peace for a while.

After a failure that the next file would meet too, one file alone tries again after a time that
doubles; once one came through, all go on. So a server that is down hears of one program once in a
while, the order stays, and a wrong token is not sent often.
"""

import random

from wavepost.client import (
    ClientError,
    Refused,
    SourceChanged,
    Unauthorized,
    Unreachable,
    UnusableWav,
)
from wavepost.commands.door import Shut
from wavepost.commands.session import NoSession

LONGEST_WAIT_SECONDS = 60.0
TOKEN_WAIT_SECONDS = 300.0
"""Somebody has to do something first, and servers count wrong tokens."""

FOR_ALL = frozenset({"busy", "rate_limited", "quota_exceeded", "storage_full", "unauthorized"})
"""The refusals that the next file would meet too."""

LARGE = 413
"""What a proxy says of one file that is too large for it."""


def is_for_good(error: Exception) -> bool:
    """Whether the same bytes will never be taken."""
    return isinstance(error, UnusableWav)


def is_for_all(error: Exception) -> bool:
    """Whether no other file would fare better now."""
    if isinstance(error, Refused):
        return error.code in FOR_ALL
    if isinstance(error, Unreachable):
        return getattr(error, "status", None) != LARGE
    return isinstance(error, Shut | NoSession)


def is_change(error: Exception) -> bool:
    """Whether the file was written to."""
    return isinstance(error, SourceChanged)


class Line:
    """Opens and closes; times are those of a clock that only goes forward, in seconds.

    Attributes:
        until: when it may be tried again.
    """

    def __init__(self) -> None:
        self.until = 0.0
        self._failures = 0
        self._is_proven = False

    def places(self, at_once: int, now: float) -> int:
        """How many files may be under way."""
        if now < self.until:
            return 0
        return at_once if self._is_proven else 1

    def works(self) -> None:
        """A file came through, or was refused for what it is."""
        self.until, self._failures, self._is_proven = 0.0, 0, True

    def fail(self, error: Exception, now: float) -> None:
        """Nobody comes through for a while."""
        self._is_proven = False
        if now >= self.until:  # else it is a second file of the same failure
            self._failures += 1
        self.until = max(self.until, now + self._seconds(error))

    def _seconds(self, error: Exception) -> float:
        if isinstance(error, Unauthorized | Shut | NoSession):
            return TOKEN_WAIT_SECONDS
        doubled: float = min(LONGEST_WAIT_SECONDS, 2.0**self._failures)
        asked = error.retry_after_seconds if isinstance(error, ClientError) else None
        return max(asked or 0.0, doubled * random.uniform(0.5, 1.0))  # noqa: S311
