"""`wavepost backup`: all that is kept, as it is at one moment, in one SQLite file.

Row by row, also from SQLite: a copy of its pages would hold what was removed, and be as large as
the file has ever been; VACUUM INTO can't show how far it is.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from wavepost.commands.maintenance import CannotFinish, inspect, opened, sentences, summed
from wavepost.commands.terminal import progress_bar
from wavepost.settings import Settings
from wavepost.storage import connections, copies, schema

FAILED = "No backup was made"


def backup(settings: Settings, file: Path) -> None:
    """Make `file`. Raises CannotFinish, also where records in it are damaged: then it is there."""
    with sentences(FAILED), _new(file) as made:
        url = f"sqlite:///{made}"
        _copy(settings, url)
        with connections.looking(url) as copied:
            contents = copies.contents(copied)
            inspection = inspect(copied, "checking")
            faults = list(inspection.file_faults())
        if faults:
            raise CannotFinish(f"{FAILED}: what was written is damaged: {faults[0]}")
    click.echo(f"{file}: {summed(contents)}")
    if inspection.damaged:
        raise CannotFinish(
            f"{file} was made, but damaged records are in it: {inspection.damaged}. "
            "See whether they are in the database too: wavepost fsck"
        )


def _copy(settings: Settings, url: str) -> None:
    with opened(settings, connections.snapshot) as source:
        schema.upgrade(url)
        total = copies.contents(source).bytes
        with connections.filling(url) as target, progress_bar(total, "copying") as bar:
            copies.copy(source, target, bar.advance)


@contextmanager
def _new(file: Path) -> Iterator[Path]:
    """Where to write what becomes `file`, on the disk and whole, if the context ends well.

    SQLite has files of its own beside the one that it writes, so it gets a folder.
    """
    if os.path.lexists(file):
        raise _taken(file)
    if not file.parent.is_dir():
        raise CannotFinish(f"{FAILED}: there is no folder {file.parent}. Make it first.")
    with tempfile.TemporaryDirectory(
        prefix=f".{file.name[:100]}.", suffix=".part", dir=file.parent
    ) as folder:
        made = Path(folder) / "backup.db"
        yield made
        made.chmod(0o600)
        _sync(made)
        _move(made, file)
    _sync(file.parent)


def _move(made: Path, file: Path) -> None:
    """Give `made` its name. A link is never made over what is there, as a new name would be."""
    try:
        os.link(made, file)
    except FileExistsError:
        raise _taken(file) from None
    except OSError:
        # A file system without links.
        if os.path.lexists(file):
            raise _taken(file) from None
        made.rename(file)


def _taken(file: Path) -> CannotFinish:
    return CannotFinish(f"{file} is there already. Name another file, or take that one away.")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
