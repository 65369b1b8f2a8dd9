"""`wavepost push`: files, folders and standard input become links.

Threads send, several files at once; the command's own thread prints, and hears Ctrl-C. On a stop
nothing needs to be tidied up: what the server has of a file, the next push goes on from.
"""

import json
import queue
import sys
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path

from wavepost.client import Client, ClientError, Record, Unauthorized, Unreachable
from wavepost.client.source import Options
from wavepost.commands.bars import Bars, bars
from wavepost.commands.door import Door, Retelling, Shut
from wavepost.commands.finding import PIPE, Found, find
from wavepost.commands.session import Session
from wavepost.commands.spool import Spool
from wavepost.commands.terminal import one_line

STOPPED = 130
"""What a shell gives for a program that Ctrl-C ended."""


@dataclass(frozen=True)
class Order:
    """What is asked of a push, besides the files."""

    options: Options
    at_once: int
    retry_seconds: float
    again: bool
    as_json: bool


@dataclass(frozen=True)
class Outcome:
    """What became of the file at `place` of the list: its record, or a sentence."""

    place: int
    record: Record | None = None
    failure: str = ""


def push(session: Session, arguments: tuple[Path, ...], order: Order) -> int:
    """Send them, and print a link for each; the exit status. Raises ValueError."""
    found = list(find(arguments))
    with bars(len(found)) as shown:
        client = Client(
            session.server,
            session.token,
            patience_seconds=order.retry_seconds,
            on_retry=Retelling(order.retry_seconds, shown).hear,
        )
        return Pushing(client, Door(client, session), found, order, shown).run()


class Pushing:
    """Files on their way, and what has become of them."""

    def __init__(
        self, client: Client, door: Door, found: list[Found], order: Order, shown: Bars
    ) -> None:
        self._client = client
        self._door = door
        self._found = found
        self._order = order
        self._shown = shown
        self._waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._outcomes: queue.SimpleQueue[Outcome | None] = queue.SimpleQueue()
        self._is_over = threading.Event()
        self._spools: dict[int, Spool] = {}
        self._done: dict[int, Outcome] = {}
        self._printed = 0

    def run(self) -> int:
        """Send all; the exit status."""
        try:
            working = self._start()
            while working:
                outcome = self._outcomes.get()
                if outcome is None:
                    working -= 1
                else:
                    self._note(outcome)
        except KeyboardInterrupt:
            self._stop()
            return STOPPED
        self._print_rest()
        if left := len(self._found) - len(self._done):
            self._shown.say(f"{left} more were not sent.", err=True)
        failed = any(outcome.failure for outcome in self._done.values())
        return 1 if left or failed else 0

    def _start(self) -> int:
        """How many threads work now; they end with the command, and the server keeps its part."""
        for place in range(len(self._found)):
            self._waiting.put(place)
        count = min(self._order.at_once, len(self._found))
        for _ in range(count):
            threading.Thread(target=self._work, daemon=True).start()
        return count

    def _work(self) -> None:
        """Send one after the other; a thread that ends says so by None."""
        while True:
            try:
                place = self._waiting.get_nowait()
            except queue.Empty:
                self._outcomes.put(None)
                return
            # What comes down a pipe would be lost: it is at least kept.
            if not self._is_over.is_set() or self._found[place].is_pipe:
                self._outcomes.put(self._sent(place))

    def _sent(self, place: int) -> Outcome:
        found = self._found[place]
        if found.failure:
            return Outcome(place, failure=found.failure)
        try:
            return Outcome(place, self._push(place, found))
        except (ClientError, Shut) as error:
            if _ends_all(error):
                self._is_over.set()
            return Outcome(place, failure=str(error))
        except OSError as error:
            return Outcome(place, failure=f"{error.strerror or error}.")

    def _push(self, place: int, found: Found) -> Record:
        path, name = found.path, self._order.options.name
        if found.is_pipe:
            path, name = self._spooled(place, found), name or "recording.wav"
        self._door.go_through()
        options, again = self._order.options, self._order.again
        with self._shown.of(found.path.name, path.stat().st_size) as told:
            record = self._client.push(
                path,
                name=name,
                bitrate=options.bitrate,
                quality=options.quality,
                expires_in=options.expires_in,
                key=str(uuid.uuid4()) if again else None,
                unless_kept=not again,
                progress=told,
            )
        if spool := self._spools.pop(place, None):
            spool.remove()
        return record

    def _spooled(self, place: int, found: Found) -> Path:
        if found.path == PIPE and sys.stdin.isatty():
            raise OSError("Send a WAV to standard input, or name a file")
        spool = self._spools[place] = Spool()
        with self._shown.of("standard input" if found.path == PIPE else found.path.name, None):
            spool.fill(found.path)
        return spool.path

    def _note(self, outcome: Outcome) -> None:
        self._done[outcome.place] = outcome
        self._shown.done()
        if outcome.failure:
            self._complain(outcome)
        while (ready := self._done.get(self._printed)) is not None:
            self._print(ready)
            self._printed += 1

    def _complain(self, outcome: Outcome) -> None:
        shown = _shown(self._found[outcome.place])
        self._shown.say(f"{shown}: {one_line(outcome.failure)}", err=True)
        self._tell_of_spool(outcome.place)

    def _tell_of_spool(self, place: int) -> None:
        """What came down a pipe, and is not on the server, is said to be where it is."""
        spool = self._spools.get(place)
        if spool is None:
            return
        if spool.is_empty:
            spool.remove()
            return
        said = f"What came is kept in {spool.path}: wavepost push {spool.path}"
        self._shown.say(said, err=True)

    def _print(self, outcome: Outcome) -> None:
        if outcome.record is None:
            return
        line = outcome.record.url
        if self._order.as_json:
            file = str(self._found[outcome.place].path)
            line = json.dumps({"file": file, **outcome.record.answer})
        self._shown.say(line)

    def _stop(self) -> None:
        self._print_rest()
        left = [found for place, found in enumerate(self._found) if place not in self._done]
        # With keys of its own, it would begin anew; and a pipe has nothing more to give.
        can_go_on = not self._order.again and not all(found.is_pipe for found in left)
        goes_on = " The same command goes on from here." if can_go_on else ""
        self._shown.say(f"Stopped: {len(left)} of {len(self._found)} not sent.{goes_on}", err=True)
        self._tell_of_others()

    def _print_rest(self) -> None:
        for place in range(self._printed, len(self._found)):
            if outcome := self._done.get(place):
                self._print(outcome)

    def _tell_of_others(self) -> None:
        for place in set(self._spools) - set(self._done):
            self._tell_of_spool(place)


def _ends_all(error: ClientError | Shut) -> bool:
    """Whether no other file would fare better."""
    if isinstance(error, Unreachable):
        return error.passes
    return isinstance(error, Shut | Unauthorized)


def _shown(found: Found) -> str:
    return "standard input" if found.path == PIPE else one_line(str(found.path))
