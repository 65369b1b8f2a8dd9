"""The files that are not sent yet: from when each may be, and the oldest of those first.

A file may be sent once it has looked the same for some seconds. What is here is only in memory: the
files themselves are what waits.
"""

import heapq
from dataclasses import dataclass

from wavepost.commands.watch.tree import Found, Look


@dataclass
class _Wait:
    """A file that waits: from `due` on it may be sent. `failures`, since it looks as it does."""

    look: Look
    due: float
    failures: int = 0


class Waiting:
    """Times are those of a clock that only goes forward, in seconds."""

    def __init__(self, settle_seconds: float) -> None:
        self._settle_seconds = settle_seconds
        self._waits: dict[str, _Wait] = {}
        # What of these no longer is as the file has it now, is passed over.
        self._not_due: list[tuple[float, str]] = []
        self._due: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._waits)

    def see(self, found: Found, now: float) -> None:
        """A file is there. If it looks other than before, it has to settle."""
        wait = self._waits.get(found.path)
        if wait is None or wait.look != found.look:
            self._put(found.path, _Wait(found.look, now + self._settle_seconds))

    def see_written(self, found: Found, now: float) -> None:
        """Somebody has it open for writing: it has to settle anew."""
        self._put(found.path, _Wait(found.look, now + self._settle_seconds))

    def postpone(self, found: Found, due: float) -> None:
        """It can't be sent now, and others can."""
        wait = self._waits[found.path]
        self._put(found.path, _Wait(wait.look, due, wait.failures))

    def put_back(self, found: Found, now: float) -> None:
        """It was begun, and nothing came of it that is its own fault."""
        self.postpone(found, now)

    def fail(self, found: Found) -> int:
        """Count a failure of its own; how many there are."""
        wait = self._waits[found.path]
        wait.failures += 1
        return wait.failures

    def forget(self, path: str) -> None:
        """It is sent, set aside or gone."""
        self._waits.pop(path, None)

    def keep_only(self, paths: set[str]) -> None:
        """These alone are still there."""
        for path in self._waits.keys() - paths:
            self.forget(path)

    def begin(self, now: float) -> Found | None:
        """The oldest of those that may be sent; it is not given again until it is put back."""
        self._settle(now)
        while self._due:
            mtime_ns, path = heapq.heappop(self._due)
            wait = self._waits.get(path)
            if wait and wait.look.mtime_ns == mtime_ns and wait.due <= now:
                return Found(path, wait.look)
        return None

    def next_due(self) -> float | None:
        """When the next one has settled."""
        return self._not_due[0][0] if self._not_due else None

    def _put(self, path: str, wait: _Wait) -> None:
        self._waits[path] = wait
        heapq.heappush(self._not_due, (wait.due, path))

    def _settle(self, now: float) -> None:
        while self._not_due and self._not_due[0][0] <= now:
            due, path = heapq.heappop(self._not_due)
            wait = self._waits.get(path)
            if wait and wait.due == due:
                heapq.heappush(self._due, (wait.look.mtime_ns, path))
