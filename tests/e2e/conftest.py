"""Databases that are empty, backups to restore, and machines that send."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backups import MP3, back_up, url_of
from tests.kept import keep_record, keep_user
from tests.postgres import Postgres
from tests.service import Caller, Server, running
from tests.telephony.sender import Sender


@pytest.fixture
def empty_url(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Where to restore: nothing at all on SQLite, a database without tables on PostgreSQL."""
    if database_kind == "sqlite":
        return url_of(tmp_path / "new" / "wavepost.db")
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.empty()


@pytest.fixture(scope="session")
def backup_of_one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of one record."""
    folder = tmp_path_factory.mktemp("backup")
    url = url_of(folder / "kept.db")
    keep_record(url, keep_user(url), MP3)
    back_up(url, folder / "small.db")
    return folder / "small.db"


@pytest.fixture
def small_backup(tmp_path: Path, backup_of_one: Path) -> Path:
    """The same, to do harm to."""
    return Path(shutil.copy(backup_of_one, tmp_path / "small.db"))


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """What the senders of a module send to."""
    folder = tmp_path_factory.mktemp("receiver")
    with running(folder / "log", data=str(folder / "data")) as server:
        yield server


@pytest.fixture
def sender(receiver: Server, tmp_path: Path) -> Sender:
    """A machine of a new user's, with their token in a file of mode 600."""
    caller = Caller(receiver)
    token = tmp_path / "token"
    token.touch(mode=0o600)
    token.write_text(caller.token)
    return Sender(caller, tmp_path, receiver.url)
