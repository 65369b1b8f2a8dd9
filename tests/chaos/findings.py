"""What should not have been: sentences, each of which is a failure."""

import threading
from collections import defaultdict
from enum import Enum

MOST_SHOWN = 5
"""Of a kind of finding, in a message."""


class Wrong(Enum):
    """How a promise was broken."""

    LOST = "lost"
    HALF_VISIBLE = "half-visible"
    LEAKED = "leaked (rows, files, processes)"
    UNEXPECTED = "unexpected answers"


class Findings:
    """They come from every thread.

    Attributes:
        fault: the one under way, with which each sentence begins.
    """

    def __init__(self) -> None:
        self.fault = ""
        self._lock = threading.Lock()
        self._found: dict[Wrong, list[str]] = defaultdict(list)

    def add(self, wrong: Wrong, what: str) -> None:
        """Something is wrong."""
        with self._lock:
            self._found[wrong].append(f"{self.fault}: {what}")

    def take(self) -> dict[Wrong, list[str]]:
        """All since this was asked last."""
        with self._lock:
            found, self._found = self._found, defaultdict(list)
        return found


def in_words(found: dict[Wrong, list[str]]) -> str:
    """A line for each, but not for very many of a kind."""
    return "\n".join(
        f"{wrong.value}: {what}" for wrong, all_ in found.items() for what in all_[:MOST_SHOWN]
    )
