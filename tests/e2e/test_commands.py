"""`wavepost login`, `ls`, `get` and `rm`, as people and scripts run them."""

import json
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import sound
from tests.pushing import kept, on_terminal, started, wav_of, wavepost, whereabouts, wrong_tokens
from tests.service import Caller, Server, environment, running, wait_for

OTHER_ID = "5988b1e1-3e8e-46be-ae2b-2b9ca6a4a67e"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all of these, where a key is needed to register."""
    folder = tmp_path_factory.mktemp("server")
    with running(folder / "log", data=str(folder / "data")) as server:
        yield server


@pytest.fixture
def nobody(tmp_path: Path) -> dict[str, str]:
    """The environment of who is not logged in."""
    return environment({}) | {"XDG_CONFIG_HOME": str(tmp_path / "config")}


@pytest.fixture
def env(ann: Caller, tmp_path: Path) -> dict[str, str]:
    """Ann's, who is logged in by it."""
    return whereabouts(ann, tmp_path)


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """Where the token is kept."""
    return tmp_path / "config" / "wavepost" / "session.json"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_login_is_remembered_for_nobody_else(
    ann: Caller, nobody: dict[str, str], session: Path
) -> None:
    logged_in = wavepost(
        "login", ann.server.url, "--token-file", "-", env=nobody, stdin=ann.token.encode() + b"\n"
    )
    assert logged_in.returncode == 0, logged_in.stderr
    assert ann.token.encode() not in logged_in.stdout + logged_in.stderr
    assert json.loads(session.read_text()) == {
        "server": ann.server.url,
        "user": ann.id,
        "token": ann.token,
    }
    assert (mode(session), mode(session.parent)) == (0o600, 0o700)
    assert wavepost("ls", env=nobody).returncode == 0
    assert wavepost("logout", env=nobody).returncode == 0
    assert not session.exists()
    assert wavepost("logout", env=nobody).returncode == 1
    assert b"wavepost login" in wavepost("ls", env=nobody).stderr


def test_a_token_is_asked_for_and_not_shown(ann: Caller, nobody: dict[str, str]) -> None:
    shown, status = on_terminal(
        "login", ann.server.url, env=nobody, typed=ann.token.encode() + b"\n"
    )
    assert status == 0, shown
    assert "Token:" in shown
    assert ann.token not in shown
    assert "as Ann" in shown


def test_a_new_user_is_registered_and_not_overwritten(
    server: Server, nobody: dict[str, str], session: Path
) -> None:
    assert wavepost("login", server.url, "--name", "Анна", env=nobody).returncode == 0
    before = session.read_text()
    again = wavepost("login", server.url, "--name", "Bob", env=nobody)
    assert again.returncode == 1
    assert b"wavepost logout" in again.stderr
    assert session.read_text() == before


def test_a_token_that_is_wrong_is_not_kept(
    ann: Caller, nobody: dict[str, str], session: Path
) -> None:
    done = wavepost("login", ann.server.url, "--token-file", "-", env=nobody, stdin=ann.id.encode())
    assert done.returncode == 1
    assert b"no such token" in done.stderr
    assert not session.exists()


@pytest.mark.parametrize(
    ("content", "permissions", "sentence"),
    [("{}", 0o600, b"damaged"), ("[", 0o600, b"damaged"), ("{}", 0o640, b"can be read by others")],
)
def test_a_session_that_is_wrong_is_explained(
    nobody: dict[str, str], session: Path, content: str, permissions: int, sentence: bytes
) -> None:
    session.parent.mkdir(parents=True)
    session.write_text(content)
    session.chmod(permissions)
    done = wavepost("ls", env=nobody)
    assert done.returncode == 1
    assert sentence in done.stderr


def test_a_kept_token_goes_to_its_own_server_only(ann: Caller, nobody: dict[str, str]) -> None:
    wavepost("login", ann.server.url, "--token-file", "-", env=nobody, stdin=ann.token.encode())
    done = wavepost("ls", env=nobody | {"WAVEPOST_SERVER": "http://127.0.0.1:9"})
    assert b"set WAVEPOST_TOKEN too" in done.stderr
    bob = Caller(ann.server, "Bob")
    bob.record()
    listed = wavepost("ls", env=nobody | {"WAVEPOST_TOKEN": bob.token})
    assert len(listed.stdout.splitlines()) == 1


def test_a_list_is_lines_for_pipes_and_a_table_for_people(ann: Caller, env: dict[str, str]) -> None:
    first = ann.upload(sound.wav(sound.tone(100.000125, 8_000), 8_000), "first call.wav").json()
    record = ann.upload(sound.wav(sound.tone(61, 8_000), 8_000), "second.wav").json()
    lines = wavepost("ls", env=env).stdout.decode().splitlines()
    fields = [line.split("\t") for line in lines]
    assert [line[3] for line in fields] == ["second.wav", "first call.wav"]
    assert fields[0][1:3] == ["61", str(record["bytes"])]
    assert fields[0][4] == record["url"]
    assert float(fields[1][1]) == first["duration"]
    named = wavepost("ls", "--name", "FIRST", "--json", env=env)
    assert json.loads(named.stdout)["name"] == "first call.wav"
    shown, _ = on_terminal("ls", env=env)
    assert "1:01" in shown
    assert record["url"] in shown
    bob = Caller(ann.server, "Bob")
    shown, _ = on_terminal("ls", env=env | {"WAVEPOST_TOKEN": bob.token})
    assert "No recordings." in shown


def test_an_mp3_is_got_by_its_id_or_its_link(
    ann: Caller, env: dict[str, str], nobody: dict[str, str], tmp_path: Path
) -> None:
    record = ann.record()
    mp3 = ann.server.client.get(record["url"]).content
    folder = tmp_path / "here"
    folder.mkdir()
    assert wavepost("get", record["id"], env=env, cwd=folder).returncode == 0
    assert (
        wavepost("get", record["url"], "-o", "by link.mp3", env=nobody, cwd=folder).returncode == 0
    )
    assert sorted(os.listdir(folder)) == ["by link.mp3", "call.mp3"]
    assert all(file.read_bytes() == mp3 for file in folder.iterdir())
    like_an_option = ann.upload(wav_of(), "--rf.wav").json()["id"]
    assert wavepost("get", like_an_option, env=env, cwd=folder).returncode == 0
    assert (folder / "rf.mp3").exists()
    assert wavepost("get", record["url"], "-o", "-", env=nobody).stdout == mp3
    again = wavepost("get", record["id"], env=env, cwd=folder)
    assert again.returncode == 1
    assert b"there already" in again.stderr


def test_a_get_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        link = f"http://127.0.0.1:{listening.getsockname()[1]}/record?id=a&user=b"
        with started("get", link, "-o", tmp_path / "a.mp3", env=environment({})) as getting:
            caller, _ = listening.accept()
            with caller:
                caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegun")
                wait_for(lambda: os.listdir(tmp_path), "the first bytes")
                getting.terminate()
                getting.wait()
    assert getting.returncode == 130
    assert os.listdir(tmp_path) == []


def test_what_cant_be_got_has_a_sentence(ann: Caller, env: dict[str, str], tmp_path: Path) -> None:
    record = ann.record()
    for arguments, sentence in (
        (["get", OTHER_ID], b"no such recording"),
        (["get", "../users/me"], b"no recording's id"),
        (["get", record["id"], "-o", "none/a.mp3"], b"No such file"),
        (["get", record["url"].replace("id=", "no="), "-o", "a"], b"is no link to a recording"),
        (["get", f"http://[::1/record?id={record['id']}", "-o", "a"], b"is no link to a recording"),
        (["get", f"http://a:99999/record?id={record['id']}", "-o", "a"], b"Write the server as"),
        (["rm", "--yes", "http://[::1/record?id=a"], b"is no link to a recording"),
    ):
        done = wavepost(*arguments, env=env, cwd=tmp_path)
        assert done.returncode == 1, arguments
        assert sentence in done.stderr
        assert b"Traceback" not in done.stderr


def test_who_removes_is_asked_on_a_terminal(ann: Caller, env: dict[str, str]) -> None:
    record = ann.record()
    assert wavepost("rm", record["id"], env=env).returncode == 2
    shown, _ = on_terminal("rm", record["id"], env=env, typed=b"n\n")
    assert "call.wav" in shown
    assert len(kept(ann)) == 1
    on_terminal("rm", record["id"], env=env, typed=b"y\n")
    assert kept(ann) == []


def test_several_are_removed_and_each_that_is_not_has_a_sentence(
    ann: Caller, env: dict[str, str]
) -> None:
    first, second = ann.record(), ann.record()
    done = wavepost("rm", "--yes", first["url"], OTHER_ID, second["id"], env=env)
    assert done.returncode == 1
    assert done.stderr.decode().startswith(OTHER_ID)
    assert kept(ann) == []


def test_a_wrong_token_is_said_to_be_one_and_sent_once(
    server: Server, ann: Caller, env: dict[str, str]
) -> None:
    wrong = env | {"WAVEPOST_TOKEN": ann.id}
    for arguments in (["ls"], ["get", OTHER_ID], ["rm", "--yes", *[OTHER_ID] * 5]):
        before = wrong_tokens(server)
        done = wavepost(*arguments, env=wrong)
        assert (done.returncode, done.stdout) == (1, b"")
        assert done.stderr.decode() == f"{server.url} does not know your token: log in again.\n"
        assert wrong_tokens(server) == before + 1


def test_help_loads_nothing_heavy(env: dict[str, str]) -> None:
    done = wavepost("push", "-h", env=env | {"PYTHONPROFILEIMPORTTIME": "1"})
    assert done.returncode == 0
    for heavy in (b"httpx2", b"rich", b"tenacity", b"numpy"):
        assert b" " + heavy + b"\n" not in done.stderr
