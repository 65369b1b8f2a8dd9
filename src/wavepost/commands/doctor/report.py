"""What a visit found: lines for people, while they wait, or one document for programs."""

import json
import sys
import textwrap
from dataclasses import asdict

import click
from rich.console import Console
from rich.status import Status
from rich.text import Text

from wavepost.commands.doctor.examination import NAMES, Findings
from wavepost.commands.doctor.verdicts import Finding, Verdict

MARKS = {
    Verdict.WELL: ("✓", "green"),
    Verdict.FAULT: ("✗", "bold red"),
    Verdict.NOT_TRIED: ("–", "yellow"),
}
NAME_WIDTH = max(map(len, NAMES))
INDENT = " " * (NAME_WIDTH + 4)
LONGEST_LINE = 100


class Report:
    """Lines on standard output; what happens meanwhile on standard error, if it is a terminal."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._console = Console(highlight=False, markup=False, soft_wrap=True)
        self._status: Status | None = None
        if sys.stderr.isatty():
            self._status = Console(stderr=True).status("")

    def starting(self, about: str) -> None:
        """Show that something takes its time."""
        if self._status:
            self._status.update(about)
            self._status.start()

    def found(self, finding: Finding) -> None:
        """Print what came of a check."""
        self.pause()
        if not self._as_json:
            self._print(finding)

    def pause(self) -> None:
        """Take away what shows that something is going on."""
        if self._status:
            self._status.stop()

    def end(self, url: str, findings: Findings) -> None:
        """Print the sum, or the document."""
        self.pause()
        if self._as_json:
            click.echo(json.dumps(_document(url, findings), indent=2))
            return
        if findings.left_behind:
            self._console.print(Text(f"\n{findings.left_behind}", "yellow"))
        counts = (
            f"well: {findings.count(Verdict.WELL)}, faults: {findings.count(Verdict.FAULT)}, "
            f"not tried: {findings.count(Verdict.NOT_TRIED)}"
        )
        self._console.print(Text(f"\n{url}: {counts}"))

    def _print(self, finding: Finding) -> None:
        mark, style = MARKS[finding.verdict]
        sentence = _harmless(finding.sentence)
        if self._console.is_terminal:
            width = max(40, min(self._console.width, LONGEST_LINE))
            lines = textwrap.wrap(sentence, width - len(INDENT), break_long_words=False)
            sentence = f"\n{INDENT}".join(lines)
        self._console.print(
            Text.assemble((mark, style), f" {finding.name:{NAME_WIDTH}}  {sentence}")
        )
        for line in finding.advice:
            self._console.print(Text(f"{INDENT}{_harmless(line)}", "cyan"))


def _harmless(text: str) -> str:
    return "".join(letter if letter.isprintable() else "�" for letter in text)


def _document(url: str, findings: Findings) -> dict[str, object]:
    return {
        "url": url,
        "well": findings.all_is_well,
        "checks": [asdict(finding) for finding in findings.checks],
        "left_behind": findings.left_behind or None,
    }
