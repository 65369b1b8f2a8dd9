"""What was measured, as tables."""

import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench.sounds import PATTERN_SECONDS
from wavepost import __version__


@dataclass
class Table:
    """Columns and rows of text, with a sentence on how to read them."""

    title: str
    note: str
    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)

    def markdown(self) -> str:
        """As a section of a document."""
        ruler = ["---", *("---:" for _ in self.columns[1:])]
        lines = [self.columns, ruler, *self.rows]
        table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
        return f"## {self.title}\n\n{self.note}\n\n{table}\n"


def seconds(value: float) -> str:
    """For people: milliseconds below one second."""
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms"


def mebibytes(value: float) -> str:
    """For people."""
    return f"{value / 1024**2:.0f} MiB"


def document(tables: list[Table], runs: int) -> str:
    """The whole of docs/performance.md."""
    return "\n".join((_introduction(runs), *(table.markdown() for table in tables)))


def _introduction(runs: int) -> str:
    return f"""# Performance

Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}, with wavepost {__version__} at commit
{_output("git", "rev-parse", "--short", "HEAD")}. A figure is the median of {runs} runs unless its
table says otherwise; commands and servers take turns with what they are compared with. Read the
ratios, for the times are this machine's:

{_machine()}

The sounds are made by `bench/sounds.py`: patterns of {PATTERN_SECONDS} s, repeated.
"""


def _machine() -> str:
    cpu = _first(r"model name\s*: (.+)", "/proc/cpuinfo") or platform.machine()
    memory = int(_first(r"MemTotal: +(\d+)", "/proc/meminfo") or 0) // 1024**2
    lines = [
        f"- {os.cpu_count()} cores ({cpu}), {memory} GiB, {platform.system()} "
        f"{platform.release().partition('-')[0]}, Python {platform.python_version()}",
        *(f"- {version}" for version in _versions()),
    ]
    return "\n".join(lines)


def _versions() -> list[str]:
    asked = (("lame", "--version"), ("ffmpeg", "-version"), ("nginx", "-v"), ("wrk", "-v"))
    return [
        _output(tool, option).splitlines()[0].partition(" Copyright")[0]
        for tool, option in asked
        if shutil.which(tool)
    ]


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip()


def _first(pattern: str, path: str) -> str | None:
    try:
        match = re.search(pattern, Path(path).read_text())
    except OSError:
        return None
    return match[1].strip() if match else None
