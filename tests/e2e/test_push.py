"""`wavepost push`: files, folders and pipes become links, and what can't be sent has a sentence."""

import json
import os
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pushing import kept, on_terminal, started, wav_of, wavepost, whereabouts, wrong_tokens
from tests.service import WAVEPOST, Caller, Server, running, wait_for


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all of these."""
    folder = tmp_path_factory.mktemp("server")
    with running(folder / "log", data=str(folder / "data")) as server:
        yield server


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where a user's temporary files and configuration go."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def env(ann: Caller, home: Path) -> dict[str, str]:
    """Ann's environment."""
    return whereabouts(ann, home)


def links(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    return done.stdout.decode().splitlines()


def name_of(ann: Caller, link: str) -> str:
    (record,) = [r for r in ann.get("/records").json()["records"] if r["url"] == link]
    return str(record["name"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With WAVs, and with what is none."""
    folder = tmp_path / "wavs"
    (folder / "deeper").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    for place, path in enumerate(
        ["b.wav", "a.WAV", "deeper/c.Wave", ".d.wav", ".hidden/e.wav", "notes.txt", "f.mp3"]
    ):
        (folder / path).write_bytes(wav_of(0.5 + place / 10))
    (folder / "deeper" / "round").symlink_to(folder)
    (folder / "gone.wav").symlink_to(folder / "nowhere.wav")
    return folder


def test_a_link_is_printed_for_each_file_in_their_order(
    ann: Caller, env: dict[str, str], tmp_path: Path
) -> None:
    files = [tmp_path / f"{name}.wav" for name in ("c", "a", "b")]
    for place, file in enumerate(files):
        file.write_bytes(wav_of(3 - place))
    done = wavepost("push", "--at-once", "3", *files, env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [name_of(ann, link) for link in links(done)] == ["c.wav", "a.wav", "b.wav"]


def test_a_folder_stands_for_the_wavs_in_it_and_below(
    ann: Caller, env: dict[str, str], folder: Path
) -> None:
    done = wavepost("push", folder, env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [name_of(ann, link) for link in links(done)] == ["a.WAV", "b.wav", "c.Wave"]


def test_folders_that_lead_to_each_other_are_gone_through_once(
    ann: Caller, env: dict[str, str], tmp_path: Path
) -> None:
    names = [str(name) for name in range(10)]
    for name in names:
        (tmp_path / "round" / name).mkdir(parents=True)
        for other in names:
            (tmp_path / "round" / name / f"to {other}").symlink_to(f"../{other}")
    (tmp_path / "round" / "0" / "a.wav").write_bytes(wav_of(0.5))
    done = wavepost("push", tmp_path / "round", env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [name_of(ann, link) for link in links(done)] == ["a.wav"]


def test_a_file_that_is_there_already_is_not_sent_again(
    ann: Caller, env: dict[str, str], folder: Path
) -> None:
    first, second = (wavepost("push", folder, env=env) for _ in range(2))
    assert links(first) == links(second)
    assert len(kept(ann)) == 3
    (folder / "copy of b.wav").write_bytes((folder / "b.wav").read_bytes())
    third = wavepost("push", folder / "copy of b.wav", env=env)
    assert links(third) == [links(first)[1]]
    again = wavepost("push", "--again", folder / "b.wav", env=env)
    assert again.returncode == 0
    assert len(kept(ann)) == 4


def test_files_with_the_same_sound_are_one_recording(
    ann: Caller, env: dict[str, str], tmp_path: Path
) -> None:
    for name in "abc":
        (tmp_path / f"{name}.wav").write_bytes(wav_of())
    done = wavepost("push", "--at-once", "3", tmp_path, env=env)
    assert len(links(done)) == 3
    assert len(set(links(done))) == len(kept(ann)) == 1


def test_what_is_kept_for_a_while_only_does_not_count(
    ann: Caller, env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "a.wav").write_bytes(wav_of())
    for options in (["--expires-in", "3600"], [], ["--bitrate", "8"], ["--quality", "9"]):
        assert wavepost("push", *options, tmp_path / "a.wav", env=env).returncode == 0
    records = ann.get("/records").json()["records"]
    assert [record["expires_at"] is None for record in records] == [True, True, True, False]
    assert [record["receipt"]["mp3"]["mode"] for record in records] == [
        "VBR 9",
        "CBR 8",
        "CBR 24",
        "CBR 24",
    ]
    wavepost("push", "--bitrate", "8", tmp_path / "a.wav", env=env)
    assert len(kept(ann)) == 4


def test_what_cant_be_sent_has_a_sentence_and_the_others_go(
    ann: Caller, env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "a.wav").write_bytes(wav_of())
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text\x1b[31m\n.wav").write_text("no sound")
    (tmp_path / "none").mkdir()
    undecodable = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav"))
    undecodable.write_bytes(wav_of(1))
    names = ["missing.wav", "empty.wav", "text\x1b[31m\n.wav", "none", undecodable.name, "a.wav"]
    done = wavepost("push", *(tmp_path / name for name in names), env=env)
    assert done.returncode == 1
    assert [name_of(ann, link) for link in links(done)] == ["caf�.wav", "a.wav"]
    said = done.stderr.decode().splitlines()
    assert len(said) == 4
    for name, reason in (
        ("missing.wav", "No such file"),
        ("empty.wav", "empty"),
        (r"text\x1b[31m\n.wav", "looks like text"),
        ("none", "no WAV in it"),
    ):
        assert [line for line in said if name in line and reason in line], (name, said)


def test_the_recordings_are_printed_as_json(ann: Caller, env: dict[str, str], folder: Path) -> None:
    done = wavepost("push", "--json", folder, env=env)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["file"] for record in records] == [
        str(folder / name) for name in ("a.WAV", "b.wav", "deeper/c.Wave")
    ]
    assert records[0]["receipt"]["source"]["sha256"]


def test_standard_input_is_sent_and_leaves_nothing(
    ann: Caller, env: dict[str, str], home: Path
) -> None:
    done = wavepost("push", "-", "--name", "Звонок.wav", env=env, stdin=wav_of())
    assert (done.returncode, done.stderr) == (0, b"")
    assert kept(ann) == ["Звонок.wav"]
    assert os.listdir(home) == []


def test_what_came_down_a_pipe_is_kept_when_it_cant_be_sent(ann: Caller, home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nowhere = f"http://127.0.0.1:{taken.getsockname()[1]}"
    done = wavepost(
        "push", "--retry-for", "0", "-", env=whereabouts(ann, home, nowhere), stdin=wav_of()
    )
    assert done.returncode == 1
    (file,) = home.iterdir()
    assert file.read_bytes() == wav_of()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert str(file).encode() in done.stderr
    assert wavepost("push", file, env=whereabouts(ann, home)).returncode == 0


def test_what_came_down_a_pipe_is_kept_when_it_is_stopped(env: dict[str, str], home: Path) -> None:
    def came() -> bool:
        return any(file.stat().st_size for file in home.glob("wavepost-*.wav"))

    with subprocess.Popen(
        [WAVEPOST, "push", "-"], env=env, stdin=subprocess.PIPE, stderr=subprocess.PIPE
    ) as pushing:
        assert pushing.stdin is not None
        assert pushing.stderr is not None
        pushing.stdin.write(wav_of())
        pushing.stdin.flush()
        wait_for(came, "the pipe's bytes")
        pushing.terminate()
        said = pushing.stderr.read()
    assert said.startswith(b"Stopped: 1 of 1 not sent.\nWhat came is kept in ")
    (file,) = home.glob("wavepost-*.wav")
    assert file.read_bytes() == wav_of()


def test_what_came_until_the_disk_was_full_is_kept(env: dict[str, str], home: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", f"ulimit -f 64; exec {WAVEPOST} push -"],
        env=env,
        input=wav_of(60),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert b"standard input: File too large." in done.stderr
    (file,) = home.iterdir()
    assert file.read_bytes() == wav_of(60)[: 64 * 1024]


def test_a_wrong_token_is_sent_once(server: Server, ann: Caller, env: dict[str, str]) -> None:
    before = wrong_tokens(server)
    arguments = ["push", *["/etc/hostname"] * 20]
    done = wavepost(*arguments, env=env | {"WAVEPOST_TOKEN": ann.id})
    assert done.returncode == 1
    assert b"log in again" in done.stderr
    assert b"more were not sent" in done.stderr
    assert wrong_tokens(server) == before + 1
    other = wavepost(*arguments, env=env | {"WAVEPOST_USER": ann.token})
    assert b"another user" in other.stderr


def test_a_server_that_comes_up_late_is_waited_for(ann: Caller, home: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {"data": str(tmp_path / "data"), "port": str(port)}
    with running(tmp_path / "log", **settings) as early:
        bob = Caller(early, "Bob")
    (tmp_path / "a.wav").write_bytes(wav_of())
    url = f"http://127.0.0.1:{port}"
    with started("push", tmp_path / "a.wav", env=whereabouts(bob, home, url)) as pushing:
        assert pushing.stderr is not None
        assert b"Trying again" in pushing.stderr.readline()
        with running(tmp_path / "log", **settings):
            out, _ = pushing.communicate()
    assert pushing.returncode == 0
    assert out.startswith(url.encode())


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["-", "-"],
        ["--name", "x", "a", "b"],
        ["--bitrate", "32", "--quality", "2", "a"],
        ["--at-once", "0", "a"],
        ["--token", "secret", "a"],
    ],
)
def test_what_makes_no_sense_ends_with_2(arguments: list[str], env: dict[str, str]) -> None:
    done = wavepost("push", *arguments, env=env)
    assert (done.returncode, done.stdout) == (2, b"")


def test_a_terminal_sees_bars_and_links(ann: Caller, env: dict[str, str], folder: Path) -> None:
    (folder / "text.wav").write_text("no sound")
    shown, status = on_terminal("push", folder, env=env)
    assert status == 1
    assert "of 4" in shown
    assert "a.WAV" in shown
    assert "looks like text" in shown
    assert shown.count(f"{ann.server.url}/record?id=") == 3
