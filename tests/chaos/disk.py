"""A small file system in memory, to be filled up, freed and made read-only."""

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
_READ_ONLY, _REMOUNT, _DETACH = 1, 32, 2
_NAMESPACE = ("unshare", "--user", "--map-current-user", "--mount", "--keep-caps")


class CannotMount(Exception):
    """A sentence: what is missing here."""


class Disk:
    """A mounted tmpfs.

    Attributes:
        folder: where it is mounted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self, leave_bytes: int = 0) -> None:
        """Take what room there is, but for so much."""
        with self._ballast.open("ab") as ballast:
            while (room := shutil.disk_usage(self.folder).free - leave_bytes) > 0:
                try:
                    os.posix_fallocate(ballast.fileno(), ballast.tell(), room)
                except OSError:  # somebody else took some of it meanwhile
                    continue
                ballast.seek(0, os.SEEK_END)

    def free(self) -> None:
        """Give back what `fill` took."""
        self._ballast.unlink(missing_ok=True)

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Nobody can write; raises OSError where somebody has a file open for writing."""
        _mount(self.folder, _REMOUNT | _READ_ONLY)
        try:
            yield
        finally:
            _mount(self.folder, _REMOUNT)


@contextmanager
def mounted(folder: Path, mebibytes: int) -> Iterator[Disk]:
    """A disk of so much room, in a new `folder`. Raises OSError where we may not mount."""
    folder.mkdir()
    _mount(folder, 0, f"size={mebibytes}m,mode=0755")
    try:
        yield Disk(folder)
    finally:
        # At once, even where a process that is about to end has a file open.
        _LIBC.umount2(os.fsencode(folder), _DETACH)
        folder.rmdir()


def command_that_can_mount() -> list[str]:
    """What to put before a command, so that it may mount: nothing, or a namespace of its own.

    There is no namespace for a root who may not mount: PostgreSQL would have to be somebody else's.
    Raises CannotMount.
    """
    if _can_mount():
        return []
    probe = "from tests.chaos.disk import _can_mount; raise SystemExit(not _can_mount())"
    command = [*_NAMESPACE, sys.executable, "-c", probe]
    try:
        if os.geteuid() == 0:
            raise PermissionError
        subprocess.run(command, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        raise CannotMount(
            "A small file system has to be mounted, to be filled up. Run this as root (in a "
            "container with --cap-add=SYS_ADMIN), or where a user may make namespaces (unshare, "
            "of util-linux)."
        ) from None
    return [*_NAMESPACE]


def _can_mount() -> bool:
    with tempfile.TemporaryDirectory() as name:
        try:
            with mounted(Path(name) / "disk", 1):
                return True
        except OSError:
            return False


def _mount(folder: Path, flags: int, options: str = "") -> None:
    kind = b"tmpfs"
    if _LIBC.mount(kind, os.fsencode(folder), kind, flags, options.encode()):
        raise OSError(ctypes.get_errno(), "mount", str(folder))
