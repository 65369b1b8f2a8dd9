"""The commands.

`wavepost health` runs every few seconds in a container: what only the others need, they import.
"""

import asyncio
import logging
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError

from wavepost import __version__
from wavepost.settings import Settings

HEALTH_SECONDS = 10
EXAMPLE = Path("examples/hello.wav")

app = typer.Typer(
    name="wavepost",
    help="POST a WAV, get an MP3 link.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it and end.")
    ] = False,
) -> None:
    """POST a WAV, get an MP3 link."""
    os.umask(0o077)  # what we write is nobody else's to read


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on; 0 picks one.")] = None,
    data: Annotated[Path | None, typer.Option(help="The folder for SQLite's database.")] = None,
) -> None:
    """Serve. Every setting can also come from the environment: see `wavepost settings`."""
    from wavepost.web.server import serve as serve_web

    given = {"host": host, "port": port, "data": data}
    settings = _settings(**{name: value for name, value in given.items() if value is not None})
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )

    logging.getLogger("alembic").setLevel(logging.WARNING)

    def announce(address: str) -> None:
        typer.echo(_welcome(address, settings))

    _run(serve_web(settings, announce))


@app.command()
def migrate() -> None:
    """Bring the database's tables to this version. `serve` does so itself for SQLite."""
    from wavepost import bootstrap

    settings = _settings()
    try:
        bootstrap.migrate(settings)
    except bootstrap.CannotStart as error:
        _fail(str(error))
    typer.echo(f"{settings.database_shown} is up to date.")


@app.command()
def health(
    url: Annotated[
        str | None, typer.Option(help="The service; the one that the settings name if left out.")
    ] = None,
) -> None:
    """Ask a running service whether it is able to serve; the exit status says so too."""
    settings = _settings()
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104
    base = url or f"http://{host}:{settings.port}"
    if not base.startswith(("http://", "https://")):
        _fail("Begin the URL with http:// or https://.")
    try:
        with urllib.request.urlopen(f"{base}/readyz", timeout=HEALTH_SECONDS) as answer:  # noqa: S310
            typer.echo(answer.read().decode())
    except urllib.error.HTTPError as error:
        _fail(error.read().decode(errors="replace"))
    except OSError as error:
        _fail(f"{base} does not answer: {getattr(error, 'reason', error)}")


@app.command()
def settings() -> None:
    """Show every setting, its value now, and what it is for."""
    from rich.console import Console
    from rich.table import Column, Table

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


def _settings(**given: Any) -> Settings:
    try:
        return Settings(**given)
    except ValidationError as error:
        for wrong in error.errors():
            name = f"WAVEPOST_{str(wrong['loc'][0]).upper()}"
            typer.echo(f"{name}: {wrong['msg'].removeprefix('Value error, ')}.", err=True)
        raise typer.Exit(2) from None


def _run(work: Coroutine[Any, Any, None]) -> None:
    import uvloop

    from wavepost.bootstrap import CannotStart

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(work)
    except CannotStart as error:
        _fail(str(error))


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    sys.exit(1)


def _welcome(address: str, settings: Settings) -> str:
    wav = EXAMPLE if EXAMPLE.exists() else Path("call.wav")
    return f"""
wavepost {__version__} listens on {address}
Recordings are kept in {settings.database_shown}

Try it in another terminal:

  ME=$(curl -sS {address}/users -H 'Content-Type: application/json' -d '{{"name": "Ann"}}'); echo "$ME"
  TOKEN=$(echo "$ME" | sed 's/.*"access_token": *"\\([^"]*\\)".*/\\1/')
  LINK=$(curl -sS {address}/records -H "Authorization: Bearer $TOKEN" -H 'Accept: text/plain' -F record=@{wav}); echo "$LINK"
  curl -sS -o hello.mp3 "$LINK"

The API explains itself at {address}/docs. Ctrl-C stops the server.
"""  # noqa: E501 - the lines must work as they stand
