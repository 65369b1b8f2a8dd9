"""How `wavepost watch` begins: where its journal is, that nobody else watches, and its parts."""

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from wavepost.client.source import Options
from wavepost.commands.session import Session
from wavepost.commands.watch import status
from wavepost.commands.watch.delivery import Delivery
from wavepost.commands.watch.disposal import Disposal
from wavepost.commands.watch.journal import Journal, JournalFailed, only_one, path_of
from wavepost.commands.watch.mailbox import Mailbox
from wavepost.commands.watch.report import Report
from wavepost.commands.watch.tree import Tree
from wavepost.commands.watch.watching import Pace, Watching

PATIENCE_SECONDS, ONCE_PATIENCE_SECONDS = 60.0, 300.0
"""How long one file tries before the order of all is looked at anew; with `once` there is no other
try."""


class CannotWatch(Exception):
    """Why the folder can't be watched, as a sentence."""


@dataclass(frozen=True)
class Order:
    """What is asked of a watch: the folder, and what becomes of its files."""

    folder: Path
    state: Path | None
    then: str
    sent: Path | None
    failed: Path | None
    options: Options
    pace: Pace
    as_json: bool


def watch(session_now: Callable[[], Session], order: Order) -> int:
    """Send what is there and what comes; the exit status. Raises CannotWatch and ValueError."""
    tree = _tree(order)
    path = _journal_path(order, tree)
    mailbox = Mailbox()
    patience = ONCE_PATIENCE_SECONDS if order.pace.once else PATIENCE_SECONDS
    try:
        with only_one(tree.root, path), Journal(path) as journal:
            watching = Watching(
                tree,
                journal,
                Delivery(tree, session_now, order.options, patience, mailbox.retried),
                Disposal(tree, order.then, order.sent, order.failed),
                Report(as_json=order.as_json),
                mailbox,
                order.pace,
            )
            mailbox.listen_for_stops()
            # Who opens a file at the moment when we have a lease makes the kernel send it.
            signal.signal(signal.SIGIO, signal.SIG_IGN)
            return watching.run()
    except (JournalFailed, OSError) as error:
        raise _cannot(error) from error


def show_status(order: Order) -> None:
    """Print what waits, what is sent, and what is set aside. Raises CannotWatch."""
    tree = _tree(order)
    try:
        with Journal(_existing(order, tree)) as journal:
            status.show(tree, journal, as_json=order.as_json)
    except JournalFailed as error:
        raise _cannot(error) from error


def retry(order: Order) -> None:
    """Have what was set aside tried again by the next look. Raises CannotWatch."""
    tree = _tree(order)
    try:
        with Journal(_existing(order, tree)) as journal:
            click.echo(
                f"{journal.retry()} will be tried again, where they still are in the folder."
            )
    except JournalFailed as error:
        raise _cannot(error) from error


def state_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where journals are: systemd's folder, or the user's own."""
    if given := environment.get("STATE_DIRECTORY"):
        return Path(given.split(":")[0])
    home = environment.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "wavepost"


def _tree(order: Order) -> Tree:
    targets = [folder for folder in (order.sent, order.failed) if folder]
    try:
        tree = Tree(order.folder, targets)
        with tree.folder(""):
            pass
    except OSError as error:
        raise CannotWatch(f"{order.folder}: {error.strerror}.") from error
    for target in targets:
        if tree.root.is_relative_to(target.resolve()):
            raise CannotWatch(f"{target} holds the watched folder: what is moved would come again.")
    return tree


def _journal_path(order: Order, tree: Tree) -> Path:
    state = order.state or state_folder()
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWatch(f"{state}: {error.strerror}.") from error
    return path_of(state, tree.root)


def _existing(order: Order, tree: Tree) -> Path:
    path = path_of(order.state or state_folder(), tree.root)
    if not path.exists():
        raise CannotWatch(f"{tree.root} was never watched, or with another --state: no {path}.")
    return path


def _cannot(error: JournalFailed | OSError) -> CannotWatch:
    if isinstance(error, OSError):
        named = f"{error.filename}: " if error.filename else ""
        return CannotWatch(f"{named}{error.strerror}.")
    return CannotWatch(str(error))
