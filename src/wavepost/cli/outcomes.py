"""How a command begins and ends: its settings, its failures, its stops."""

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from wavepost.settings import Settings


def settings_now(**given: Any) -> "Settings":
    """The settings, what was `given` before the environment; what is wrong there ends it."""
    from pydantic import ValidationError

    from wavepost.settings import Settings

    try:
        return Settings(**given)
    except ValidationError as error:
        for wrong in error.errors():
            name = f"WAVEPOST_{str(wrong['loc'][0]).upper()}: " if wrong["loc"] else ""
            click.echo(f"{name}{wrong['msg'].removeprefix('Value error, ')}.", err=True)
        sys.exit(2)


def fail(sentence: str) -> NoReturn:
    """End with the status 1, and the sentence on standard error."""
    click.echo(sentence, err=True)
    sys.exit(1)


def write_for_nobody_else() -> None:
    """What is written from now on is for this user alone."""
    os.umask(0o077)


@contextmanager
def stoppable(outcome: str) -> Iterator[None]:
    """For a command that may take long: a stop has it clean up, and say the `outcome`."""
    from wavepost.commands.maintenance import CannotFinish

    write_for_nobody_else()
    # As Ctrl-C does, also for process 1 of a container, which would not hear it otherwise.
    for stop in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, signal.default_int_handler)
    # It warns of each statement that a stop came into.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    try:
        yield
    except CannotFinish as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail(f"{outcome}: it was stopped.")
