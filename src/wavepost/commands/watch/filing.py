"""What is through is journalled, and put away only then."""

import time

from wavepost.commands.terminal import one_line
from wavepost.commands.watch.delivery import Outcome
from wavepost.commands.watch.disposal import Disposal
from wavepost.commands.watch.journal import REFUSED, SENT, Journal, JournalFailed
from wavepost.commands.watch.report import Report
from wavepost.commands.watch.tree import Found, Tree

JOURNAL_SECONDS = 5.0
"""Between two tries to write a journal that can't be written."""


class Filing:
    """Attributes:
    unwritten: what is through, and not in the journal yet, by path.
    due: when to try that again, on a clock that only goes forward.
    """

    def __init__(self, tree: Tree, journal: Journal, disposal: Disposal, report: Report) -> None:
        self._tree = tree
        self._journal = journal
        self._disposal = disposal
        self._report = report
        self.unwritten: dict[str, Outcome] = {}
        self.due = 0.0

    def take(self, outcome: Outcome) -> list[str]:
        """The server has it, or will never take it; which files are journalled by that."""
        full = self._tree.full(outcome.found.path)
        if outcome.record:
            self._report.link(full, outcome.record)
        else:
            self._report.complain(f"{one_line(full)} is set aside: {one_line(str(outcome.error))}")
        self.unwritten[outcome.found.path] = outcome
        return self.write()

    def write(self) -> list[str]:
        """Journal what is not yet; the files of which that is done."""
        written: list[str] = []
        for path, outcome in list(self.unwritten.items()):
            try:
                self._journal_one(outcome)
            except JournalFailed as error:
                said = f"{error} Nothing is sent meanwhile."
                self._report.complain_once("journal", said, "write")
                self.due = time.monotonic() + JOURNAL_SECONDS
                return written
            del self.unwritten[path]
            self._report.is_over(path)
            written.append(path)
        if self._report.is_over("journal"):
            self._report.say("The journal can be written again.")
        return written

    def put_away(self, found: Found, outcome: str) -> None:
        """Move or delete a file that is journalled as still to be, if that is still wanted."""
        if not self._disposal.is_wanted(outcome):
            return
        try:
            self._disposal.carry_out(found, outcome)
            self._journal.put_away(found.path)
            self._report.is_over(found.path)
        except OSError as error:
            full, reason = one_line(self._tree.full(found.path)), error.strerror or error
            said = f"{full} is {outcome}, but stays there: {reason}."
            self._report.complain_once(found.path, said)

    def hold(self, found: Found, reason: str) -> None:
        """Say, and note, why a file can't be sent now."""
        full = one_line(self._tree.full(found.path))
        if not self._report.complain_once(found.path, f"{full} waits: {one_line(reason)}."):
            return
        try:
            self._journal.held(found, reason)
        except JournalFailed as error:
            self._report.complain_once("journal", str(error), "write")

    def _journal_one(self, outcome: Outcome) -> None:
        if outcome.record:
            is_due = self._disposal.is_wanted(SENT)
            self._journal.sent(outcome.found, outcome.record, is_due=is_due)
        else:
            is_due = self._disposal.is_wanted(REFUSED)
            self._journal.refused(outcome.found, str(outcome.error), is_due=is_due)
