"""`wavepost restore`: backups of other versions, damaged ones, and none; never by halves."""

import os
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.backups import (
    MP3,
    contents,
    is_empty,
    refused,
    restore,
    settings,
    url_of,
)
from tests.kept import change, keep_record, keep_user, sha256
from tests.service import run, running
from wavepost.commands.maintenance import CannotFinish
from wavepost.commands.restore import restore as restore_file
from wavepost.storage import schema


def old_backup(file: Path) -> tuple[uuid.UUID, uuid.UUID]:
    """A backup from before idempotency keys; the ids of its user and its record."""
    url = url_of(file)
    schema.upgrade(url, "0002")
    user_id, record_id = uuid.uuid4(), uuid.uuid4()
    values = {"user": user_id.hex, "id": record_id.hex, "now": datetime.now(UTC).isoformat(" ")}
    change(url, "INSERT INTO users VALUES (:user, 'Ann', :token, :now)", token=b"1" * 32, **values)
    change(
        url,
        "INSERT INTO records (id, user_id, status, name, created_at, touched_at, duration,"
        " channels, sample_rate, bitrate, bytes, head_bytes, receipt)"
        " VALUES (:id, :user, 'ready', 'a.wav', :now, :now, 1.5, 1, 8000, 24, :size, 3, :receipt)",
        size=len(b"an MP3"),
        receipt=f'{{"mp3": {{"sha256": "{sha256(b"an MP3")}"}}, "warnings": []}}',
        **values,
    )
    for number, data in enumerate((b"an ", b"MP3")):
        change(
            url,
            "INSERT INTO chunks VALUES (:id, 'mp3', :number, :data)",
            id=record_id.hex,
            number=number,
            data=data,
        )
    change(url, "PRAGMA journal_mode = DELETE")
    return user_id, record_id


def test_a_backup_of_an_older_version_is_brought_up_to_date(empty_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    user_id, record_id = old_backup(folder / "old.db")
    before = (folder / "old.db").read_bytes()
    restore(folder / "old.db", empty_url)
    assert [(path.name, path.read_bytes()) for path in folder.iterdir()] == [("old.db", before)]
    with running(tmp_path / "log", database_url=empty_url) as server:
        got = server.client.get("/record", params={"id": str(record_id), "user": str(user_id)})
        assert (got.status_code, got.content) == (200, b"an MP3")


def test_a_backup_of_a_newer_version_is_refused(small_backup: Path, empty_url: str) -> None:
    change(url_of(small_backup), "UPDATE alembic_version SET version_num = '9999'")
    refused(run("restore", str(small_backup), database_url=empty_url), "a newer wavepost made ")
    assert is_empty(empty_url)


def sql(*statements: str) -> Callable[[Path], None]:
    def run_them(file: Path) -> None:
        for statement in statements:
            change(url_of(file), statement)

    return run_them


def truncated(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 32_768 * 16_384)


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def made_text(file: Path) -> None:
    file.write_text("this is no database" * 100)


def another(file: Path) -> None:
    file.unlink()
    change(url_of(file), "CREATE TABLE recipes (name TEXT)")


def with_a_log(file: Path) -> None:
    file.with_name(f"{file.name}-wal").write_bytes(b"a log")


def made_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


WRONG: dict[str, tuple[Callable[[Path], None], str]] = {
    "text": (made_text, "is no backup of wavepost"),
    "nothing": (emptied, "is no backup of wavepost"),
    "another database": (another, "is no backup of wavepost"),
    "a folder": (made_folder, "there is no file"),
    "a database in use": (with_a_log, "which is no backup"),
    "half of one": (truncated, "malformed"),
    "a view": (
        sql("DROP TABLE chunks", "CREATE VIEW chunks AS SELECT 1 AS record_id"),
        "the view 'chunks' is in it",
    ),
    "a trigger": (
        sql("CREATE TRIGGER t AFTER UPDATE ON users BEGIN DELETE FROM users; END"),
        "the trigger 't' is in it",
    ),
    "a table too many": (sql("CREATE TABLE more (x)"), "the table 'more' is in it"),
    "a table too few": (sql("DROP TABLE claims"), "no such table"),
    "a record of nobody": (sql("DELETE FROM users"), "whose row in users is missing"),
    "an id that is none": (
        sql("UPDATE users SET id = 'x'", "UPDATE records SET user_id = 'x'"),
        "users can't be read",
    ),
    "a number that is none": (sql("UPDATE records SET bytes = 'many'"), ""),
    "a receipt that is none": (sql("UPDATE records SET receipt = '{'"), "records can't be read"),
    "a receipt without an end": (
        sql("UPDATE records SET receipt = replace(hex(zeroblob(100000)), '0', '[')"),
        "records can't be read",
    ),
    "text for bytes": (sql("UPDATE chunks SET data = 'text'"), "chunks can't be read"),
    "a huge value": (sql("UPDATE chunks SET data = zeroblob(20000000)"), "too big"),
    "a lost chunk": (sql("DELETE FROM chunks WHERE number = 1"), "damaged records are in "),
    "another byte": (
        sql("UPDATE chunks SET data = zeroblob(length(data)) WHERE number = 2"),
        "damaged records are in ",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_whole_backup_leaves_nothing_restored(
    what: str, small_backup: Path, empty_url: str
) -> None:
    damage, sentence = WRONG[what]
    damage(small_backup)
    with pytest.raises(CannotFinish) as refusal:
        restore_file(settings(empty_url), small_backup, accept_damage=False)
    assert sentence in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 1
    assert is_empty(empty_url)


def test_damage_can_be_accepted_and_is_named(small_backup: Path, empty_url: str) -> None:
    change(url_of(small_backup), "DELETE FROM chunks WHERE number = 1")
    ended = run("restore", str(small_backup), "--accept-damage", database_url=empty_url)
    assert ended.returncode == 0
    assert "MP3: chunk 1 is missing" in ended.stderr
    assert contents(empty_url).records == 1


def test_a_damaged_record_is_backed_up_all_the_same_and_named(
    database_url: str, tmp_path: Path
) -> None:
    record_id = keep_record(database_url, keep_user(database_url), MP3)
    change(database_url, "DELETE FROM chunks WHERE number = 1")
    ended = run("backup", str(tmp_path / "backup.db"), database_url=database_url)
    assert ended.returncode == 1
    named, sentence = ended.stderr.splitlines()
    assert named.startswith(f"{record_id} of user ")
    assert "was made, but damaged records are in it: 1." in sentence
    assert contents(url_of(tmp_path / "backup.db")).records == 1
