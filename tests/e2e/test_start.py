"""`wavepost serve` begins, or says in a sentence why it can't."""

import socket
import stat
import subprocess
from pathlib import Path

import pytest

from tests import sound
from tests.postgres import Postgres
from tests.service import (
    WAVEPOST,
    Caller,
    environment,
    run,
    running,
)

WAV = sound.wav(sound.tone(6, 16_000), 16_000)


def test_a_port_that_is_taken_is_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = run("serve", "--port", port, data=str(tmp_path))
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"Can't listen on 127.0.0.1:{port}: Address already in use.")
    assert len(ended.stderr.splitlines()) == 1


def test_a_folder_that_can_not_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    ended = run("serve", "--port", "0", "--data", str(tmp_path / "file" / "data"))
    assert ended.returncode == 1
    assert "--data" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_database_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "wavepost.db").write_bytes(b"this is no database" * 100)
    ended = run("serve", "--port", "0", data=str(tmp_path))
    assert ended.returncode == 1
    assert "file is not a database" in ended.stderr


def test_a_server_database_out_of_reach_is_a_sentence_without_its_password() -> None:
    ended = run("serve", "--port", "0", database_url="postgresql://u:secret@127.0.0.1:1/x")
    assert ended.returncode == 1
    assert ended.stderr.startswith("Can't use the database postgresql://u@127.0.0.1:1/x: ")
    assert "secret" not in ended.stderr


def test_a_password_in_the_query_of_the_url_is_not_shown_either() -> None:
    ended = run("migrate", database_url="postgresql://127.0.0.1:1/x?user=u&password=secret")
    assert ended.returncode == 1
    assert "secret" not in ended.stderr


def test_any_folder_name_will_do(tmp_path: Path) -> None:
    folder = tmp_path / "a?b %41#c"
    with running(tmp_path / "log", data=str(folder)) as server:
        Caller(server).record()
    assert {file.name for file in folder.iterdir()} == {"wavepost.db"}


def test_a_server_database_is_migrated_by_its_own_command(postgres: Postgres) -> None:
    url = postgres.empty()
    refused = run("serve", "--port", "0", database_url=url)
    assert refused.returncode == 1
    assert "wavepost migrate" in refused.stderr
    for _ in range(2):
        migrated = run("migrate", database_url=url)
        assert migrated.returncode == 0, migrated.stderr
        assert "is up to date" in migrated.stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "http"),
        ("max_upload_bytes", "-1"),
        ("database_url", "mysql://u:secret@h/x"),
        ("database_url", "sqlite://"),
        ("public_url", "calls.example.org"),
        ("public_url", "https://calls.example.org/?a=1"),
        ("public_url", "https://ann:secret@calls.example.org"),
        ("cors_origins", "https://app.example.org/path"),
        ("trusted_proxies", "10.0.0.0/8,proxy"),
    ],
)
def test_a_setting_that_is_wrong_is_named(name: str, value: str) -> None:
    ended = run("serve", **{name: value})
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"WAVEPOST_{name.upper()}: ")
    assert "secret" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_data_folder_is_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with running(tmp_path / "log", data=str(folder)):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        for file in folder.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file


def test_the_printed_curl_lines_work_as_they_stand(tmp_path: Path) -> None:
    with running(tmp_path / "log", data=str(tmp_path / "data")) as server:
        (tmp_path / "call.wav").write_bytes(WAV)
        lines = [line for line in server.log.splitlines() if line.startswith("  ")]
        script = "\n".join(["set -euo pipefail", *lines]).replace("examples/hello.wav", "call.wav")
        subprocess.run(["bash", "-c", script], cwd=tmp_path, check=True, capture_output=True)
        heard, rate = sound.decode((tmp_path / "hello.mp3").read_bytes())
    assert (rate, len(heard)) == (16_000, 96_000)


def test_settings_are_shown_without_secrets() -> None:
    shown = subprocess.run(
        [WAVEPOST, "settings"],
        env=environment({"database_url": "postgresql://u:secret@h/x", "keep_wav": "1"}),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "WAVEPOST_KEEP_WAV" in shown
    assert "secret" not in shown
