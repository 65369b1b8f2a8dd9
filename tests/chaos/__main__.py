"""`make chaos`: rounds of faults on both databases in turn, for so many minutes."""

import itertools
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import click

from tests.chaos.databases import KINDS
from tests.chaos.disk import CannotMount, command_that_can_mount
from tests.chaos.faults import FAULTS, Fault
from tests.chaos.findings import Wrong
from tests.chaos.load import Pace
from tests.chaos.report import Report, Tally
from tests.chaos.world import LASTING, QUICK, World, new_folder, running_world

ROUND_SECONDS = 60


@click.command()
@click.option("--minutes", default=5.0, help="How long.")
@click.option("--seed", envvar="WAVEPOST_CHAOS_SEED", help="What every choice follows from.")
@click.option("--database", "kinds", type=click.Choice(KINDS), multiple=True, default=KINDS)
@click.option(
    "--fault", "names", type=click.Choice([fault.name for fault in FAULTS]), multiple=True
)
@click.option("--quick", is_flag=True, help="Nothing lasts longer than a second.")
def main(
    minutes: float, seed: str | None, kinds: tuple[str, ...], names: tuple[str, ...], quick: bool
) -> None:
    """Throw faults at the server; exit status 1 if any promise was broken."""
    seed = seed or str(random.randrange(1_000_000))
    try:
        prefix = command_that_can_mount()
    except CannotMount as error:
        sys.exit(str(error))
    if prefix:
        os.environ["WAVEPOST_CHAOS_SEED"] = seed
        os.execvp(prefix[0], [*prefix, sys.executable, "-m", "tests.chaos", *sys.argv[1:]])
    faults = [fault for fault in FAULTS if not names or fault.name in names]
    kinds = tuple(kind for kind in kinds if any(kind in fault.databases for fault in faults))
    if not kinds:
        sys.exit("No such fault can befall that database.")
    chaos = Chaos(seed, kinds, faults, minutes, QUICK if quick else LASTING)
    chaos.run()
    sys.exit(1 if any(tally.wrong.total() for tally in chaos.tallies.values()) else 0)


class Chaos:
    """All rounds.

    Attributes:
        tallies: what happened on each database.
    """

    def __init__(
        self,
        seed: str,
        kinds: tuple[str, ...],
        faults: list[Fault],
        minutes: float,
        pace: Pace,
    ) -> None:
        self.tallies = {kind: Tally(kind) for kind in kinds}
        self._seed, self._pace = seed, pace
        self._ends = time.monotonic() + 60 * minutes
        self._report = Report([*self.tallies.values()])
        self._faults = {kind: _endlessly(seed, kind, faults) for kind in kinds}

    def run(self) -> None:
        """One round after the other, until the time is over; there is one fault at least."""
        self._report.say(f"WAVEPOST_CHAOS_SEED={self._seed}")
        with self._report.shown():
            for number, kind in enumerate(itertools.cycle(self.tallies)):
                self._round(number, kind)
                if time.monotonic() >= self._ends:
                    return

    def _round(self, number: int, kind: str) -> None:
        """Until its time is over, or something is wrong: what comes then has a fresh world."""
        ends = min(self._ends, time.monotonic() + ROUND_SECONDS)
        seed, tally = f"{self._seed} round {number}", self.tallies[kind]
        with new_folder() as folder, running_world(kind, folder, seed, self._pace) as world:
            while self._endure(next(self._faults[kind]), world, tally, number):
                if time.monotonic() >= ends:
                    break
            else:
                self._report.say(f"The logs of round {number} are in {_saved_logs(folder)}.")
        tally.end_round()

    def _endure(self, fault: Fault, world: World, tally: Tally, number: int) -> bool:
        """Whether all is well."""
        try:
            world.endure(fault)
        except Exception:
            world.findings.add(Wrong.UNEXPECTED, traceback.format_exc())
        found = world.findings.take()
        tally.update(world.ledger.counts, found)
        self._report.passed(f"round {number}, {fault.name}", tally, found)
        return not found


def _endlessly(seed: str, kind: str, faults: list[Fault]) -> Iterator[Fault]:
    """Each in turn, every time in another order."""
    dice = random.Random(f"{seed} {kind}")
    possible = [fault for fault in faults if kind in fault.databases]
    while True:
        yield from dice.sample(possible, len(possible))


def _saved_logs(folder: Path) -> Path:
    saved = Path(tempfile.mkdtemp(prefix="wp-chaos-logs-"))
    for log in folder.glob("*.log"):
        shutil.copy(log, saved)
    return saved


if __name__ == "__main__":
    main()
