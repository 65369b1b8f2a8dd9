"""What `fsck`, `backup` and `restore` share: the database as it stands, and what is in the way."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Protocol

import click
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from wavepost.commands.terminal import progress_bar, quoted
from wavepost.settings import Settings
from wavepost.storage import copies, schema
from wavepost.storage.copies import Contents, UnreadableRow
from wavepost.storage.failures import is_full, is_interrupted, is_locked, reason
from wavepost.storage.inspection import DamagedRecord, Inspection


class CannotFinish(Exception):
    """What keeps a command from its end, as a sentence for whoever gave it."""


class Connect(Protocol):
    """One of `storage.connections`."""

    def __call__(self, url: str) -> AbstractContextManager[Connection]:
        """A connection for as long as the context lasts."""


@contextmanager
def sentences(beginning: str) -> Iterator[None]:
    """Turn what can go wrong into CannotFinish: `beginning`, and the reason."""
    try:
        yield
    except UnreadableRow as error:
        raise CannotFinish(f"{beginning}: {error}.") from error
    except DBAPIError as error:
        if is_interrupted(error):
            raise KeyboardInterrupt from None
        raise CannotFinish(f"{beginning}: {reason(error)}.{_advice(error)}") from error
    except SQLAlchemyError as error:
        raise CannotFinish(f"{beginning}: {reason(error)}.") from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise CannotFinish(f"{beginning}: {where}{error.strerror}.") from error


def _advice(error: DBAPIError) -> str:
    if is_full(error):
        return " Make room on the disk, or name another."
    if is_locked(error):
        return " Somebody uses it: stop the server first."
    return ""


@contextmanager
def opened(settings: Settings, connect: Connect) -> Iterator[Connection]:
    """The database that the settings name. It is neither made nor migrated. Raises CannotFinish."""
    shown = settings.database_shown
    with ExitStack() as stack:
        with sentences(f"Can't use the database {shown}"):
            if settings.sqlite_file and not settings.sqlite_file.exists():
                raise CannotFinish(f"There is no {shown}. Name its folder: WAVEPOST_DATA.")
            connection = stack.enter_context(connect(settings.database))
            age = schema.age(connection)
        if age is schema.Age.NEWER:
            raise CannotFinish(f"A newer wavepost made the tables of {shown}. Use that one.")
        if age is not schema.Age.CURRENT:
            raise CannotFinish(
                f"The tables of {shown} are not those of this version. Run: wavepost migrate"
            )
        yield connection


def inspect(connection: Connection, doing: str) -> Inspection:
    """Read every record, and name those that are damaged on standard error."""
    inspection = Inspection(connection)
    with progress_bar(copies.contents(connection).bytes, doing) as bar:
        for damaged in inspection.damaged_records(bar.advance):
            with bar.aside():
                click.echo(described(damaged), err=True)
    return inspection


def described(damaged: DamagedRecord) -> str:
    """A line for people."""
    ids = f"{damaged.id} of user {damaged.user_id}"
    return f"{ids}, {quoted(damaged.name)}: {'; '.join(damaged.problems)}"


def summed(contents: Contents) -> str:
    """How much there is, for people."""
    return f"users: {contents.users}, records: {contents.records}, bytes: {contents.bytes:,}"
