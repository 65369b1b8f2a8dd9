"""What is in the folder: all of it at times, and in between what changes are told of.

What the journal knows costs a look; the rest goes to those that wait.
"""

import time
from collections.abc import Collection, Iterable

from wavepost.commands.terminal import one_line
from wavepost.commands.watch.events import Events
from wavepost.commands.watch.filing import Filing
from wavepost.commands.watch.journal import Entry, Journal, JournalFailed
from wavepost.commands.watch.report import Report
from wavepost.commands.watch.tree import Folder, Found, Tree
from wavepost.commands.watch.waiting import Waiting

TIDY_SECONDS = 86_400.0
SOONER = 10
"""By how much the next look at all comes sooner, where what was missed is not known."""


class Looking:
    """Finds what there is to send.

    Attributes:
        due: when to look at all again, on a clock that only goes forward.
    """

    def __init__(
        self,
        tree: Tree,
        journal: Journal,
        waiting: Waiting,
        filing: Filing,
        under_way: Collection[str],
        events: Events | None,
        report: Report,
        rescan_seconds: float,
    ) -> None:
        """Without `events`, nobody tells of changes."""
        self._tree = tree
        self._journal = journal
        self._waiting = waiting
        self._filing = filing
        self._under_way = under_way
        self._events = events
        self._report = report
        self._rescan_seconds = rescan_seconds
        self._folders: dict[str, int] = {}
        self._tidy_at = 0.0
        self.due = 0.0

    def at_all(self) -> None:
        """Look at the whole tree."""
        self._folders, there = {}, {*self._under_way, *self._filing.unwritten}
        try:
            for folder in self._tree.folders(self._say_unreadable):
                there.update(found.path for found in folder.files)
                self._look_into(folder)
            self._waiting.keep_only(there)
            self._tidy(there)
        except JournalFailed as error:
            self._report.complain_once("journal", str(error), "read")
        self._follow()
        self.due = time.monotonic() + self._rescan_seconds

    def at(self, full_paths: Iterable[str]) -> None:
        """Look at what something happened to: files, and folders with all that is in them."""
        try:
            for path in map(self._tree.relative, full_paths):
                self._look_at(path)
        except JournalFailed as error:
            self._report.complain_once("journal", str(error), "read")
        self._follow()

    def lose_events(self, error: Exception) -> None:
        """Changes are not told of any more, until the next look at all."""
        if self._events:
            self._events.fail()
        seconds = self._rescan_seconds
        if not isinstance(error, OSError):
            # It stumbled over a name, and may go on soon; but those who make names set no pace.
            seconds /= SOONER
            self.due = min(self.due, time.monotonic() + seconds)
        said = f"Changes are not told of ({error}): looking again in {seconds:g} seconds."
        self._report.say_once("events", said, "events")

    def stop(self) -> None:
        """Hear of no more changes."""
        if self._events:
            self._events.stop()

    def _look_at(self, path: str) -> None:
        if look := self._tree.look(path):
            self._see(Found(path, look), self._journal.entry(path))
        elif self._tree.is_folder(path):
            for folder in self._tree.folders(self._say_unreadable, path):
                self._look_into(folder)
        elif not self._is_taken(path):
            self._waiting.forget(path)

    def _look_into(self, folder: Folder) -> None:
        self._folders[self._tree.full(folder.path)] = folder.inode
        self._report.is_over(folder.path)
        known = self._journal.of(folder.path) if folder.files else {}
        for found in folder.files:
            self._see(found, known.get(found.path))

    def _see(self, found: Found, entry: Entry | None) -> None:
        if self._is_taken(found.path):
            return
        if entry is None or not entry.settles(found.look):
            self._waiting.see(found, time.monotonic())
            return
        self._waiting.forget(found.path)
        if entry.is_due:
            self._filing.put_away(found, entry.outcome)

    def _is_taken(self, path: str) -> bool:
        return path in self._under_way or path in self._filing.unwritten

    def _tidy(self, there: set[str]) -> None:
        if time.monotonic() >= self._tidy_at:
            self._journal.forget_gone(there)
            self._tidy_at = time.monotonic() + TIDY_SECONDS

    def _follow(self) -> None:
        if self._events:
            self._events.follow(self._folders)

    def _say_unreadable(self, path: str, error: OSError) -> None:
        full = one_line(self._tree.full(path))
        self._report.complain_once(path, f"{full} can't be read: {error.strerror}.")
