"""Backups made and restored by the commands, for the tests of both."""

import os
import subprocess
from pathlib import Path

from pydantic import SecretStr

from tests import sound
from tests.kept import HEAD_BYTES
from tests.service import run
from wavepost.settings import Settings
from wavepost.storage import connections, copies, schema
from wavepost.storage.chunks import CHUNK_BYTES

MP3 = os.urandom(HEAD_BYTES + 2 * CHUNK_BYTES + 1000)
WAV = sound.wav(sound.tone(15, 44_100, (440.0, 660.0)))
SHORT = sound.wav(sound.tone(0.5, 8_000), 8_000)
AS_WAV = {"Content-Type": "audio/wav"}
KEY = {"Idempotency-Key": "once"}


def url_of(file: Path) -> str:
    """The URL of a SQLite file."""
    return f"sqlite:///{file}"


def settings(url: str) -> Settings:
    """Those that name this database."""
    return Settings(database_url=SecretStr(url))


def contents(url: str) -> copies.Contents:
    with connections.looking(url) as database:
        return copies.contents(database)


def back_up(url: str, file: Path) -> None:
    ended = run("backup", str(file), database_url=url)
    assert (ended.returncode, ended.stderr) == (0, "")


def restore(file: Path, url: str) -> None:
    ended = run("restore", str(file), database_url=url)
    assert (ended.returncode, ended.stderr) == (0, "")


def refused(ended: subprocess.CompletedProcess[str], sentence: str) -> None:
    """That a command ended with one sentence on standard error, in which there is `sentence`."""
    assert (ended.returncode, ended.stdout) == (1, "")
    assert sentence in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def is_empty(url: str) -> bool:
    """Whether nothing is there that a restored database would have."""
    if url.startswith("sqlite"):
        return not Path(url.removeprefix("sqlite:///")).exists()
    with connections.looking(url) as database:
        no_tables = schema.age(database) is schema.Age.NONE
        return no_tables or copies.contents(database) == copies.Contents(0, 0, 0)
