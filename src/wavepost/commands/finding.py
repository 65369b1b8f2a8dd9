"""What the arguments of a push mean: files, the WAVs of folders, standard input."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PIPE = Path("-")
WAV_SUFFIXES = (".wav", ".wave", ".w64", ".rf64", ".bwf")

Identity = tuple[int, int]
"""The device and the inode of a folder."""


@dataclass(frozen=True)
class Found:
    """A file to send, or why there is none, in a sentence."""

    path: Path
    is_pipe: bool = False
    failure: str = ""


def find(arguments: tuple[Path, ...]) -> Iterator[Found]:
    """What is to be sent, in the order of the arguments, that of a folder by name."""
    for argument in arguments:
        if argument == PIPE:
            yield Found(argument, is_pipe=True)
            continue
        try:
            status = argument.stat()
        except (OSError, ValueError) as error:
            yield _failed(argument, error)
            continue
        if stat.S_ISDIR(status.st_mode):
            yield from _wavs_of(argument)
        else:
            yield Found(argument, is_pipe=not stat.S_ISREG(status.st_mode))


def _wavs_of(folder: Path) -> Iterator[Found]:
    nothing = True
    for found in _walk(folder):
        nothing = False
        yield found
    if nothing:
        listed = ", ".join(WAV_SUFFIXES)
        yield Found(folder, failure=f"There is no WAV in it ({listed}); a file can be named.")


def _walk(top: Path) -> Iterator[Found]:
    """The WAVs below a folder: those of each folder once, however many links lead to it."""
    seen: set[Identity] = set()
    waiting = [(top, True)]
    while waiting:
        path, is_folder = waiting.pop()
        if is_folder:
            try:
                waiting += _entries(path, seen)
            except OSError as error:
                yield _failed(path, error)
        elif path.suffix.lower() in WAV_SUFFIXES and path.is_file():
            yield Found(path)


def _entries(folder: Path, seen: set[Identity]) -> list[tuple[Path, bool]]:
    """What is in a folder, unless it was `seen`, the last name first. Raises OSError."""
    status = folder.stat()
    identity = status.st_dev, status.st_ino
    if identity in seen:
        return []
    seen.add(identity)
    with os.scandir(folder) as entries:
        shown = [entry for entry in entries if not entry.name.startswith(".")]
    shown.sort(key=lambda entry: entry.name, reverse=True)
    return [(folder / entry.name, _leads_to_folder(entry)) for entry in shown]


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _failed(path: Path, error: Exception) -> Found:
    return Found(path, failure=f"{getattr(error, 'strerror', None) or error}.")
