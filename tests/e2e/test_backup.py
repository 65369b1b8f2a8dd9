"""`wavepost backup`, and what comes back of it: from either database into either."""

import hashlib
import os
import resource
import signal
import sqlite3
import stat
import subprocess
import threading
import uuid
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest

from tests.backups import (
    AS_WAV,
    KEY,
    MP3,
    SHORT,
    WAV,
    back_up,
    contents,
    refused,
    restore,
    settings,
    url_of,
)
from tests.conftest import new_database_url
from tests.kept import change, keep_record, keep_user
from tests.postgres import Postgres
from tests.service import WAVEPOST, Caller, Server, environment, run, running, sending, wait_for
from wavepost.commands.maintenance import CannotFinish
from wavepost.commands.restore import restore as restore_file
from wavepost.storage import connections, copies, schema
from wavepost.storage.models import Status


def seen(server: Server, ann: Caller, links: list[str]) -> list[Any]:
    """All that Ann can see of her records."""
    ann.server = server
    page = ann.get("/records").json()
    for record in page["records"]:
        record["url"] = record["url"].removeprefix(server.url)
    files = [server.client.get(link) for link in links]
    assert all(file.status_code == 200 for file in files)
    me = ann.get("/users/me").json()
    return [page, me, [hashlib.sha256(file.content).hexdigest() for file in files]]


@pytest.mark.parametrize("kinds", [("sqlite", "postgresql"), ("postgresql", "sqlite")])
def test_a_service_moves_to_the_other_database_and_back(
    kinds: tuple[str, str], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    def new_url(number: int) -> str:
        folder = tmp_path / str(number)
        folder.mkdir()
        return new_database_url(kinds[number % 2], folder, request)

    url = new_url(0)
    with running(tmp_path / "log", database_url=url, keep_wav="1") as server:
        ann, bob = Caller(server, "Ann"), Caller(server, "Боб")
        record = ann.upload(WAV, "звонок.wav", bitrate="320").json()
        once = ann.post(WAV[: len(WAV) // 8 * 2], KEY, name="cut.wav").json()
        bob.record()
        link = record["url"].removeprefix(server.url)
        links = [link, f"{link}&format=wav", link.replace("/record?", "/record/waveform?")]
        before = seen(server, ann, links)
    for number in (1, 2):
        file = tmp_path / f"{number}.backup"
        back_up(url, file)
        url = new_url(number)
        restore(file, url)
        with running(tmp_path / "log", database_url=url, keep_wav="1") as server:
            assert seen(server, ann, links) == before
            again = ann.post(WAV[: len(WAV) // 8 * 2], KEY, name="cut.wav").json()
            assert again["id"] == once["id"]
            assert ann.record()["status"] == "ready"
            ann.delete(f"/records/{ann.get('/records').json()['records'][0]['id']}")


def test_a_backup_is_a_file_for_its_owner_alone_and_says_what_is_in_it(
    database_url: str, tmp_path: Path
) -> None:
    user_id = keep_user(database_url)
    keep_record(database_url, user_id, MP3, b"a wav")
    (tmp_path / "there").mkdir()
    file = tmp_path / "there" / "a backup?.db"
    ended = run("backup", str(file), database_url=database_url)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == f"{file}: users: 1, records: 1, bytes: {len(MP3) + 5:,}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]
    header = file.read_bytes()[:100]
    assert header.startswith(b"SQLite format 3\0")
    assert header[18:20] == b"\1\1", "no log of its own beside it"
    with sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True) as copied:
        assert copied.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    copied.close()


def test_a_backup_has_no_upload_that_is_under_way(database_url: str, tmp_path: Path) -> None:
    user_id = keep_user(database_url)
    keep_record(database_url, user_id, MP3)
    keep_record(database_url, user_id, MP3, WAV[:1000], status=Status.UPLOADING)
    back_up(database_url, tmp_path / "backup.db")
    with sqlite3.connect(tmp_path / "backup.db") as copied:
        assert copied.execute("SELECT status, count(*) FROM records").fetchall() == [("ready", 1)]
        assert copied.execute("SELECT count(*) FROM chunks").fetchone() == (4,)
    copied.close()


def test_a_backup_has_everything_that_was_acknowledged_before_it_began(
    database_url: str, tmp_path: Path
) -> None:
    acknowledged: list[str] = []
    stop = threading.Event()
    file = tmp_path / "backup.db"
    with running(tmp_path / "log", database_url=database_url) as server:
        ann = Caller(server)

        def upload() -> None:
            with httpx2.Client(base_url=server.url, headers=ann.bearer, timeout=60) as client:
                while not stop.is_set():
                    answer = client.post("/records", content=SHORT, headers=AS_WAV)
                    acknowledged.append(answer.json()["id"])

        thread = threading.Thread(target=upload)
        half = sending(server, ann, WAV, len(WAV) // 2)
        thread.start()
        try:
            wait_for(lambda: len(acknowledged) > 3, "uploads")
            before = set(acknowledged)
            back_up(database_url, file)
            assert set(acknowledged) > before, "uploads went on"
            with sqlite3.connect(file) as copied:
                found = {str(uuid.UUID(row[0])) for row in copied.execute("SELECT id FROM records")}
            copied.close()
            assert before <= found
            for url in (url_of(file), database_url):
                checked = run("fsck", database_url=url)
                assert checked.returncode == 0, checked.stdout
        finally:
            stop.set()
            thread.join()
            half.close()
        assert "Traceback" not in server.log


def test_a_file_that_is_there_is_never_replaced(database_url: str, tmp_path: Path) -> None:
    keep_user(database_url)
    (tmp_path / "file").write_bytes(b"older")
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.iterdir())
    for name in ("file", "link", "folder"):
        refused(run("backup", str(tmp_path / name), database_url=database_url), "is there already")
    assert (tmp_path / "file").read_bytes() == b"older"
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_that_appears_meanwhile_is_not_replaced_either(
    postgres: Postgres, tmp_path: Path
) -> None:
    url = postgres.migrated()
    file = tmp_path / "backup.db"
    with psycopg.connect(url) as other:
        other.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        process = started(url, file)
        wait_for(lambda: list(tmp_path.glob(".backup.db.*.part")), "the backup to begin")
        file.write_bytes(b"somebody else's")
    _, said = process.communicate()
    assert process.returncode == 1
    assert "is there already" in said
    assert file.read_bytes() == b"somebody else's"
    assert list(tmp_path.iterdir()) == [file]


def test_what_keeps_a_backup_from_being_made_is_a_sentence(tmp_path: Path) -> None:
    file = str(tmp_path / "nowhere" / "b.db")
    url = url_of(tmp_path / "kept.db")
    refused(run("backup", file, database_url=url), "there is no folder")
    file = str(tmp_path / "b.db")
    refused(run("backup", file, database_url=url), "There is no ")
    schema.upgrade(url, "0002")
    refused(run("backup", file, database_url=url), "Run: wavepost migrate")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.db"]


def started(url: str, file: Path, **options: Any) -> subprocess.Popen[str]:
    """A backup that is under way."""
    return subprocess.Popen(
        [WAVEPOST, "backup", str(file)],
        env=environment({"database_url": url}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_backup_that_is_stopped_leaves_nothing(
    postgres: Postgres, tmp_path: Path, how: signal.Signals
) -> None:
    url = postgres.migrated()
    with psycopg.connect(url) as other:
        other.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        process = started(url, tmp_path / "backup.db")
        wait_for(lambda: list(tmp_path.iterdir()), "the backup to begin")
        process.send_signal(how)
        said = process.communicate()
    assert (process.returncode, *said) == (1, "", "No backup was made: it was stopped.\n")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_takes_no_more_leaves_nothing(database_url: str, tmp_path: Path) -> None:
    keep_record(database_url, keep_user(database_url), os.urandom(3_000_000))
    folder = tmp_path / "small"
    folder.mkdir()
    process = started(
        database_url,
        folder / "backup.db",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000)),
    )
    _, said = process.communicate()
    assert process.returncode == 1
    assert said.startswith("No backup was made: ")
    assert len(said.splitlines()) == 1
    assert list(folder.iterdir()) == []


def test_a_database_with_users_is_not_restored_over(
    database_url: str, small_backup: Path, tmp_path: Path
) -> None:
    keep_user(database_url, "Bob")
    refused(run("restore", str(small_backup), database_url=database_url), "has users already")
    assert contents(database_url) == copies.Contents(1, 0, 0)


def test_an_empty_database_with_tables_is_restored_into(
    database_url: str, small_backup: Path
) -> None:
    schema.upgrade(database_url)
    restore(small_backup, database_url)
    assert contents(database_url) == copies.Contents(1, 1, len(MP3))
    assert run("fsck", database_url=database_url).returncode == 0


def test_a_database_of_a_newer_version_is_not_restored_into(
    database_url: str, small_backup: Path
) -> None:
    schema.upgrade(database_url)
    change(database_url, "UPDATE alembic_version SET version_num = '9999'")
    ended = run("restore", str(small_backup), database_url=database_url)
    refused(ended, "A newer wavepost made the tables")


def test_a_server_on_the_same_file_is_not_restored_under(
    small_backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_SECONDS", 0.1)
    url = url_of(tmp_path / "wavepost.db")
    with running(tmp_path / "log", database_url=url) as server:
        with pytest.raises(CannotFinish, match=r"database is locked\. .*stop the server first"):
            restore_file(settings(url), small_backup, accept_damage=False)
        assert Caller(server).record()["status"] == "ready"
