"""A look at a service from outside, as its users have it."""

import os
import sys
from pathlib import Path

import click

from wavepost.cli.outcomes import fail

MEGABYTES, THOROUGH_MEGABYTES = 20, 110
SLOW_SECONDS, THOROUGH_SLOW_SECONDS = 20.0, 110.0


@click.command()
@click.argument("url")
@click.option(
    "--thorough",
    is_flag=True,
    help="Send more than 100 MB, and for more than 100 seconds, which are Cloudflare's limits.",
)
@click.option(
    "--slow",
    type=click.FloatRange(1, 3600),
    metavar="SECONDS",
    help="How long the slow upload takes, half of it silent; 20 by default.",
)
@click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Certificates to trust beside the system's, as PEM.",
)
@click.option("--only", multiple=True, metavar="CHECK", help="Only this check, and what it needs.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def doctor(
    url: str,
    thorough: bool,
    slow: float | None,
    ca: Path | None,
    only: tuple[str, ...],
    as_json: bool,
) -> None:
    """Look at the service at URL through its proxy, and say which line to change.

    It registers a user of its own, or uses the token in WAVEPOST_TOKEN, and removes all that it
    made. The exit status is 1 where something is wrong.
    """
    from wavepost.commands.doctor.examination import NAMES
    from wavepost.commands.doctor.run import Stopped
    from wavepost.commands.doctor.run import doctor as run
    from wavepost.commands.doctor.target import NotAnAddress, target
    from wavepost.commands.doctor.visit import Plan

    if unknown := next((name for name in only if name not in NAMES), None):
        raise click.UsageError(f"There is no check {unknown!r}; there are {', '.join(NAMES)}.")
    token = os.environ.get("WAVEPOST_TOKEN", "").strip()
    if not (token.isascii() and token.isprintable()):
        raise click.UsageError("WAVEPOST_TOKEN is no token.")
    plan = Plan(
        large_bytes=(THOROUGH_MEGABYTES if thorough else MEGABYTES) * 1_000_000,
        slow_seconds=slow or (THOROUGH_SLOW_SECONDS if thorough else SLOW_SECONDS),
    )
    try:
        is_well = run(target(url, ca), plan, token, only, as_json=as_json)
    except NotAnAddress as error:
        raise click.UsageError(str(error)) from None
    except Stopped:
        fail("The doctor has not come to the end: it was stopped.")
    if not is_well:
        sys.exit(1)


COMMANDS = (doctor,)
