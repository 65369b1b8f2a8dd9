"""`wavepost fsck`, as a command: what it prints, and what it leaves alone."""

import json
import os
import pty
import subprocess
import uuid
from pathlib import Path

import pytest
from sqlalchemy import delete

from tests.kept import HEAD_BYTES, change, keep_record, keep_user
from tests.postgres import Postgres
from tests.service import WAVEPOST, environment, run
from wavepost.storage import connections, schema
from wavepost.storage.chunks import CHUNK_BYTES
from wavepost.storage.models import Chunk, Kind, Status

MP3 = os.urandom(HEAD_BYTES + 2 * CHUNK_BYTES + 1000)
WAV = os.urandom(CHUNK_BYTES + 1)


@pytest.fixture
def user_id(database_url: str) -> uuid.UUID:
    return keep_user(database_url)


def lose_chunk(url: str, record_id: uuid.UUID, number: int) -> None:
    """Remove one of the MP3's chunks."""
    lost = (Chunk.record_id == record_id, Chunk.kind == Kind.MP3, Chunk.number == number)
    with connections.filling(url) as database:
        database.execute(delete(Chunk).where(*lost))


def test_damage_is_a_line_with_its_record(database_url: str, user_id: uuid.UUID) -> None:
    whole = keep_record(database_url, user_id, MP3, WAV)
    record_id = keep_record(database_url, user_id, MP3, WAV)
    lose_chunk(database_url, record_id, 1)
    ended = run("fsck", database_url=database_url)
    assert (ended.returncode, ended.stderr) == (1, "")
    line, summary = ended.stdout.splitlines()
    assert line == f"{record_id} of user {user_id}, 'call.wav': MP3: chunk 1 is missing"
    assert "records: 2, " in summary
    assert "damaged: 1, " in summary
    assert str(whole) not in ended.stdout


def test_whole_records_are_no_news(database_url: str, user_id: uuid.UUID) -> None:
    for size in (HEAD_BYTES + 1, HEAD_BYTES + CHUNK_BYTES, HEAD_BYTES + CHUNK_BYTES + 1):
        keep_record(database_url, user_id, os.urandom(size))
    keep_record(database_url, user_id, MP3, WAV)
    size = 3 * HEAD_BYTES + 2 * CHUNK_BYTES + 2 + len(MP3) + len(WAV)
    ended = run("fsck", database_url=database_url)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == (
        f"records: 4, bytes: {size:,}, damaged: 0, unfinished: 0, chunks of no record: 0, "
        "faults of the file: 0\n"
    )


def test_the_findings_are_a_json_document(database_url: str, user_id: uuid.UUID) -> None:
    record_id = keep_record(database_url, user_id, MP3)
    lose_chunk(database_url, record_id, 1)
    ended = run("fsck", "--json", database_url=database_url)
    assert ended.returncode == 1
    assert json.loads(ended.stdout) == {
        "records": 1,
        "bytes": len(MP3) - CHUNK_BYTES,
        "damaged": [
            {
                "id": str(record_id),
                "user_id": str(user_id),
                "name": "call.wav",
                "problems": ["MP3: chunk 1 is missing"],
            }
        ],
        "unfinished": 0,
        "stray_chunks": 0,
        "file_faults": [],
    }


def test_a_name_can_not_mess_up_the_terminal(database_url: str, user_id: uuid.UUID) -> None:
    name = "звонок \x1b[2J\r\n\u202egpj.wav\u2066"
    record_id = keep_record(database_url, user_id, MP3, name=name)
    lose_chunk(database_url, record_id, 1)
    line, _ = run("fsck", database_url=database_url).stdout.splitlines()
    assert r"'звонок \x1b[2J\r\n\u202egpj.wav\u2066': " in line
    assert line.isprintable()
    in_json = run("fsck", "--json", database_url=database_url).stdout
    assert in_json.isascii()
    assert json.loads(in_json)["damaged"][0]["name"] == name


def test_uploads_under_way_are_counted_and_no_damage(database_url: str, user_id: uuid.UUID) -> None:
    keep_record(database_url, user_id, MP3, status=Status.UPLOADING)
    ended = run("fsck", database_url=database_url)
    assert ended.returncode == 0
    assert "records: 0, bytes: 0, damaged: 0, unfinished: 1, " in ended.stdout


def test_chunks_of_no_record_are_damage(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/wavepost.db"
    record_id = keep_record(url, keep_user(url), MP3)
    change(url, "DELETE FROM records WHERE id = :id", id=record_id.hex)
    ended = run("fsck", database_url=url)
    assert ended.returncode == 1
    assert ended.stdout.splitlines() == [
        "The database's file: rows of chunks whose row in records is missing: 4",
        "records: 0, bytes: 0, damaged: 0, unfinished: 0, chunks of no record: 4, "
        "faults of the file: 1",
    ]


def test_a_damaged_file_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/wavepost.db"
    user_id = keep_user(url)
    records = {keep_record(url, user_id, MP3) for _ in range(3)}
    file = tmp_path / "wavepost.db"
    content = bytearray(file.read_bytes())
    # A page of a chunk's bytes begins with the number of the next such page.
    at = content.index(MP3[HEAD_BYTES + CHUNK_BYTES :][100_000:100_100]) // 16_384 * 16_384
    content[at : at + 4] = (10**9).to_bytes(4, "big")
    file.write_bytes(content)
    ended = run("fsck", database_url=url)
    assert ended.returncode == 1
    assert "The database's file: " in ended.stdout
    assert "can't be read: database disk image is malformed" in ended.stdout
    assert "records: 3, " in ended.stdout
    assert "damaged: 1, " in ended.stdout
    assert len(records) == 3
    assert ended.stderr == ""


def test_nothing_is_made_where_there_is_no_database(tmp_path: Path) -> None:
    ended = run("fsck", data=str(tmp_path / "data"))
    assert ended.returncode == 1
    assert ended.stderr == (
        f"There is no {tmp_path}/data/wavepost.db. Name its folder: WAVEPOST_DATA.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_database_is_not_migrated_to_be_read(
    database_kind: str, tmp_path: Path, postgres: Postgres
) -> None:
    sqlite = database_kind == "sqlite"
    url = f"sqlite:///{tmp_path}/wavepost.db" if sqlite else postgres.empty()
    schema.upgrade(url, "0002")
    for _ in range(2):
        ended = run("fsck", database_url=url)
        assert ended.returncode == 1
        assert "are not those of this version. Run: wavepost migrate" in ended.stderr
    change(url, "UPDATE alembic_version SET version_num = '9999'")
    ended = run("fsck", database_url=url)
    assert ended.returncode == 1
    assert "A newer wavepost made the tables" in ended.stderr


def test_a_database_that_can_not_be_used_is_a_sentence(tmp_path: Path, postgres: Postgres) -> None:
    (tmp_path / "wavepost.db").write_bytes(b"this is no database" * 100)
    for settings, sentence in (
        ({"data": str(tmp_path)}, "file is not a database"),
        ({"database_url": "postgresql://u:secret@127.0.0.1:1/x"}, "u@127.0.0.1:1/x: connection"),
        ({"database_url": postgres.empty()}, "Run: wavepost migrate"),
    ):
        ended = run("fsck", **settings)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert sentence in ended.stderr
        assert "secret" not in ended.stderr
        assert len(ended.stderr.splitlines()) == 1


def test_a_terminal_sees_how_far_it_is(database_url: str, user_id: uuid.UUID) -> None:
    record_id = keep_record(database_url, user_id, MP3)
    lose_chunk(database_url, record_id, 1)
    ours, theirs = pty.openpty()
    variables = {**environment({"database_url": database_url}), "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(
        [WAVEPOST, "fsck"], stdout=subprocess.PIPE, stderr=theirs, env=variables
    ) as process:
        os.close(theirs)
        assert process.stdout
        printed = process.stdout.read().decode()
    shown = os.read(ours, 65_536)
    os.close(ours)
    assert b"%" in shown
    assert b"chunk 1" not in shown
    assert len(printed.splitlines()) == 2
    assert str(record_id) in printed
