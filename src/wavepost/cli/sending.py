"""What people send from a terminal, and what they do with it there."""

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wavepost.cli.outcomes import fail

if TYPE_CHECKING:
    from wavepost.commands.session import Session


@click.command()
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE… | DIR | -", type=click.Path(path_type=Path)
)
@click.option("--name", help="What the recording is called; for one FILE, or for -.")
@click.option("--bitrate", type=int, metavar="KBPS", help="Constant, in kbit/s.")
@click.option("--quality", type=click.IntRange(0, 9), help="Variable bitrate: 0 is the best.")
@click.option("--expires-in", type=click.IntRange(1), metavar="SECONDS", help="Gone after so long.")
@click.option("--again", is_flag=True, help="Send also what is there already.")
@click.option("--json", "as_json", is_flag=True, help="Print the recordings, a JSON object a line.")
@click.option(
    "--at-once",
    type=click.IntRange(1, 16),
    default=2,
    show_default=True,
    help="How many files are sent at the same time.",
)
@click.option(
    "--retry-for",
    type=click.FloatRange(0),
    default=300,
    show_default=True,
    metavar="SECONDS",
    help="How long it may fail before it gives up.",
)
def push(
    files: tuple[Path, ...],
    name: str | None,
    bitrate: int | None,
    quality: int | None,
    expires_in: int | None,
    again: bool,
    as_json: bool,
    at_once: int,
    retry_for: float,
) -> None:
    """Send WAVs, and print a link for each, in the order of the arguments.

    A folder stands for the WAVs in it and below; - is standard input. What is there already is not
    sent again: its link is printed. After Ctrl-C the same command goes on. The exit status is 1
    where some were not sent; each has a sentence on standard error.
    """
    if name is not None and (len(files) > 1 or files[0].is_dir()):
        raise click.UsageError("--name is for one file.")
    if bitrate is not None and quality is not None:
        raise click.UsageError("Give --bitrate or --quality, not both.")
    if files.count(Path("-")) > 1:
        raise click.UsageError("Standard input can be sent but once.")
    from wavepost.client.source import Options
    from wavepost.commands.push import STOPPED, Order
    from wavepost.commands.push import push as push_files

    _stop_as_by_ctrl_c()
    options = Options(name, bitrate, quality, expires_in)
    order = Order(options, at_once, retry_for, again=again, as_json=as_json)
    try:
        sys.exit(push_files(_session(), files, order))
    except ValueError as error:
        fail(str(error))
    except KeyboardInterrupt:
        sys.exit(STOPPED)


@click.command()
@click.option("--name", default="", help="Only those whose name contains this.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line.")
def ls(name: str, as_json: bool) -> None:
    """List your recordings, newest first.

    Into a pipe: date, seconds, bytes, name and link, with tabs between them.
    """
    from wavepost.commands.recordings import CannotDo, list_all

    try:
        list_all(_session(), name, as_json=as_json)
    except CannotDo as error:
        fail(str(error))


@click.command()
@click.argument("recording", metavar="ID|LINK")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Where to; - is standard output."
)
def get(recording: str, output: Path | None) -> None:
    """Download the MP3 of a recording, whole and checked. A link needs no login."""
    from wavepost.commands.push import STOPPED
    from wavepost.commands.recordings import CannotDo
    from wavepost.commands.recordings import get as download

    _stop_as_by_ctrl_c()
    is_link = recording.startswith(("http://", "https://"))
    try:
        download(None if is_link else _session(), recording, output)
    except CannotDo as error:
        fail(str(error))
    except KeyboardInterrupt:
        sys.exit(STOPPED)


@click.command()
@click.argument("recordings", nargs=-1, required=True, metavar="ID|LINK…")
@click.option("--yes", is_flag=True, help="Don't ask.")
def rm(recordings: tuple[str, ...], yes: bool) -> None:
    """Remove recordings; their links stop at once."""
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("Nobody can be asked here: give --yes.")
    from wavepost.commands.recordings import CannotDo, remove

    try:
        if not remove(_session(), recordings, asks=not yes):
            sys.exit(1)
    except CannotDo as error:
        fail(str(error))


@click.command()
@click.argument("server")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    help="Where the token is; - is standard input. Else it is asked for.",
)
@click.option("--name", help="Register under this name.")
@click.option(
    "--signup-key-file",
    type=click.Path(path_type=Path),
    help="With --name: where the key is that this server wants from who registers.",
)
def login(
    server: str, token_file: Path | None, name: str | None, signup_key_file: Path | None
) -> None:
    """Remember SERVER and your token for the other commands."""
    if name is not None and token_file is not None:
        raise click.UsageError("Give --name to register, or --token-file, not both.")
    if signup_key_file is not None and name is None:
        raise click.UsageError("--signup-key-file goes with --name.")
    if name is None and token_file is None and not sys.stdin.isatty():
        raise click.UsageError("Nobody can be asked here: give --token-file or --name.")
    from wavepost.commands.login import CannotLogIn, log_in, register

    try:
        if name is None:
            log_in(server, token_file)
        else:
            register(server, name, signup_key_file)
    except CannotLogIn as error:
        fail(str(error))


@click.command()
def logout() -> None:
    """Remove your token from this machine; your recordings stay."""
    from wavepost.commands.login import CannotLogIn, log_out

    try:
        log_out()
    except CannotLogIn as error:
        fail(str(error))


def _stop_as_by_ctrl_c() -> None:
    """A stop of any kind has the command clean up."""
    for stop in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, signal.default_int_handler)


def _session() -> "Session":
    from wavepost.commands.session import NoSession, current

    try:
        return current()
    except NoSession as error:
        fail(str(error))


COMMANDS = (push, ls, get, rm, login, logout)
