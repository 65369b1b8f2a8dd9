"""How it goes, and tables at the end."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from tests.chaos.findings import Wrong, in_words

FAULT = "fault: "


class Tally:
    """What happened on one database, over all rounds."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.counts: Counter[str] = Counter()
        self.wrong: Counter[Wrong] = Counter()
        self._of_round: Counter[str] = Counter()

    def update(self, counts: Mapping[str, int], found: Mapping[Wrong, list[str]]) -> None:
        """What a round has counted so far, and what was found since the last time."""
        now = Counter(counts)
        self.counts += now - self._of_round
        self._of_round = now
        self.wrong.update({wrong: len(sentences) for wrong, sentences in found.items()})

    def end_round(self) -> None:
        """The next one counts from 0."""
        self._of_round = Counter()

    def table(self) -> Table:
        """Everything; what should be zero comes last."""
        table = Table("", self.kind)
        table.columns[1].justify = "right"
        faults = sorted(name for name in self.counts if name.startswith(FAULT))
        for name in [*sorted(self.counts.keys() - faults), *faults]:
            table.add_row(name, str(self.counts[name]))
        table.add_section()
        for wrong in Wrong:
            colour = "red" if self.wrong[wrong] else "green"
            table.add_row(wrong.value, f"[{colour}]{self.wrong[wrong]}[/{colour}]")
        return table

    def line(self) -> str:
        """In short."""
        faults = sum(count for name, count in self.counts.items() if name.startswith(FAULT))
        return (
            f"{self.kind}: {faults} faults, {self.counts['acknowledged']} acknowledged, "
            f"{self.counts['downloads checked']} downloads checked, "
            f"{sum(self.wrong.values())} wrong"
        )


class Report:
    """Live tables on a terminal, a line for each fault elsewhere."""

    def __init__(self, tallies: list[Tally]) -> None:
        self._tallies = tallies
        self._console = Console()
        self._live = Live(console=self._console, auto_refresh=False, transient=True)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """As long as the context lasts; the tables stay."""
        try:
            if self._console.is_terminal:
                with self._live:
                    yield
            else:
                yield
        finally:
            for tally in self._tallies:
                self._console.print(tally.table())

    def say(self, what: str) -> None:
        """A line."""
        self._console.print(what, highlight=False, markup=False, soft_wrap=True)

    def passed(self, what: str, tally: Tally, found: dict[Wrong, list[str]]) -> None:
        """A fault is over."""
        if found:
            self.say(in_words(found))
        if self._console.is_terminal:
            tables = [each.table() for each in self._tallies]
            self._live.update(Group(f"{what} …", *tables), refresh=True)
        else:
            self.say(f"{what}: {tally.line()}")
