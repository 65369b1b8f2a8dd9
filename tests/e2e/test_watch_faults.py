"""What `wavepost watch` outlives: its own death, a server that is away, full disks, rights."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.disk import Disk, mounted
from tests.pushing import kept, long_wav, wav_of, whereabouts, wrong_tokens
from tests.service import Caller, Server, converting, running, wait_for
from tests.watching import put, status, watching, without_rights_of_root

MANY = 120


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all of these."""
    folder = tmp_path_factory.mktemp("server")
    with running(folder / "log", data=str(folder / "data")) as server:
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


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A small one, and another than that of the spool."""
    try:
        with mounted(tmp_path / "disk", 4) as disk:
            yield disk
    except PermissionError:
        assert "CI" not in os.environ
        pytest.skip("Only root may mount a small disk.")


def names(ann: Caller) -> list[str]:
    found, cursor = [], ""
    while True:
        page = ann.get(
            "/records", params={"limit": "100", **({"cursor": cursor} if cursor else {})}
        )
        found += [record["name"] for record in page.json()["records"]]
        if not (cursor := page.json()["next"]):
            return found


def test_killed_again_and_again_it_sends_each_file_once(
    ann: Caller, env: dict[str, str], spool: Path, home: Path
) -> None:
    files = {f"{place:03}.wav" for place in range(MANY)}
    for place, name in enumerate(sorted(files)):
        put(spool / name[:2] / name, wav_of(0.1 + place / 8000), seconds_ago=MANY - place)
    for _ in range(4):
        with watching(spool, home, env, "--then", "delete") as watch:
            wait_for(lambda watch=watch: len(watch.sent) >= MANY // 8, "some to be sent")
            watch.stop(signal.SIGKILL)
    with watching(spool, home, env, "--then", "delete") as watch:
        wait_for(lambda: not list(spool.rglob("*.wav")), f"all to go: {watch}")
    assert sorted(names(ann)) == sorted(files)


def test_killed_with_a_large_file_under_way_it_goes_on(
    server: Server, ann: Caller, env: dict[str, str], spool: Path, home: Path
) -> None:
    put(spool / "long.wav", long_wav())
    with watching(spool, home, env) as watch:
        wait_for(lambda: converting(server), "the conversion to begin")
        watch.stop(signal.SIGKILL)
    with watching(spool, home, env) as watch:
        watch.wait_for_sent("long.wav")
    assert kept(ann) == ["long.wav"]


def test_without_its_journal_it_finds_on_the_server_what_is_there(
    ann: Caller, env: dict[str, str], spool: Path, home: Path
) -> None:
    put(spool / "a.wav", wav_of())
    with watching(spool, home, env) as watch:
        watch.wait_for_sent("a.wav")
        before = watch.links
    (home / "state").rename(home / "lost")
    with watching(spool, home, env) as watch:
        watch.wait_for_sent("a.wav")
        assert watch.links == before
    assert kept(ann) == ["a.wav"]


def test_a_journal_that_is_damaged_is_said_and_left(
    env: dict[str, str], spool: Path, home: Path
) -> None:
    with watching(spool, home, env) as watch:
        watch.wait_to_say("Watching")
    (journal,) = (home / "state").glob("*.db")
    for more in (home / "state").glob("*.db-*"):
        more.unlink()
    journal.write_bytes(b"no journal " * 1000)
    with watching(spool, home, env) as watch:
        assert watch.process.wait(60) == 1
        assert "is damaged" in watch.log
    assert journal.read_bytes() == b"no journal " * 1000


def test_a_server_that_is_away_is_waited_for_and_the_order_stays(
    home: Path, spool: Path, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {"data": str(tmp_path / "data"), "port": str(port)}
    with running(tmp_path / "log", **settings) as early:
        bob = Caller(early, "Bob")
        env = whereabouts(bob, home)
    files = [f"{name}.wav" for name in "dbca"]
    for place, name in enumerate(files):
        put(spool / name, wav_of(0.5 + place / 10), seconds_ago=1000 - place)
    with watching(spool, home, env, "--at-once", "1") as watch:
        watch.wait_to_say("Trying again; 4 waiting.")
        put(spool / "late.wav", wav_of(1))
        with running(tmp_path / "log", **settings):
            wait_for(lambda: len(watch.sent) == 5, f"all to be sent: {watch}")
            watch.wait_to_say("takes recordings again")
        assert watch.sent == [*files, "late.wav"]
        assert watch.log.count("Trying again") == 1
        assert watch.stop() == 0


def test_a_wrong_token_is_sent_once_and_a_new_login_is_taken(
    server: Server, ann: Caller, home: Path, spool: Path
) -> None:
    for place in range(5):
        put(spool / f"{place}.wav", wav_of(0.5 + place / 10))
    env = whereabouts(ann, home)
    before = wrong_tokens(server)
    with watching(spool, home, env | {"WAVEPOST_TOKEN": ann.id}, "--at-once", "4") as watch:
        watch.wait_to_say("log in again")
        put(spool / "more.wav", wav_of(2))
        wait_for(lambda: status(spool, home, env)["waiting"]["files"] == 6, "the sixth")  # type: ignore[index]
        assert watch.sent == []
        assert watch.stop() == 0
    assert wrong_tokens(server) == before + 1
    with watching(spool, home, env) as watch:
        wait_for(lambda: len(watch.sent) == 6, f"all to be sent: {watch}")


def test_a_file_that_is_replaced_while_it_is_sent_is_not_lost(
    server: Server, ann: Caller, env: dict[str, str], spool: Path, home: Path
) -> None:
    path = put(spool / "a.wav", wav_of(0.5))
    with watching(spool, home, env, "--then", "delete") as watch:
        watch.wait_for_sent("a.wav")
        os.kill(server.process.pid, signal.SIGSTOP)
        put(path, wav_of(0.6))
        open_files = Path(f"/proc/{watch.process.pid}/fd")
        wait_for(lambda: str(path) in map(_target, open_files.iterdir()), "it to be under way")
        put(path, wav_of(0.7))
        os.kill(server.process.pid, signal.SIGCONT)
        wait_for(lambda: not path.exists(), f"it to be sent: {watch}")
        wait_for(lambda: len(watch.sent) == 3, f"all three: {watch}")
    assert sorted(r["duration"] for r in ann.get("/records").json()["records"]) == [0.5, 0.6, 0.7]


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except FileNotFoundError:
        return ""


def test_what_cant_be_read_is_said_once_and_sent_when_it_can(
    env: dict[str, str], spool: Path, home: Path
) -> None:
    closed = put(spool / "closed.wav", wav_of(0.5))
    closed.chmod(0)
    folder = put(spool / "folder/in.wav", wav_of(0.6)).parent
    folder.chmod(0)
    put(spool / "open.wav", wav_of(0.7))
    prefix = without_rights_of_root() if os.geteuid() == 0 else []
    with watching(spool, home, env, rescan=0.5, prefix=prefix) as watch:
        watch.wait_for_sent("open.wav")
        watch.wait_to_say("closed.wav waits: Permission denied.")
        put(spool / "another.wav", wav_of(0.8))
        watch.wait_for_sent("open.wav", "another.wav")
        held = status(spool, home, env)["held"]
        assert [each["reason"] for each in held] == ["Permission denied"]  # type: ignore[attr-defined]
        closed.chmod(0o600)
        folder.chmod(0o700)
        watch.wait_for_sent("open.wav", "another.wav", "closed.wav", "folder/in.wav")
        assert watch.log.count("Permission denied") == 2


def test_on_a_full_disk_nothing_is_deleted_that_the_journal_does_not_hold(
    ann: Caller, env: dict[str, str], spool: Path, home: Path, disk: Disk
) -> None:
    options = ("--then", "delete", "--state", disk.folder / "state")
    with watching(spool, home, env, *options) as watch:
        put(spool / "a.wav", wav_of(0.5))
        wait_for(lambda: not list(spool.iterdir()), f"the first to go: {watch}")
        disk.fill()
        put(spool / "b.wav", wav_of(0.6))
        watch.wait_to_say("Nothing is sent meanwhile.")
        put(spool / "c.wav", wav_of(0.7))
        assert (spool / "b.wav").exists()
        disk.free()
        wait_for(lambda: not list(spool.iterdir()), f"all to go: {watch}")
        assert "can be written again" in watch.log
    assert kept(ann) == ["c.wav", "b.wav", "a.wav"]


def test_what_cant_be_moved_stays_and_goes_when_there_is_room(
    ann: Caller, env: dict[str, str], spool: Path, home: Path, disk: Disk
) -> None:
    wav = wav_of(30)
    sent = disk.folder / "sent"
    with watching(spool, home, env, "--then", "move", "--sent", sent) as watch:
        disk.fill(leave_bytes=100_000)
        path = put(spool / "01/a.wav", wav)
        watch.wait_to_say("is sent, but stays there: No space left on device.")
        assert path.read_bytes() == wav
        disk.free()
        wait_for(lambda: not path.exists(), f"the move: {watch}")
        assert (sent / "01/a.wav").read_bytes() == wav
        assert [each.name for each in (sent / "01").iterdir()] == ["a.wav"]
        assert watch.sent == ["01/a.wav"]
    assert kept(ann) == ["a.wav"]


def test_what_cant_be_taken_away_leaves_no_copies(
    env: dict[str, str], spool: Path, home: Path, disk: Disk
) -> None:
    path = put(spool / "01/a.wav", wav_of())
    path.parent.chmod(0o500)
    sent = disk.folder / "sent"
    options = ("--then", "move", "--sent", sent)
    prefix = without_rights_of_root()
    with watching(spool, home, env, *options, rescan=0.3, prefix=prefix) as watch:
        watch.wait_to_say("is sent, but stays there: Permission denied.")
        put(spool / "b.wav", wav_of(0.6))
        wait_for(lambda: not (spool / "b.wav").exists(), f"another to be moved: {watch}")
        # Between two tries; each has a copy for a moment.
        wait_for(lambda: [each.name for each in sent.rglob("*.wav")] == ["b.wav"], "no copy")
        path.parent.chmod(0o700)
        wait_for(lambda: not path.exists(), f"the move: {watch}")
        assert sorted(each.name for each in sent.rglob("*.wav")) == ["a.wav", "b.wav"]


def test_a_quota_holds_the_files_back(home: Path, spool: Path, tmp_path: Path) -> None:
    with running(tmp_path / "log", data=str(tmp_path / "data"), quota_bytes="3000") as server:
        bob = Caller(server, "Bob")
        env = whereabouts(bob, home)
        put(spool / "a.wav", wav_of(0.4), seconds_ago=10)
        put(spool / "b.wav", wav_of(0.5))
        with watching(spool, home, env) as watch:
            watch.wait_for_sent("a.wav")
            watch.wait_to_say("Trying again")
            (record,) = bob.get("/records").json()["records"]
            bob.delete(f"/records/{record['id']}")
            watch.wait_for_sent("a.wav", "b.wav")
        assert json.dumps(status(spool, home, env)["waiting"]).startswith('{"files": 0')
