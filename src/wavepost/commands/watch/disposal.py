"""What is sent is left where it is, moved or deleted; what is refused, left or moved.

Only a file that still is the one that was sent goes. It is first given another name, and then
looked at: what somebody put in its place meanwhile is put back. No file takes the name of another.
"""

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from wavepost.commands.watch.journal import SENT
from wavepost.commands.watch.lease import is_being_written
from wavepost.commands.watch.tree import Found, Look, Tree, look_at, opened_folder

LEAVE, MOVE, DELETE = "leave", "move", "delete"
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class Disposal:
    """What is to be done with files that are through."""

    def __init__(self, tree: Tree, then: str, sent: Path | None, failed: Path | None) -> None:
        """`sent` is where to move what is sent, and `failed`, what is refused: None leaves it."""
        self._tree = tree
        self._deletes = then == DELETE
        self._sent = sent.resolve() if sent and then == MOVE else None
        self._failed = failed.resolve() if failed else None

    def is_wanted(self, outcome: str) -> bool:
        """Whether a file with that outcome is to go."""
        if outcome == SENT:
            return self._deletes or self._sent is not None
        return self._failed is not None

    def carry_out(self, found: Found, outcome: str) -> None:
        """Move or delete it, unless it is another by now. Raises OSError: it is where it was."""
        target = self._sent if outcome == SENT else self._failed
        head, name = os.path.split(found.path)
        with self._tree.folder(head) as folder:
            if look_at(folder, name) != found.look or self._is_written(found):
                return
            if target is None:
                _delete(folder, name, found.look)
            else:
                target.mkdir(parents=True, exist_ok=True)
                with opened_folder(target, head, make=True) as goal:
                    self._move(found, folder, name, goal)

    def _is_written(self, found: Found) -> bool:
        try:
            with self._tree.opened(found.path) as file:
                return bool(is_being_written(file))
        except PermissionError:
            return False

    def _move(self, found: Found, folder: int, name: str, goal: int) -> None:
        try:
            with _free_name(goal, name) as taken:
                os.rename(name, taken, src_dir_fd=folder, dst_dir_fd=goal)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._move_across(found, folder, name, goal)
            return
        _put_back_another(goal, taken, found.look, folder, name)
        _make_last(goal)

    def _move_across(self, found: Found, folder: int, name: str, goal: int) -> None:
        copy = self._copy(found, goal, name)
        try:
            _delete(folder, name, found.look)
        except BaseException:
            # Else there would be another copy after each try.
            os.unlink(copy, dir_fd=goal)
            raise

    def _copy(self, found: Found, goal: int, name: str) -> str:
        """To another file system, whole or not at all; what the copy is called."""
        part = _hidden_name()
        try:
            with (
                self._tree.opened(found.path) as source,
                os.fdopen(os.open(part, NEW, 0o600, dir_fd=goal), "wb") as copy,
            ):
                shutil.copyfileobj(source, copy)
                copy.flush()
                status = os.fstat(source.fileno())
                _dress(copy.fileno(), status)
                os.fsync(copy.fileno())
            _check(status, found.look)
            with _free_name(goal, name) as taken:
                os.rename(part, taken, src_dir_fd=goal, dst_dir_fd=goal)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(part, dir_fd=goal)
            raise
        _make_last(goal)
        return taken


def _delete(folder: int, name: str, look: Look) -> None:
    aside = _hidden_name()
    os.rename(name, aside, src_dir_fd=folder, dst_dir_fd=folder)
    if not _put_back_another(folder, aside, look, folder, name):
        os.unlink(aside, dir_fd=folder)


def _put_back_another(goal: int, taken: str, look: Look, folder: int, name: str) -> bool:
    """Whether what was taken is not what was sent; it is then where it was."""
    if look_at(goal, taken) == look:
        return False
    with _free_name(folder, name) as free:
        os.rename(taken, free, src_dir_fd=goal, dst_dir_fd=folder)
    return True


@contextmanager
def _free_name(folder: int, name: str) -> Iterator[str]:
    """A name like that one that nobody has, taken; given back if what is to be done fails."""
    stem, suffix = os.path.splitext(name)
    for number in count(1):
        free = name if number == 1 else f"{stem}-{number}{suffix}"
        with suppress(FileExistsError):
            os.close(os.open(free, NEW, 0o600, dir_fd=folder))
            break
    try:
        yield free
    except BaseException:
        os.unlink(free, dir_fd=folder)
        raise


def _check(status: os.stat_result, look: Look) -> None:
    if Look.of(status) != look:
        raise OSError(errno.EBUSY, "It changed while it was moved")


def _hidden_name() -> str:
    return f".wavepost-{secrets.token_hex(8)}"


def _dress(copy: int, status: os.stat_result) -> None:
    """The copy's owner, rights and times are those of the file, as far as we may."""
    with suppress(PermissionError):
        os.fchown(copy, status.st_uid, status.st_gid)
    os.fchmod(copy, status.st_mode & 0o777)
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))


def _make_last(folder: int) -> None:
    """The new name survives a power cut, where the file system can promise that."""
    with suppress(OSError):
        os.fsync(folder)
