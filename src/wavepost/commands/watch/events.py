"""Hears at once of what changes in the watched folders.

Nothing rests on it: what is missed (a queue that overflows, a network's file system, a name that
is no text), the next look at the whole tree finds. Each folder is watched by itself, for a watch of
all that is below one would follow links to wherever they lead.
"""

import os
import threading
from collections.abc import Callable, Mapping

from watchfiles import watch

OnChange = Callable[[set[str]], None]
OnFailure = Callable[[Exception], None]

DEBOUNCE_MS, STEP_MS = 500, 100
MAX_FOLLOWED = 10_000
"""Of more, the last by name, where phone systems have the newest: the kernel's watches are few."""


class Events:
    """Calls `on_change` with full paths, from a thread of its own."""

    def __init__(self, on_change: OnChange, on_failure: OnFailure) -> None:
        self._on_change = on_change
        self._on_failure = on_failure
        self._followed: Mapping[str, int] = {}
        self._stop = threading.Event()

    def follow(self, folders: Mapping[str, int]) -> None:
        """From now on these, by path with their inodes: one that was replaced is another."""
        if folders == self._followed:
            return
        before, self._stop = self._stop, threading.Event()
        self._followed = dict(folders)
        paths = [path for path in sorted(folders)[-MAX_FOLLOWED:] if _can_be_followed(path)]
        threading.Thread(target=self._listen, args=(paths, self._stop), daemon=True).start()
        before.set()

    def stop(self) -> None:
        """Hear no more."""
        self._stop.set()

    def _listen(self, paths: list[str], stop: threading.Event) -> None:
        try:
            for changes in watch(
                *paths,
                watch_filter=None,
                debounce=DEBOUNCE_MS,
                step=STEP_MS,
                stop_event=stop,
                force_polling=False,
                recursive=False,
                raise_interrupt=False,
            ):
                self._on_change({path for _, path in changes})
        except Exception as error:
            if not stop.is_set():
                self._on_failure(error)

    def fail(self) -> None:
        """What was followed is lost: the next `follow` begins anew."""
        self._stop.set()
        self._followed = {}


def _can_be_followed(path: str) -> bool:
    """The library takes text alone, and gives up where one of the folders is missing."""
    return path.isprintable() and os.path.isdir(path) and not os.path.islink(path)
