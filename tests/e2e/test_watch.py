"""`wavepost watch`: what comes to be in a folder becomes links, once nobody writes to it."""

import hashlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pushing import kept, wav_of, wavepost, whereabouts
from tests.service import Caller, Server, running, wait_for
from tests.watching import SETTLE_SECONDS, put, status, watching


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all of these."""
    folder = tmp_path_factory.mktemp("server")
    with running(folder / "log", data=str(folder / "data"), signup_rate_limit="0") as server:
        yield server


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where the watch keeps its own files."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """The folder that is watched."""
    folder = tmp_path / "spool"
    folder.mkdir()
    return folder


@pytest.fixture
def env(ann: Caller, home: Path) -> dict[str, str]:
    """Ann's environment."""
    return whereabouts(ann, home)


def once(
    spool: Path, home: Path, env: dict[str, str], *options: str | Path
) -> subprocess.CompletedProcess[bytes]:
    """A watch of what is there now."""
    pace = ("--once", f"--settle={SETTLE_SECONDS}", "--state", home / "state")
    return wavepost("watch", spool, *pace, *options, env=env)


def test_what_is_there_and_what_comes_is_sent_once(
    ann: Caller, env: dict[str, str], spool: Path, home: Path
) -> None:
    put(spool / "2026/11/there.wav", wav_of(0.5))
    with watching(spool, home, env) as watch:
        watch.wait_for_sent("2026/11/there.wav")
        put(spool / "comes.WAV", wav_of(0.6))
        put(spool / "2026/12/01/deep.wav", wav_of(0.7))
        put(spool / "notes.txt", b"no sound")
        watch.wait_for_sent("2026/11/there.wav", "comes.WAV", "2026/12/01/deep.wav")
        assert watch.stop() == 0
    with watching(spool, home, env) as watch:
        put(spool / "last.wav", wav_of(0.8))
        watch.wait_for_sent("last.wav")
    assert sorted(kept(ann)) == ["comes.WAV", "deep.wav", "last.wav", "there.wav"]


def test_changes_are_told_of_and_not_only_looked_for(
    env: dict[str, str], spool: Path, home: Path
) -> None:
    with watching(spool, home, env, rescan=3600) as watch:
        watch.wait_to_say("Watching")
        put(spool / "new/a.wav", wav_of(0.5))
        watch.wait_for_sent("new/a.wav")
        put(spool / "new/b.wav", wav_of(0.6))
        watch.wait_for_sent("new/a.wav", "new/b.wav")


def test_the_oldest_are_sent_first(
    ann: Caller, env: dict[str, str], spool: Path, home: Path
) -> None:
    for place, name in enumerate("dbca"):
        put(spool / f"{name}.wav", wav_of(0.5 + place / 10), seconds_ago=1000 - place)
    done = once(spool, home, env, "--at-once", "1")
    assert done.returncode == 0
    assert kept(ann) == ["a.wav", "c.wav", "b.wav", "d.wav"]


def test_a_file_is_not_sent_while_it_grows(
    ann: Caller, env: dict[str, str], spool: Path, home: Path
) -> None:
    wav = wav_of(2)
    with watching(spool, home, env) as watch:
        with (spool / "grows.wav").open("wb") as growing:
            growing.write(wav[:20_000])
            growing.flush()
            # It rests for longer than files take to settle: another one is sent meanwhile.
            put(spool / "whole.wav", wav_of(0.5))
            watch.wait_for_sent("whole.wav")
            growing.write(wav[20_000:])
        watch.wait_for_sent("whole.wav", "grows.wav")
    (record,) = [r for r in ann.get("/records").json()["records"] if r["name"] == "grows.wav"]
    assert record["receipt"]["source"]["sha256"] == hashlib.sha256(wav).hexdigest()


def test_a_file_gets_sent_once_it_has_its_name(
    ann: Caller, env: dict[str, str], spool: Path, home: Path
) -> None:
    for hidden in (".call.wav.Xy12Zw", ".call.wav", ".hidden/call.wav", "call.wav.part"):
        put(spool / hidden, wav_of(0.6))
    with watching(spool, home, env) as watch:
        put(spool / "other.wav", wav_of(0.5))
        watch.wait_for_sent("other.wav")
        (spool / ".call.wav.Xy12Zw").rename(spool / "call.wav")
        watch.wait_for_sent("other.wav", "call.wav")
    assert kept(ann) == ["call.wav", "other.wav"]


def test_a_file_that_changes_is_another_recording(
    ann: Caller, env: dict[str, str], spool: Path, home: Path
) -> None:
    put(spool / "a.wav", wav_of(0.5))
    with watching(spool, home, env) as watch:
        watch.wait_for_sent("a.wav")
        put(spool / "a.wav", wav_of(0.9))
        watch.wait_for_sent("a.wav", "a.wav")
    assert kept(ann) == ["a.wav", "a.wav"]


def test_the_same_sound_twice_is_one_recording_and_both_are_through(
    ann: Caller, env: dict[str, str], spool: Path, home: Path
) -> None:
    for name in "ab":
        put(spool / f"{name}.wav", wav_of())
    with watching(spool, home, env) as watch:
        watch.wait_for_sent("a.wav", "b.wav")
        assert len({link for link, _ in watch.links}) == len(kept(ann)) == 1
    assert status(spool, home, env)["sent"]["files"] == 2  # type: ignore[index]


def test_what_is_sent_is_moved(env: dict[str, str], spool: Path, home: Path) -> None:
    for day, seconds in (("01", 0.5), ("02", 0.6)):
        put(spool / day / "a.wav", wav_of(seconds))
    sent = spool / "sent"
    with watching(spool, home, env, "--then", "move", "--sent", sent) as watch:
        watch.wait_for_sent("01/a.wav", "02/a.wav")
        put(spool / "01/a.wav", wav_of(0.7))
        moved = [sent / "01/a.wav", sent / "01/a-2.wav", sent / "02/a.wav"]
        wait_for(lambda: not list(spool.glob("0*/*")), f"the moves: {watch}")
        assert [path.read_bytes() for path in moved] == [wav_of(0.5), wav_of(0.7), wav_of(0.6)]
        assert watch.stop() == 0
    assert once(spool, home, env, "--then", "move", "--sent", sent).stdout == b""
    assert len(list(sent.rglob("*.wav"))) == 3


def test_what_is_sent_is_deleted_and_what_is_not_stays(
    env: dict[str, str], spool: Path, home: Path
) -> None:
    put(spool / "a.wav", wav_of())
    (spool / "text.wav").write_text("no sound")
    done = once(spool, home, env, "--then", "delete")
    assert done.returncode == 1
    assert os.listdir(spool) == ["text.wav"]


def test_what_was_sent_to_be_left_is_not_deleted_later(
    env: dict[str, str], spool: Path, home: Path
) -> None:
    put(spool / "a.wav", wav_of())
    assert once(spool, home, env).returncode == 0
    assert once(spool, home, env, "--then", "delete").returncode == 0
    assert os.listdir(spool) == ["a.wav"]


def test_what_is_no_wav_is_set_aside_and_tried_again_when_told(
    ann: Caller, env: dict[str, str], spool: Path, home: Path
) -> None:
    (spool / "empty.wav").touch()
    (spool / "text.wav").write_text("no sound")
    with watching(spool, home, env) as watch:
        put(spool / "a.wav", wav_of())
        watch.wait_for_sent("a.wav")
        wait_for(lambda: watch.log.count("is set aside") == 2, f"both: {watch}")
        aside = status(spool, home, env)["set_aside"]
        assert {Path(each["file"]).name for each in aside} == {"text.wav", "empty.wav"}  # type: ignore[attr-defined]
        retried = wavepost("watch", spool, "--retry", "--state", home / "state", env=env)
        assert retried.stdout.startswith(b"2 ")
        wait_for(lambda: watch.log.count("is set aside") == 4, f"both again: {watch}")
        put(spool / "text.wav", wav_of(0.6))
        watch.wait_for_sent("a.wav", "text.wav")
    shown = wavepost("watch", spool, "--status", "--state", home / "state", env=env).stdout
    assert [line.split(b":")[0] for line in shown.splitlines()] == [
        b"waiting",
        b"sent",
        b"set aside",
        bytes(spool / "empty.wav"),
    ]
    assert kept(ann) == ["text.wav", "a.wav"]


def test_what_is_refused_is_moved_away(env: dict[str, str], spool: Path, home: Path) -> None:
    put(spool / "01/text.wav", b"no sound")
    done = once(spool, home, env, "--failed", home / "failed")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"looks like text" in done.stderr
    assert (home / "failed/01/text.wav").read_bytes() == b"no sound"
    assert not (spool / "01/text.wav").exists()


def test_links_and_what_is_no_file_are_left_alone(
    ann: Caller, env: dict[str, str], spool: Path, home: Path, tmp_path: Path
) -> None:
    secret = put(tmp_path / "elsewhere/secret.wav", wav_of(0.9))
    (spool / "link.wav").symlink_to(secret)
    (spool / "folder").symlink_to(secret.parent)
    os.mkfifo(spool / "pipe.wav")
    (spool / "folder.wav").mkdir()
    put(spool / "folder.wav/a.wav", wav_of(0.5))
    with watching(spool, home, env) as watch:
        watch.wait_for_sent("folder.wav/a.wav")
        put(secret.parent / "another.wav", wav_of(0.8))
        put(spool / "b.wav", wav_of(0.6))
        watch.wait_for_sent("folder.wav/a.wav", "b.wav")
        # A folder that becomes a link, below which a file was known.
        (spool / "folder.wav").rename(tmp_path / "was here")
        (spool / "folder.wav").symlink_to(secret.parent)
        put(spool / "c.wav", wav_of(0.7))
        watch.wait_for_sent("folder.wav/a.wav", "b.wav", "c.wav")
    assert sorted(kept(ann)) == ["a.wav", "b.wav", "c.wav"]


def test_names_of_any_bytes_do_no_harm(
    ann: Caller, env: dict[str, str], spool: Path, home: Path
) -> None:
    with watching(spool, home, env) as watch:
        watch.wait_to_say("Watching")
        put(spool / "two\nlines\t\x1b[31m.wav", wav_of(0.5))
        put(Path(os.fsdecode(os.fsencode(spool) + b"/caf\xe9/\xff.wav")), wav_of(0.6))
        put(spool / "Звонок.wav", wav_of(0.7))
        wait_for(lambda: len(watch.sent) == 3, f"all three: {watch}")
        assert all("\x1b" not in path for path in watch.sent)
        assert watch.stop() == 0
    assert "Звонок.wav" in kept(ann)
    assert once(spool, home, env).stdout == b""


def test_only_one_watches_a_folder(env: dict[str, str], spool: Path, home: Path) -> None:
    with watching(spool, home, env) as watch:
        watch.wait_to_say("Watching")
        for state in (home / "state", home / "other"):
            done = wavepost("watch", spool, "--once", "--state", state, env=env)
            assert done.returncode == 1
            assert b"watched already" in done.stderr


def test_the_journal_is_for_nobody_else(env: dict[str, str], spool: Path, home: Path) -> None:
    put(spool / "a.wav", wav_of())
    with watching(spool, home, env) as watch:
        watch.wait_for_sent("a.wav")
        assert (home / "state").stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in (home / "state").iterdir()} == {0o600}


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_ends_it_well(
    stop: signal.Signals, env: dict[str, str], spool: Path, home: Path
) -> None:
    with watching(spool, home, env) as watch:
        watch.wait_to_say("Watching")
        assert watch.stop(stop) == 0
        assert "Stopped: 0 waiting." in watch.log


def test_json_has_the_file_and_the_record(env: dict[str, str], spool: Path, home: Path) -> None:
    put(spool / "a.wav", wav_of())
    record = json.loads(once(spool, home, env, "--json").stdout)
    assert record["file"] == str(spool / "a.wav")
    assert record["receipt"]["source"]["sha256"]


def test_options_are_those_of_push(
    ann: Caller, env: dict[str, str], spool: Path, home: Path
) -> None:
    put(spool / "a.wav", wav_of())
    assert once(spool, home, env, "--quality", "9", "--expires-in", "3600").returncode == 0
    (record,) = ann.get("/records").json()["records"]
    assert record["receipt"]["mp3"]["mode"] == "VBR 9"
    assert record["expires_at"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--then", "move"],
        ["--sent", "x"],
        ["--then", "burn"],
        ["--bitrate", "32", "--quality", "2"],
        ["--once", "--status"],
        ["--settle", "0"],
    ],
)
def test_what_makes_no_sense_ends_with_2(
    arguments: list[str], env: dict[str, str], spool: Path
) -> None:
    done = wavepost("watch", spool, *arguments, env=env)
    assert (done.returncode, done.stdout) == (2, b"")


def test_a_folder_that_cant_be_watched_has_a_sentence(
    env: dict[str, str], spool: Path, home: Path
) -> None:
    for folder, options, words in (
        (spool / "missing", [], b"No such file"),
        (Path("/etc/hostname"), [], b"Not a directory"),
        (spool, ["--then", "move", "--sent", spool.parent], b"come again"),
        (spool, ["--status"], b"never watched"),
    ):
        done = wavepost("watch", folder, *options, "--state", home / "state", env=env)
        assert (done.returncode, done.stdout) == (1, b"")
        assert words in done.stderr
