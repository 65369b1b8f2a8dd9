"""The commands.

`wavepost health` runs every few seconds in a container, and `wavepost convert` competes with
tools that start at once: what only some commands need, they import.
"""

import click

from wavepost import __version__
from wavepost.cli import conversion, diagnosis, maintenance, sending, service, watching


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
def app() -> None:
    """POST a WAV, get an MP3 link."""


for _commands in (service, maintenance, conversion, sending, watching, diagnosis):
    for _command in _commands.COMMANDS:
        app.add_command(_command)
