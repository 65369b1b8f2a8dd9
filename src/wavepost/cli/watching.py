"""A folder that becomes links by itself: the options of `wavepost watch`."""

import sys
from pathlib import Path

import click

from wavepost.cli.outcomes import fail

FOLDER = click.Path(path_type=Path)


@click.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--then",
    type=click.Choice(["leave", "move", "delete"]),
    default="leave",
    show_default=True,
    help="What becomes of a file that the server has.",
)
@click.option("--sent", type=FOLDER, metavar="DIR", help="Where --then move moves it.")
@click.option("--failed", type=FOLDER, metavar="DIR", help="Where to move what is no usable WAV.")
@click.option(
    "--settle",
    type=click.FloatRange(0.1),
    default=5,
    show_default=True,
    metavar="SECONDS",
    help="How long a file must stay as it is before it is sent.",
)
@click.option(
    "--rescan",
    type=click.FloatRange(0.1),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How often to look at the whole folder, besides what is told of.",
)
@click.option(
    "--at-once",
    type=click.IntRange(1, 16),
    default=2,
    show_default=True,
    help="How many files are sent at the same time.",
)
@click.option("--bitrate", type=int, metavar="KBPS", help="Constant, in kbit/s.")
@click.option("--quality", type=click.IntRange(0, 9), help="Variable bitrate: 0 is the best.")
@click.option("--expires-in", type=click.IntRange(1), metavar="SECONDS", help="Gone after so long.")
@click.option("--state", type=FOLDER, metavar="DIR", help="Where to keep the journal.")
@click.option("--json", "as_json", is_flag=True, help="Print the recordings, a JSON object a line.")
@click.option("--once", is_flag=True, help="Send what is there now, and end.")
@click.option("--status", is_flag=True, help="Show what waits, is sent and is set aside, and end.")
@click.option("--retry", is_flag=True, help="Have what was set aside tried again, and end.")
def watch(
    folder: Path,
    then: str,
    sent: Path | None,
    failed: Path | None,
    settle: float,
    rescan: float,
    at_once: int,
    bitrate: int | None,
    quality: int | None,
    expires_in: int | None,
    state: Path | None,
    as_json: bool,
    once: bool,
    status: bool,
    retry: bool,
) -> None:
    """Send each WAV that comes to be in DIR or below, once nobody writes to it any more.

    For each one the link and the path are printed, with a tab between them; all else is on standard
    error. After a stop, or a crash, the same command goes on. Nothing is sent twice.
    """
    if (then == "move") != (sent is not None):
        raise click.UsageError("--then move and --sent DIR go together.")
    if bitrate is not None and quality is not None:
        raise click.UsageError("Give --bitrate or --quality, not both.")
    if once + status + retry > 1:
        raise click.UsageError("Give one of --once, --status and --retry.")
    from wavepost.client.source import Options
    from wavepost.commands.session import NoSession, current
    from wavepost.commands.watch import starting
    from wavepost.commands.watch.watching import Pace

    options = Options(None, bitrate, quality, expires_in)
    pace = Pace(at_once, settle, rescan, once)
    order = starting.Order(folder, state, then, sent, failed, options, pace, as_json)
    try:
        if status:
            starting.show_status(order)
        elif retry:
            starting.retry(order)
        else:
            sys.exit(starting.watch(current, order))
    except (starting.CannotWatch, NoSession, ValueError) as error:
        fail(str(error))


COMMANDS = (watch,)
