"""What keeps the recordings safe: check, back up, restore."""

import sys
from pathlib import Path

import click

from wavepost.cli.outcomes import settings_now, stoppable


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def fsck(as_json: bool) -> None:
    """Read all that is kept, and compare it with the receipts; changes nothing.

    It may run beside the server. The exit status is 1 where something is damaged.
    """
    from wavepost.commands.fsck import fsck as check

    with stoppable("The check has not come to its end"):
        if not check(settings_now(), as_json=as_json):
            sys.exit(1)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Write all that is kept, as it is now, to the new FILE; it may run beside the server.

    FILE is a SQLite database, whatever the service has, and `restore` takes it into either.
    """
    from wavepost.commands.backup import backup as back_up

    with stoppable("No backup was made"):
        back_up(settings_now(), file)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--accept-damage", is_flag=True, help="Restore also where something in FILE is damaged."
)
def restore(file: Path, accept_damage: bool) -> None:
    """Restore the backup FILE into the database that the settings name, which must be empty."""
    from wavepost.commands.restore import restore as restore_file

    with stoppable("Nothing was restored"):
        restore_file(settings_now(), file, accept_damage=accept_damage)


COMMANDS = (fsck, backup, restore)
