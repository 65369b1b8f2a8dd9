"""The server's process, which dies and comes back at the same port."""

import os
import random
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.processes import processes
from tests.service import Server, wait_for

PORTS = range(20_000, 30_000)
"""Below those that outgoing connections get: none of them shall take ours while it is free."""


class Spell:
    """A time in which something may go wrong that otherwise may not."""

    def __init__(self) -> None:
        self._under_way = 0
        self._ended = float("-inf")

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """From here to there."""
        self._under_way += 1
        try:
            yield
        finally:
            self._ended = time.monotonic()
            self._under_way -= 1

    def touched(self, since: float) -> bool:
        """Whether it was under way at any time since then (`time.monotonic`)."""
        return bool(self._under_way) or self._ended >= since


class Machine:
    """A server that runs, but for its outages.

    Attributes:
        outage: while it may be gone.
        url: where it listens.
        server: the process of now.
    """

    def __init__(self, log: Path, temporary: Path, **settings: str) -> None:
        """`temporary` gets a folder for each server's temporary files."""
        self.outage = Spell()
        self._temporary = temporary
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._settings = {**settings, "port": str(port), "public_url": self.url}
        self._log = log
        self._read = 0
        self._sessions: list[int] = []
        self.server = self._start()

    def kill(self) -> None:
        """Kill it: nothing gets to be tidied up."""
        self.server.stop(signal.SIGKILL)

    def stop(self) -> int:
        """Tell it to stop; its exit status once it has."""
        return self.server.stop(signal.SIGTERM)

    def start(self) -> None:
        """Start it again."""
        self.server = self._start()

    def news(self) -> str:
        """What was logged since this was asked last."""
        logged = self._log.read_bytes()[self._read :]
        self._read += len(logged)
        return logged.decode()

    def survivors(self) -> list[int]:
        """Processes of servers that are dead."""
        dead = self._sessions[:-1]
        return [one.id for one in processes() if one.session in dead and not one.is_over]

    def temporary_files(self) -> list[Path]:
        """What lies in the folders for temporary files, but for sockets, and what has no name."""
        named = [path for path in self._temporary.rglob("*") if path.is_file()]
        opened = _open_files(self.server.process.pid)
        return named + [path for path in opened if path.is_relative_to(self._temporary)]

    def end(self) -> None:
        """Kill it for good, with its children."""
        self.kill()
        with suppress(ProcessLookupError):
            os.killpg(self._sessions[-1], signal.SIGKILL)

    def _start(self) -> Server:
        temporary = self._temporary / str(len(self._sessions))
        temporary.mkdir(parents=True)
        server = Server(self._log, temporary, **self._settings)
        self._sessions.append(server.process.pid)
        return server


def wait_until_refused(port: int, seconds: float) -> None:
    """Until nobody listens there any more."""

    def is_refused() -> bool:
        with socket.socket() as connection:
            return connection.connect_ex(("127.0.0.1", port)) != 0

    wait_for(is_refused, f"port {port} to refuse connections", seconds)


def _open_files(pid: int) -> list[Path]:
    found = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            found.append(link.readlink())
    return found


def _free_port() -> int:
    for port in random.Random().sample(PORTS, len(PORTS)):
        with socket.socket() as taken, suppress(OSError):
            taken.bind(("127.0.0.1", port))
            return port
    raise AssertionError(f"every port of {PORTS} is taken")
