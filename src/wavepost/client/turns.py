"""One thread at a time for the same recording."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Two files of the same bytes are one upload, and its requests would end each other."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._taken: set[str] = set()

    @contextmanager
    def of(self, sha256: str) -> Iterator[None]:
        """Wait until nobody else in this program sends these bytes."""
        with self._changed:
            self._changed.wait_for(lambda: sha256 not in self._taken)
            self._taken.add(sha256)
        try:
            yield
        finally:
            with self._changed:
                self._taken.remove(sha256)
                self._changed.notify_all()
