"""`wavepost backup` and `wavepost restore`: from either database into either, never by halves."""

import hashlib
import os
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from pydantic import SecretStr

from tests import sound
from tests.conftest import new_database_url
from tests.kept import HEAD_BYTES, change, keep_record, keep_user, sha256
from tests.postgres import Postgres
from tests.service import WAVEPOST, Caller, Server, environment, run, running, sending, wait_for
from wavepost.commands.maintenance import CannotFinish
from wavepost.commands.restore import restore as restore_file
from wavepost.settings import Settings
from wavepost.storage import connections, copies, schema
from wavepost.storage.chunks import CHUNK_BYTES
from wavepost.storage.models import Status

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


@pytest.fixture
def empty_url(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Where to restore: nothing at all on SQLite, a database without tables on PostgreSQL."""
    if database_kind == "sqlite":
        return url_of(tmp_path / "new" / "wavepost.db")
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.empty()


def is_empty(url: str) -> bool:
    """Whether nothing is there that a restored database would have."""
    if url.startswith("sqlite"):
        return not Path(url.removeprefix("sqlite:///")).exists()
    with connections.looking(url) as database:
        no_tables = schema.age(database) is schema.Age.NONE
        return no_tables or copies.contents(database) == copies.Contents(0, 0, 0)


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


# ----- What comes back


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


# ----- What is refused


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


# ----- Backups of other versions, damaged ones, and none


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
