"""The door to the commands, kept light on purpose.

Every converter child imports the program's main module again (`multiprocessing`
does so to find pickled objects), so nothing heavy may be imported at its top.
"""


def main() -> None:
    """Run the `wavepost` command."""
    from wavepost.cli import app

    app()


if __name__ == "__main__":
    main()
