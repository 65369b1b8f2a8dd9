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
    for found in _walk(folder, frozenset()):
        nothing = False
        yield found
    if nothing:
        listed = ", ".join(WAV_SUFFIXES)
        yield Found(folder, failure=f"There is no WAV in it ({listed}); a file can be named.")


def _walk(folder: Path, above: frozenset[Identity]) -> Iterator[Found]:
    """The WAVs below a folder. `above` are those that it is in, where links would lead round."""
    try:
        status = folder.stat()
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield _failed(folder, error)
        return
    here = above | {(status.st_dev, status.st_ino)}
    for entry in entries:
        if entry.name.startswith("."):
            continue
        path = folder / entry.name
        if _leads_to_folder(entry):
            if _identity(path) not in here:
                yield from _walk(path, here)
        elif path.suffix.lower() in WAV_SUFFIXES and path.is_file():
            yield Found(path)


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _identity(path: Path) -> Identity | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _failed(path: Path, error: Exception) -> Found:
    return Found(path, failure=f"{getattr(error, 'strerror', None) or error}.")
