"""The service itself: run it, ask whether it is well, and see how it is set."""

import logging
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wavepost import __version__
from wavepost.cli.outcomes import fail, settings_now, write_for_nobody_else

if TYPE_CHECKING:
    from wavepost.settings import Settings

HEALTH_SECONDS = 10
EXAMPLE = Path("examples/hello.wav")


@click.command()
@click.option("--host", help="The address to listen on.")
@click.option("--port", type=int, help="The port to listen on; 0 picks one.")
@click.option("--data", type=click.Path(path_type=Path), help="The folder for SQLite's database.")
def serve(**given: Any) -> None:
    """Serve. Every setting can also come from the environment: see `wavepost settings`."""
    from wavepost.web.server import serve as serve_web

    write_for_nobody_else()
    settings = settings_now(**{name: value for name, value in given.items() if value is not None})
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # Nothing of these is in the lines.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.getLogger("alembic").setLevel(logging.WARNING)

    def announce(address: str) -> None:
        click.echo(_welcome(address, settings))

    _run(serve_web(settings, announce))


@click.command()
def migrate() -> None:
    """Bring the database's tables to this version. `serve` does so itself for SQLite."""
    from wavepost import bootstrap

    write_for_nobody_else()
    settings = settings_now()
    try:
        bootstrap.migrate(settings)
    except bootstrap.CannotStart as error:
        fail(str(error))
    click.echo(f"{settings.database_shown} is up to date.")


@click.command()
@click.option("--url", help="The service; the one that the settings name if left out.")
def health(url: str | None) -> None:
    """Ask a running service whether it is able to serve; the exit status says so too."""
    import urllib.error
    import urllib.request

    settings = settings_now()
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104
    base = url or f"http://{host}:{settings.port}"
    if not base.startswith(("http://", "https://")):
        fail("Begin the URL with http:// or https://.")
    try:
        with urllib.request.urlopen(f"{base}/readyz", timeout=HEALTH_SECONDS) as answer:  # noqa: S310
            click.echo(answer.read().decode())
    except urllib.error.HTTPError as error:
        fail(error.read().decode(errors="replace"))
    except OSError as error:
        fail(f"{base} does not answer: {getattr(error, 'reason', error)}")


@click.command()
def settings() -> None:
    """Show every setting, its value now, and what it is for."""
    from rich.console import Console
    from rich.table import Column, Table

    from wavepost.settings import Settings

    now = settings_now()
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


def _run(work: Coroutine[Any, Any, None]) -> None:
    import asyncio

    import uvloop

    from wavepost.bootstrap import CannotStart

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(work)
    except CannotStart as error:
        fail(str(error))


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


COMMANDS = (serve, migrate, health, settings)
