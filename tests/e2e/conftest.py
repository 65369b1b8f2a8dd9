"""Databases that are empty, and backups to restore."""

import shutil
from pathlib import Path

import pytest

from tests.backups import MP3, back_up, url_of
from tests.kept import keep_record, keep_user
from tests.postgres import Postgres


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
