"""The converter, without the service."""

from pathlib import Path

import click

from wavepost.audio.frames import ALL_BITRATES
from wavepost.cli.outcomes import fail
from wavepost.machine import cores


@click.command()
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
        fail(str(error))


COMMANDS = (convert,)
