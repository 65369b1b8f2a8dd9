"""The commands.

`wavepost health` runs every few seconds in a container, and `wavepost convert` competes with
tools that start at once: what only some commands need, they import.
"""

import logging
import os
import signal
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from wavepost import __version__
from wavepost.audio.frames import ALL_BITRATES
from wavepost.machine import cores

if TYPE_CHECKING:
    from wavepost.settings import Settings

HEALTH_SECONDS = 10
EXAMPLE = Path("examples/hello.wav")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
def app() -> None:
    """POST a WAV, get an MP3 link."""


@app.command()
@click.option("--host", help="The address to listen on.")
@click.option("--port", type=int, help="The port to listen on; 0 picks one.")
@click.option("--data", type=click.Path(path_type=Path), help="The folder for SQLite's database.")
def serve(**given: Any) -> None:
    """Serve. Every setting can also come from the environment: see `wavepost settings`."""
    from wavepost.web.server import serve as serve_web

    _write_for_nobody_else()
    settings = _settings(**{name: value for name, value in given.items() if value is not None})
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # Nothing of these is in the lines.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.getLogger("alembic").setLevel(logging.WARNING)

    def announce(address: str) -> None:
        click.echo(_welcome(address, settings))

    _run(serve_web(settings, announce))


@app.command()
@click.argument("wav", type=click.Path(path_type=Path))
@click.argument("mp3", type=click.Path(path_type=Path))
@click.option(
    "--bitrate",
    type=click.Choice(ALL_BITRATES),
    metavar="KBPS",
    help="Constant, in kbit/s. By default it follows from the sound.",
)
@click.option(
    "--quality",
    type=click.IntRange(0, 9),
    help="Variable bitrate: 0 is the best and largest, 9 the smallest.",
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=cores,
    show_default="all",
    help="How many cores to use; the MP3 is the same with any number.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the receipt.")
def convert(
    wav: Path, mp3: Path, bitrate: int | None, quality: int | None, threads: int, as_json: bool
) -> None:
    """Convert the file WAV to the file MP3, as the service would; - is a pipe.

    What MP3 held before is replaced once the new one is whole.
    """
    from wavepost.audio.encoder import Wanted
    from wavepost.commands.convert import CannotConvert
    from wavepost.commands.convert import convert as convert_file

    if bitrate is not None and quality is not None:
        raise click.UsageError("Give --bitrate or --quality, not both.")
    try:
        convert_file(wav, mp3, Wanted(bitrate, quality), threads, as_json=as_json)
    except CannotConvert as error:
        _fail(str(error))


@app.command()
def migrate() -> None:
    """Bring the database's tables to this version. `serve` does so itself for SQLite."""
    from wavepost import bootstrap

    _write_for_nobody_else()
    settings = _settings()
    try:
        bootstrap.migrate(settings)
    except bootstrap.CannotStart as error:
        _fail(str(error))
    click.echo(f"{settings.database_shown} is up to date.")


@app.command()
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def fsck(as_json: bool) -> None:
    """Read all that is kept, and compare it with the receipts; changes nothing.

    It may run beside the server. The exit status is 1 where something is damaged.
    """
    from wavepost.commands.fsck import fsck as check

    with _stoppable("The check has not come to its end"):
        if not check(_settings(), as_json=as_json):
            sys.exit(1)


@app.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Write all that is kept, as it is now, to the new FILE; it may run beside the server.

    FILE is a SQLite database, whatever the service has, and `restore` takes it into either.
    """
    from wavepost.commands.backup import backup as back_up

    with _stoppable("No backup was made"):
        back_up(_settings(), file)


@app.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--accept-damage", is_flag=True, help="Restore also where something in FILE is damaged."
)
def restore(file: Path, accept_damage: bool) -> None:
    """Restore the backup FILE into the database that the settings name, which must be empty."""
    from wavepost.commands.restore import restore as restore_file

    with _stoppable("Nothing was restored"):
        restore_file(_settings(), file, accept_damage=accept_damage)


@app.command()
@click.option("--url", help="The service; the one that the settings name if left out.")
def health(url: str | None) -> None:
    """Ask a running service whether it is able to serve; the exit status says so too."""
    import urllib.error
    import urllib.request

    settings = _settings()
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104
    base = url or f"http://{host}:{settings.port}"
    if not base.startswith(("http://", "https://")):
        _fail("Begin the URL with http:// or https://.")
    try:
        with urllib.request.urlopen(f"{base}/readyz", timeout=HEALTH_SECONDS) as answer:  # noqa: S310
            click.echo(answer.read().decode())
    except urllib.error.HTTPError as error:
        _fail(error.read().decode(errors="replace"))
    except OSError as error:
        _fail(f"{base} does not answer: {getattr(error, 'reason', error)}")


@app.command()
def settings() -> None:
    """Show every setting, its value now, and what it is for."""
    from rich.console import Console
    from rich.table import Column, Table

    from wavepost.settings import Settings

    now = _settings()
    table = Table(
        Column("name in the environment", no_wrap=True),
        Column("value", overflow="fold"),
        "what it is for",
    )
    for name, field in Settings.model_fields.items():
        value = getattr(now, name)
        if isinstance(value, bool):
            value = int(value)
        shown = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        table.add_row(f"WAVEPOST_{name.upper()}", shown, field.description)
    Console().print(table)


def _write_for_nobody_else() -> None:
    os.umask(0o077)


@contextmanager
def _stoppable(outcome: str) -> Iterator[None]:
    """For a command that may take long: a stop has it clean up, and say the `outcome`."""
    from wavepost.commands.maintenance import CannotFinish

    _write_for_nobody_else()
    # As Ctrl-C does, also for process 1 of a container, which would not hear it otherwise.
    for stop in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, signal.default_int_handler)
    # It warns of each statement that a stop came into.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    try:
        yield
    except CannotFinish as error:
        _fail(str(error))
    except KeyboardInterrupt:
        _fail(f"{outcome}: it was stopped.")


def _settings(**given: Any) -> "Settings":
    from pydantic import ValidationError

    from wavepost.settings import Settings

    try:
        return Settings(**given)
    except ValidationError as error:
        for wrong in error.errors():
            name = f"WAVEPOST_{str(wrong['loc'][0]).upper()}: " if wrong["loc"] else ""
            click.echo(f"{name}{wrong['msg'].removeprefix('Value error, ')}.", err=True)
        sys.exit(2)


def _run(work: Coroutine[Any, Any, None]) -> None:
    import asyncio

    import uvloop

    from wavepost.bootstrap import CannotStart

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(work)
    except CannotStart as error:
        _fail(str(error))


def _fail(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(1)


def _welcome(address: str, settings: "Settings") -> str:
    wav = EXAMPLE if EXAMPLE.exists() else Path("call.wav")
    return f"""
wavepost {__version__} listens on {address}
Recordings are kept in {settings.database_shown}

Try it in another terminal:

  ME=$(curl -sS {address}/users -H 'Content-Type: application/json' -d '{{"name": "Ann"}}'); echo "$ME"
  TOKEN=$(echo "$ME" | sed 's/.*"access_token": *"\\([^"]*\\)".*/\\1/')
  LINK=$(curl -sS {address}/records -H "Authorization: Bearer $TOKEN" -H 'Accept: text/plain' -F record=@{wav}); echo "$LINK"
  curl -sS -o hello.mp3 "$LINK"

Or open {address} in a browser; {address}/docs explains the API. Ctrl-C stops the server.
"""  # noqa: E501 - the lines must work as they stand
