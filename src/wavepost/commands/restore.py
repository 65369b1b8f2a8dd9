"""`wavepost restore`: a backup becomes the database, which has to be empty before.

All in one transaction, which commits once every record has been read back.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
from sqlalchemy import Connection

from wavepost import bootstrap
from wavepost.commands.maintenance import CannotFinish, inspect, sentences, summed
from wavepost.commands.terminal import progress_bar
from wavepost.settings import Settings
from wavepost.storage import connections, copies, schema
from wavepost.storage.inspection import Inspection
from wavepost.storage.schema import Age

FAILED = "Nothing was restored"
ALL_THE_SAME = "To restore the rest all the same: --accept-damage"


def restore(settings: Settings, file: Path, *, accept_damage: bool) -> None:
    """Fill the database that the settings name from `file`. Raises CannotFinish."""
    with sentences(FAILED), ExitStack() as stack:
        _check_target(settings)
        source = _opened(stack, file, accept_damage=accept_damage)
        with _empty_database(settings) as target:
            with progress_bar(copies.contents(source).bytes, "copying") as bar:
                copies.copy(source, target, bar.advance)
            damaged = inspect(target, "checking").damaged
            if damaged and not accept_damage:
                raise CannotFinish(
                    f"{FAILED}: damaged records are in {file}: {damaged}. {ALL_THE_SAME}"
                )
            contents = copies.contents(target)
    click.echo(f"{settings.database_shown}: {summed(contents)}")


def _check_target(settings: Settings) -> None:
    """Raises CannotFinish before anything is changed."""
    shown = settings.database_shown
    if settings.sqlite_file and not settings.sqlite_file.exists():
        return
    with (
        sentences(f"Can't use the database {shown}"),
        connections.looking(settings.database) as target,
    ):
        age = schema.age(target)
        if age is Age.NEWER:
            raise CannotFinish(f"A newer wavepost made the tables of {shown}. Use that one.")
        if age is not Age.NONE:
            _insist_on_no_users(settings, target)


def _opened(stack: ExitStack, file: Path, *, accept_damage: bool) -> Connection:
    """The backup, or a copy of it with the tables of this version, until `stack` closes."""
    if not file.is_file():
        raise CannotFinish(f"{FAILED}: there is no file {file}.")
    for rest in (Path(f"{file}-wal"), Path(f"{file}-journal")):
        if rest.exists() and rest.stat().st_size:
            raise CannotFinish(
                f"{FAILED}: {rest} belongs to {file}, which is no backup, but a database in use. "
                "Name a backup of it."
            )
    source = stack.enter_context(connections.untouched(file))
    age = _age(source, file)
    _check_file(source, file, accept_damage=accept_damage)
    return source if age is Age.CURRENT else _upgraded(stack, source, file)


def _upgraded(stack: ExitStack, source: Connection, file: Path) -> Connection:
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="wavepost-"))
    copy = Path(folder) / "backup.db"
    with sentences(f"{FAILED}: {file} is of an older version; bringing it up to date in {folder}"):
        connections.copy_file(source, copy)
        schema.upgrade(f"sqlite:///{copy}")
    return stack.enter_context(connections.untouched(copy))


def _age(source: Connection, file: Path) -> Age:
    """The backup's. Raises CannotFinish where it is none, or of a newer version."""
    with sentences(f"{FAILED}: {file} is no backup of wavepost"):
        strange = copies.strange_parts(source)
        age = Age.NONE if strange else schema.age(source)
    if age is Age.NONE:
        found = f": {strange[0]} is in it" if strange else ""
        raise CannotFinish(f"{FAILED}: {file} is no backup of wavepost{found}.")
    if age is Age.NEWER:
        raise CannotFinish(f"{FAILED}: a newer wavepost made {file}. Restore it with that one.")
    return age


def _check_file(source: Connection, file: Path, *, accept_damage: bool) -> None:
    """Raises CannotFinish where SQLite finds `file` damaged: its rows could have no end."""
    for fault in Inspection(source).file_faults():
        if not accept_damage:
            raise CannotFinish(f"{FAILED}: {file} is damaged: {fault}. {ALL_THE_SAME}")
        click.echo(f"{file}: {fault}", err=True)


@contextmanager
def _empty_database(settings: Settings) -> Iterator[Connection]:
    """The database, with its tables and nothing in them. If the context fails, it stays so."""
    file = settings.sqlite_file
    is_new = bool(file and not file.exists())
    try:
        bootstrap.migrate(settings)
    except bootstrap.CannotStart as error:
        raise CannotFinish(str(error)) from error
    is_ours = False
    try:
        with connections.filling(settings.database) as target:
            _insist_on_no_users(settings, target)
            is_ours = is_new
            yield target
    except BaseException:
        if file and is_ours:
            file.resolve().unlink()
        raise


def _insist_on_no_users(settings: Settings, target: Connection) -> None:
    if copies.contents(target).users:
        raise CannotFinish(
            f"{FAILED}: {settings.database_shown} has users already. Name an empty database."
        )
