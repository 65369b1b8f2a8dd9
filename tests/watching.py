"""`wavepost watch` beside a test: a real process, whose output is in files."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.service import DEADLINE_SECONDS, WAVEPOST, wait_for

SETTLE_SECONDS = 0.3


class Watch:
    """A running watch.

    Attributes:
        process: it itself.
    """

    def __init__(
        self,
        folder: Path,
        home: Path,
        env: dict[str, str],
        *options: str | Path,
        rescan: float = 1,
        prefix: Sequence[str] = (),
    ) -> None:
        """`home` is for its journal and for what it prints; `prefix` is put before the command."""
        self._folder = folder
        self._out, self._err = home / "out", home / "err"
        pace = [f"--settle={SETTLE_SECONDS}", f"--rescan={rescan}", "--state", home / "state"]
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [*prefix, WAVEPOST, "watch", folder, *pace, *options],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    @property
    def log(self) -> str:
        """What it said since this start."""
        return self._err.read_text()

    @property
    def links(self) -> list[tuple[str, str]]:
        """The links that it printed since this start, with the paths in the folder."""
        whole = self._out.read_text().splitlines(keepends=True)
        lines = [line.rstrip("\n").split("\t") for line in whole if line.endswith("\n")]
        return [(link, path.removeprefix(f"{self._folder}/")) for link, path in lines]

    @property
    def sent(self) -> list[str]:
        """The paths of these."""
        return [path for _, path in self.links]

    def wait_for_sent(self, *paths: str) -> None:
        """Wait until just these were sent, in whatever order."""
        wait_for(lambda: sorted(self.sent) == sorted(paths), f"{paths} to be sent: {self}")

    def wait_to_say(self, words: str) -> None:
        """Wait until its log has these words."""
        wait_for(lambda: words in self.log, f"{words!r} in the log: {self}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(DEADLINE_SECONDS)

    def __str__(self) -> str:
        return f"{self.sent} {self.log}"


@contextmanager
def watching(
    folder: Path,
    home: Path,
    env: dict[str, str],
    *options: str | Path,
    rescan: float = 1,
    prefix: Sequence[str] = (),
) -> Iterator[Watch]:
    """A watch for as long as the context lasts."""
    watch = Watch(folder, home, env, *options, rescan=rescan, prefix=prefix)
    try:
        yield watch
    finally:
        watch.stop(signal.SIGKILL)


def status(folder: Path, home: Path, env: dict[str, str]) -> dict[str, object]:
    """What `--status` says."""
    done = subprocess.run(
        [WAVEPOST, "watch", folder, "--status", "--json", "--state", home / "state"],
        env=env,
        capture_output=True,
        check=True,
    )
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def put(path: Path, content: bytes, seconds_ago: float = 0) -> Path:
    """A file as a recorder leaves it: it gets its name when it is whole, and has that age."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    if seconds_ago:
        status = part.stat()
        os.utime(part, (status.st_atime, status.st_mtime - seconds_ago))
    return part.rename(path)


def without_rights_of_root() -> list[str]:
    """What to put before a command, so that it may read only what its user may, also as root."""
    dropped = "-dac_override,-dac_read_search"
    return ["setpriv", f"--bounding-set={dropped}", f"--inh-caps={dropped}"]
