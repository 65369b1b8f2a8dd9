"""Senders and listeners, at work all the time."""

import random
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.chaos.findings import Findings, Wrong
from tests.chaos.ledger import Ledger
from tests.chaos.listener import Listener
from tests.chaos.machine import Spell
from tests.chaos.sender import Address, Sender
from tests.service import wait_for

REST_SECONDS = 180


@dataclass(frozen=True)
class Pace:
    """How long what lasts may last, and how many send and listen meanwhile.

    Attributes:
        spell: from so many seconds to so many.
        rest: how long a sender or listener may rest, in seconds.
    """

    spell: tuple[float, float]
    senders: int
    listeners: int
    rest: float


class Load:
    """Threads that work until they are told to pause."""

    def __init__(
        self,
        address: Address,
        ledger: Ledger,
        findings: Findings,
        outage: Spell,
        trouble: Spell,
        seed: str,
        pace: Pace,
    ) -> None:
        """`outage` is while the server may be gone; `trouble` while anything may be broken."""
        self._going, self._stopping = threading.Event(), threading.Event()
        self._at_work = 0
        self._lock = threading.Lock()
        self._findings = findings
        self._rest = pace.rest
        works: list[Callable[[], None]] = []
        for number in range(pace.senders):
            dice = random.Random(f"{seed} sender {number}")
            sender = Sender(number, address, ledger, findings, outage, self._stopping, dice)
            works.append(sender.work)
        for number in range(pace.listeners):
            dice = random.Random(f"{seed} listener {number}")
            works.append(Listener(address, ledger, findings, trouble, dice).work)
        self._threads = [threading.Thread(target=self._run, args=[work]) for work in works]

    @contextmanager
    def running(self) -> Iterator[None]:
        """As long as the context lasts."""
        for thread in self._threads:
            thread.start()
        self.resume()
        try:
            yield
        finally:
            self._stopping.set()
            self._going.set()
            for thread in self._threads:
                thread.join()

    def resume(self) -> None:
        """Go on."""
        self._going.set()

    def pause(self) -> None:
        """Begin nothing new, and wait until all that is under way has ended."""
        with self._lock:
            self._going.clear()
        wait_for(lambda: not self._at_work, "the load to come to rest", REST_SECONDS)

    def _run(self, work: Callable[[], None]) -> None:
        dice = random.Random()
        while not self._stopping.is_set():
            if self._going.wait() and self._begin():
                try:
                    work()
                except Exception:
                    self._findings.add(Wrong.UNEXPECTED, traceback.format_exc())
                finally:
                    self._end()
                time.sleep(dice.uniform(0, self._rest))

    def _begin(self) -> bool:
        with self._lock:
            begins = self._going.is_set()
            self._at_work += begins
        return begins

    def _end(self) -> None:
        with self._lock:
            self._at_work -= 1
