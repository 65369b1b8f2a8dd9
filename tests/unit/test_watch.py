"""The parts of `wavepost watch` that decide when and in which order."""

import os
from pathlib import Path

import pytest

from tests.watching import put
from wavepost.client import Refused, Unauthorized, Unreachable
from wavepost.commands.watch.journal import SENT, Journal
from wavepost.commands.watch.lease import is_being_written
from wavepost.commands.watch.line import Line, is_for_all
from wavepost.commands.watch.starting import state_folder
from wavepost.commands.watch.tree import Found, Look, NotAFile, Tree
from wavepost.commands.watch.waiting import Waiting


def found(path: str, mtime: int = 0, size: int = 1) -> Found:
    return Found(path, Look(1, size, mtime))


def test_a_file_may_be_sent_once_it_has_looked_the_same_for_long_enough() -> None:
    waiting = Waiting(settle_seconds=5)
    waiting.see(found("a"), now=0)
    assert waiting.begin(now=4.9) is None
    waiting.see(found("a", size=2), now=4)
    waiting.see(found("a", size=2), now=8)
    assert waiting.begin(now=8.9) is None
    assert waiting.begin(now=9) == found("a", size=2)
    assert waiting.begin(now=9) is None


def test_the_oldest_of_those_that_may_go_first() -> None:
    waiting = Waiting(settle_seconds=5)
    for place, name in enumerate("cab"):
        waiting.see(found(name, mtime=place), now=place)
    waiting.see(found("old but grows", mtime=-1), now=6)
    assert [waiting.begin(now=7) for _ in range(4)] == [
        found("c", 0),
        found("a", 1),
        found("b", 2),
        None,
    ]
    waiting.put_back(found("c", 0), now=8)
    waiting.postpone(found("a", 1), due=60)
    assert [waiting.begin(now=12) for _ in range(3)] == [
        found("old but grows", -1),
        found("c", 0),
        None,
    ]
    waiting.forget("a")
    assert waiting.begin(now=60) is None
    assert len(waiting) == 3


def test_one_file_alone_tries_the_line_until_one_came_through() -> None:
    line = Line()
    assert line.places(4, now=0) == 1
    line.works()
    assert line.places(4, now=0) == 4
    line.fail(Unreachable("away"), now=10)
    assert line.places(4, now=10.5) == 0
    assert line.places(4, now=12) == 1
    line.works()
    assert line.places(4, now=12) == 4


def test_the_wait_doubles_up_to_a_minute() -> None:
    line, now, waits = Line(), 0.0, []
    for _ in range(12):
        line.fail(Unreachable("away"), now)
        line.fail(Unreachable("away"), now)  # another file, of the same failure
        waits.append(line.until - now)
        now = line.until
    assert 1 <= waits[0] <= 2
    assert all(30 <= wait <= 60 for wait in waits[6:])


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (Refused("rate_limited", 429, "Wait.", retry_after_seconds=200), 200),
        (Unauthorized("unauthorized", 401, "No."), 300),
    ],
)
def test_it_waits_as_long_as_the_server_or_the_token_need(error: Refused, seconds: int) -> None:
    line = Line()
    line.fail(error, now=0)
    assert line.until >= seconds
    assert is_for_all(error)


def test_who_has_a_file_open_for_writing_is_noticed(tmp_path: Path) -> None:
    path = put(tmp_path / "a.wav", b"sound")
    with path.open("rb") as file:
        if is_being_written(file) is None:
            pytest.skip("This file system gives no leases.")
        assert is_being_written(file) is False
        with path.open("ab"):
            assert is_being_written(file) is True
        assert is_being_written(file) is False


def test_no_way_out_of_the_folder_is_opened(tmp_path: Path) -> None:
    outside = put(tmp_path / "outside/secret.wav", b"secret")
    (tmp_path / "spool").mkdir()
    tree = Tree(tmp_path / "spool")
    (tree.root / "link.wav").symlink_to(outside)
    (tree.root / "folder").symlink_to(outside.parent)
    os.mkfifo(tree.root / "pipe.wav")
    for path in ("link.wav", "folder/secret.wav", "pipe.wav", "../outside/secret.wav"):
        assert tree.look(path) is None
    for path in ("link.wav", "pipe.wav"):
        with pytest.raises(NotAFile), tree.opened(path):
            pass
    with pytest.raises(OSError, match="directory"), tree.opened("folder/secret.wav"):
        pass


def test_a_journal_forgets_files_that_are_long_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Journal(tmp_path / "journal.db") as journal:
        journal.refused(found("gone.wav"), "no sound", is_due=False)
        journal.refused(found("there.wav"), "no sound", is_due=False)
        journal.forget_gone({"there.wav"})
        assert journal.entry("gone.wav")
        monkeypatch.setattr("wavepost.commands.watch.journal.KEPT_DAYS", -1)
        journal.forget_gone({"there.wav"})
        assert journal.entry("gone.wav") is None
        assert journal.entry("there.wav")
        assert SENT not in journal.counts()


def test_the_journal_is_where_systemd_or_the_user_keeps_such_things() -> None:
    assert state_folder({"STATE_DIRECTORY": "/var/lib/a:/var/lib/b"}) == Path("/var/lib/a")
    assert state_folder({"XDG_STATE_HOME": "/x"}) == Path("/x/wavepost")
    assert state_folder({}) == Path.home() / ".local/state/wavepost"
