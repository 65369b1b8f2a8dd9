"""The machine's processes, as /proc has them."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """One of them; `session` is the id of the one that began its session."""

    id: int
    parent: int
    session: int
    is_over: bool


def processes() -> list[Process]:
    """All that there are now."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, rest = stat.read_text().split(" (", 1)
        except OSError:
            continue
        state, parent, _, session = rest.rpartition(") ")[2].split()[:4]
        found.append(Process(int(pid), int(parent), int(session), state in "ZX"))
    return found
