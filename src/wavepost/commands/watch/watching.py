"""The loop of `wavepost watch`: what is begun, and what is done about what became of it.

One thread, that of the command, decides all and writes the journal. Those that send, and the one
that hears of changes, only put messages into its mailbox.
"""

import queue
import threading
import time
from dataclasses import dataclass

from wavepost.client import Unreachable
from wavepost.commands.session import NoSession
from wavepost.commands.terminal import one_line
from wavepost.commands.watch.delivery import Delivery, Outcome, StillWritten
from wavepost.commands.watch.disposal import Disposal
from wavepost.commands.watch.events import Events
from wavepost.commands.watch.filing import Filing
from wavepost.commands.watch.journal import Journal
from wavepost.commands.watch.line import Line, is_change, is_for_all, is_for_good
from wavepost.commands.watch.looking import Looking
from wavepost.commands.watch.mailbox import Changed, Deaf, Mailbox, Retried
from wavepost.commands.watch.report import Report
from wavepost.commands.watch.tree import Found, Tree
from wavepost.commands.watch.waiting import Waiting

STOP_SECONDS = 5.0
"""How long what is under way may go on after a stop; the next start goes on with the rest."""

OWN_WAIT_SECONDS, LONGEST_OWN_WAIT_SECONDS = 60.0, 3600.0
OWN_FAILURES = 3
"""So often a file finds no connection where the server answers; then others go before it."""


@dataclass(frozen=True)
class Pace:
    """How files are taken: times in seconds; `once`, and the watch ends with what is there now."""

    at_once: int
    settle_seconds: float
    rescan_seconds: float
    once: bool


class Watching:
    """A folder that is watched."""

    def __init__(
        self,
        tree: Tree,
        journal: Journal,
        delivery: Delivery,
        disposal: Disposal,
        report: Report,
        mailbox: Mailbox,
        pace: Pace,
    ) -> None:
        self._tree = tree
        self._delivery = delivery
        self._report = report
        self._mailbox = mailbox
        self._pace = pace
        self._line = Line()
        self._under_way: dict[str, Found] = {}
        self._is_stopped = False
        self._waiting = Waiting(pace.settle_seconds)
        self._filing = Filing(tree, journal, disposal, report)
        events = None if pace.once else Events(mailbox.changed, mailbox.deaf)
        self._looking = Looking(
            tree,
            journal,
            self._waiting,
            self._filing,
            self._under_way.keys(),
            events,
            report,
            pace.rescan_seconds,
        )

    def run(self) -> int:
        """Until it is stopped; the exit status."""
        self._looking.at_all()
        self._report.say(f"Watching {self._tree.root}: {len(self._waiting)} waiting.")
        while not self._is_over():
            self._begin()
            self._hear(self._seconds_to_wait())
            self._do_what_is_due()
        self._finish()
        return 1 if self._pace.once and self._report.complaints else 0

    def _is_over(self) -> bool:
        if self._pace.once and self._filing.unwritten:
            return True  # it was said, and nothing is lost: the server has it
        nothing_left = not (self._waiting or self._under_way)
        return self._is_stopped or (self._pace.once and nothing_left)

    def _begin(self) -> None:
        now = time.monotonic()
        while self._has_place(now) and (found := self._waiting.begin(now)):
            self._under_way[found.path] = found
            threading.Thread(target=self._deliver, args=(found,), daemon=True).start()

    def _has_place(self, now: float) -> bool:
        # What the journal does not hold would be found on the server; but not a million of them.
        places = 0 if self._filing.unwritten else self._line.places(self._pace.at_once, now)
        return len(self._under_way) < places

    def _deliver(self, found: Found) -> None:
        self._mailbox.delivered(self._delivery.deliver(found))

    def _seconds_to_wait(self) -> float:
        now = time.monotonic()
        times = [now + self._pace.rescan_seconds if self._pace.once else self._looking.due]
        if now < self._line.until:
            times.append(self._line.until)
        if self._filing.unwritten:
            times.append(self._filing.due)
        if self._has_place(now) and (due := self._waiting.next_due()):
            times.append(due)
        return min(times) - now

    def _do_what_is_due(self) -> None:
        now = time.monotonic()
        if self._filing.unwritten and now >= self._filing.due:
            self._written(self._filing.write())
        if not self._pace.once and now >= self._looking.due:
            self._looking.at_all()

    def _hear(self, seconds: float) -> None:
        try:
            message = self._mailbox.take(seconds)
        except queue.Empty:
            return
        match message:
            case None:
                self._is_stopped = True
            case Changed(paths):
                self._looking.at(paths)
            case Deaf(error):
                self._looking.lose_events(error)
            case Retried(error):
                self._say_line(error)
            case Outcome():
                self._note(message)

    def _note(self, outcome: Outcome) -> None:
        found, error = self._under_way.pop(outcome.found.path), outcome.error
        if error is None or is_for_good(error):
            self._line.works()
            if self._report.is_over("line"):
                self._report.say("The server takes recordings again.")
            self._written(self._filing.take(outcome))
        elif isinstance(error, StillWritten) or is_change(error):
            self._wait_for_writer(found)
        elif is_for_all(error) and not self._is_its_own(outcome):
            self._hold_line(found, error)
        else:
            self._postpone(found, error)

    def _written(self, paths: list[str]) -> None:
        """They are journalled: they may be put away, and what took their place be sent."""
        for path in paths:
            self._waiting.forget(path)
        self._looking.at(self._tree.full(path) for path in paths)

    def _wait_for_writer(self, found: Found) -> None:
        look = self._tree.look(found.path)
        if look and not self._pace.once:
            self._waiting.see_written(Found(found.path, look), time.monotonic())
            return
        self._waiting.forget(found.path)
        if look:
            full = one_line(self._tree.full(found.path))
            self._report.say(f"{full} is being written: left for the next time.")

    def _is_its_own(self, outcome: Outcome) -> bool:
        """Whether only this file finds no connection, though the server answers."""
        if outcome.at_door or not isinstance(outcome.error, Unreachable):
            return False
        return self._waiting.fail(outcome.found) >= OWN_FAILURES

    def _hold_line(self, found: Found, error: Exception) -> None:
        now = time.monotonic()
        self._waiting.put_back(found, now)
        self._line.fail(error, now)
        self._say_line(error)
        self._is_stopped = self._is_stopped or self._pace.once
        try:
            self._delivery.renew()
        except NoSession as missing:
            self._line.fail(missing, now)
            self._say_line(missing)

    def _say_line(self, error: Exception) -> None:
        kind = f"{type(error).__name__} {getattr(error, 'code', '')}"
        sentence = f"{one_line(str(error))} Trying again; {len(self._waiting)} waiting."
        self._report.complain_once("line", sentence, kind)

    def _postpone(self, found: Found, error: Exception) -> None:
        reason = f"{getattr(error, 'strerror', None) or error or type(error).__name__}"
        self._filing.hold(found, reason.rstrip("."))
        if self._pace.once:
            self._waiting.forget(found.path)
        else:
            due = time.monotonic() + self._own_seconds(found, error)
            self._waiting.postpone(found, due)

    def _own_seconds(self, found: Found, error: Exception) -> float:
        if isinstance(error, OSError):
            return self._pace.rescan_seconds
        doubled = OWN_WAIT_SECONDS * 2.0 ** min(self._waiting.fail(found) - 1, 10)
        return min(doubled, LONGEST_OWN_WAIT_SECONDS)

    def _finish(self) -> None:
        self._looking.stop()
        self._is_stopped = False
        deadline = time.monotonic() + STOP_SECONDS
        while self._under_way and not self._is_stopped and time.monotonic() < deadline:
            self._hear(deadline - time.monotonic())
        self._report.say(f"Stopped: {len(self._waiting)} waiting.")
