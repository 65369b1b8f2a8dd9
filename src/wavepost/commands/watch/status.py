"""`wavepost watch --status`: what waits, what is sent, what is set aside and why."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

from wavepost.commands.terminal import one_line
from wavepost.commands.watch.journal import HELD, REFUSED, SENT, Journal
from wavepost.commands.watch.tree import Tree

Say = Callable[[str], None]


def show(tree: Tree, journal: Journal, *, as_json: bool) -> None:
    """Print it. Raises JournalFailed."""
    status = _status(tree, journal)
    if as_json:
        click.echo(json.dumps(status))
        return
    waiting, sent = status["waiting"], status["sent"]
    oldest = f", the oldest from {waiting['oldest']}" if waiting["oldest"] else ""
    latest = f", the last one {sent['latest']}" if sent["latest"] else ""
    click.echo(f"waiting: {waiting['files']}{oldest}")
    click.echo(f"sent: {sent['files']}{latest}")
    click.echo(f"set aside: {len(status['set_aside'])}")
    for aside in (*status["set_aside"], *status["held"]):
        click.echo(f"{one_line(aside['file'])}: {one_line(aside['reason'])}")
    for path in status["unreadable"]:
        click.echo(f"{one_line(path)}: can't be read")


def _status(tree: Tree, journal: Journal) -> dict[str, Any]:
    unreadable: list[str] = []
    waiting, oldest = 0, None
    for folder in tree.folders(lambda path, _: unreadable.append(tree.full(path))):
        known = journal.of(folder.path)
        for found in folder.files:
            entry = known.get(found.path)
            if entry is None or not entry.settles(found.look):
                waiting += 1
                oldest = min(oldest or found.look.mtime_ns, found.look.mtime_ns)
    sent = journal.counts().get(SENT)
    return {
        "folder": str(tree.root),
        "waiting": {"files": waiting, "oldest": _shown(oldest and oldest / 1e9)},
        "sent": {"files": sent[0] if sent else 0, "latest": _shown(sent and sent[1])},
        "set_aside": _with_reasons(tree, journal, REFUSED),
        "held": _with_reasons(tree, journal, HELD),
        "unreadable": unreadable,
    }


def _with_reasons(tree: Tree, journal: Journal, outcome: str) -> list[dict[str, str]]:
    """What is refused though it may be moved away; what is held only as long as it is there."""
    return [
        {"file": tree.full(path), "reason": entry.reason, "at": _shown(entry.at) or ""}
        for path, entry in journal.with_reasons(outcome)
        if outcome == REFUSED or tree.look(path) == entry.look
    ]


def _shown(at: float | None) -> str | None:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds") if at else None
