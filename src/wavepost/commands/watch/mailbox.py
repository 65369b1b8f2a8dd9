"""What the loop of a watch is told, by threads and signals, one message after the other."""

import queue
import signal
from dataclasses import dataclass

from wavepost.client import ClientError
from wavepost.commands.watch.delivery import Outcome


@dataclass(frozen=True)
class Changed:
    """Something happened at these paths."""

    paths: set[str]


@dataclass(frozen=True)
class Deaf:
    """Changes are not heard of any more."""

    error: Exception


@dataclass(frozen=True)
class Retried:
    """A file is tried again."""

    error: ClientError


Message = Outcome | Changed | Deaf | Retried | None
"""None is a stop."""


class Mailbox:
    """Where threads and signals put what the loop is to know."""

    def __init__(self) -> None:
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()

    def listen_for_stops(self) -> None:
        """From now on a stop is a message."""
        for stop in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(stop, lambda *_: self._messages.put(None))

    def changed(self, paths: set[str]) -> None:
        """Something happened there."""
        self._messages.put(Changed(paths))

    def deaf(self, error: Exception) -> None:
        """Changes are not heard of any more."""
        self._messages.put(Deaf(error))

    def retried(self, error: ClientError, _: float) -> None:
        """A file is tried again."""
        self._messages.put(Retried(error))

    def delivered(self, outcome: Outcome) -> None:
        """A file is through, or is not."""
        self._messages.put(outcome)

    def take(self, seconds: float) -> Message:
        """The next one. Raises queue.Empty."""
        return self._messages.get(timeout=max(0.0, seconds))
