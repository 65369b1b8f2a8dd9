"""A server, its database on a small disk, and the load on it: one fault after the other."""

import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.chaos.clients import RudeClients
from tests.chaos.databases import Database, on_small_disks
from tests.chaos.faults import Fault
from tests.chaos.findings import Findings
from tests.chaos.ledger import Ledger
from tests.chaos.load import Load, Pace
from tests.chaos.machine import Machine, Spell
from tests.chaos.sender import Address
from tests.chaos.verdict import Verdict
from tests.service import Caller

SETTINGS = {
    "abandoned_seconds": "1",
    "idle_seconds": "1",
    "shutdown_seconds": "1",
    # Little of it: what is downloaded shall come from the database.
    "cache_bytes": str(1024 * 1024),
}
MOST_MOMENT_SECONDS = 0.3


LASTING = Pace((1.0, 12.0), senders=6, listeners=2, rest=0.15)
"""PostgreSQL is frozen for up to half as long again, which is more than a reader waits."""

QUICK = Pace((0.2, 0.8), senders=3, listeners=1, rest=0.4)
"""For the test suite."""


class World:
    """Everything that a fault can befall.

    Attributes:
        seed: what every random choice follows from.
        dice: the faults' choices.
        ledger: what the load was told.
        findings: what should not have been.
        trouble: while a fault is under way.
    """

    def __init__(self, database: Database, machine: Machine, seed: str, pace: Pace) -> None:
        self.database, self.machine, self.seed = database, machine, seed
        self.dice = random.Random(seed)
        self.ledger, self.findings = Ledger(), Findings()
        self.trouble = Spell()
        self._pace = pace
        self.ann = Caller(machine.server)
        self.address = Address(machine.url, self.ann.id, self.ann.token)
        common = (self.address, self.ledger, self.findings)
        self.load = Load(*common, machine.outage, self.trouble, seed, pace)
        self.verdict = Verdict(*common, database.url, machine)

    def endure(self, *faults: Fault) -> None:
        """Have the faults happen, one by one, under load, and look what came of them."""
        self.load.resume()
        time.sleep(self.dice.uniform(0, MOST_MOMENT_SECONDS))
        # Whatever else is under way just then, one upload is half stored.
        with self.rude_clients().half_sent(self.database.url), self.trouble.under_way():
            for fault in faults:
                self.findings.fault = fault.name
                fault.inject(self)
                self.ledger.count(f"fault: {fault.name}")
            self.verdict.wait_until_served()
        self.load.pause()
        self.verdict.pass_on()

    def refused(self, status: int) -> int:
        """How many uploads heard this."""
        return self.ledger.counts[f"refused {status}"]

    def spell(self) -> float:
        """How long the next thing lasts."""
        return self.dice.uniform(*self._pace.spell)

    def let_pass(self, times: float = 1, most: float = float("inf")) -> None:
        """Let the fault last."""
        time.sleep(min(most, times * self.spell()))

    def rude_clients(self) -> RudeClients:
        """Some who behave badly."""
        return RudeClients(
            self.machine.server, self.ann.token, self.ledger, self.findings, self.dice
        )


@contextmanager
def new_folder() -> Iterator[Path]:
    """A folder that goes away again, and that another user may pass through: PostgreSQL's."""
    with tempfile.TemporaryDirectory(prefix="wp-chaos-") as name:
        yield Path(name)


@contextmanager
def running_world(kind: str, folder: Path, seed: str, pace: Pace) -> Iterator[World]:
    """A world under load, on SQLite or PostgreSQL. The seed says whether WAVs are kept."""
    keep_wav = str(random.Random(f"{seed} keeps").getrandbits(1))
    with ExitStack() as stack:
        database = stack.enter_context(on_small_disks(kind, folder))
        settings = {**SETTINGS, "database_url": database.url, "keep_wav": keep_wav}
        # On the small disk too, as on many machines.
        machine = Machine(folder / "server.log", database.disk.folder / "temporary", **settings)
        stack.callback(machine.end)
        world = World(database, machine, seed, pace)
        stack.callback(world.address.close)
        stack.enter_context(world.load.running())
        yield world
