"""SQLite and PostgreSQL on small disks of their own, each with what can befall it."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from tests.chaos.disk import Disk, mounted
from tests.chaos.postgres import CONNECTIONS_FOR_ALL, OwnPostgres
from tests.service import wait_for
from wavepost.storage import schema

KINDS = ("sqlite", "postgresql")

SQLITE_DISK_MIB = 400
"""SQLite's last 64 MiB are not for recordings."""

POSTGRES_DISK_MIB, WAL_DISK_MIB = 400, 64


class Sqlite:
    """A file, which others may lock.

    Attributes:
        url: for the server.
        disk: what the file is on.
    """

    kind = "sqlite"

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self._file = disk.folder / "wavepost.db"
        self.url = f"sqlite:///{self._file}"

    def revive(self) -> None:
        """Nothing: it is no process."""

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Somebody else writes, and takes their time."""
        connection = sqlite3.connect(self._file, isolation_level=None, timeout=60)
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")
        finally:
            connection.close()


class Postgres:
    """A server of our own.

    Attributes:
        url: for the server.
        disk: what the tables are on.
        wal_disk: what the write-ahead log is on.
        server: its processes.
    """

    kind = "postgresql"

    def __init__(self, disk: Disk, wal_disk: Disk, sockets: Path, log: Path) -> None:
        self.disk, self.wal_disk = disk, wal_disk
        self.server = OwnPostgres(disk.folder / "data", wal_disk.folder / "wal", sockets, log)
        self.server.start()
        with self._administrator() as connection:
            connection.execute("CREATE ROLE wavepost LOGIN")
            connection.execute("CREATE DATABASE wavepost OWNER wavepost")
        self.url = self.server.url("wavepost", "wavepost")
        schema.upgrade(self.url)

    def revive(self) -> None:
        """Start it again if it gave up, as a machine's service manager does."""
        if not self.server.answers():
            self.server.kill()
            self.server.start()

    def backends(self) -> list[int]:
        """The processes that serve the server's connections."""
        with self._administrator() as connection:
            found = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'wavepost'"
            )
            return [pid for (pid,) in found]

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Nobody can write, and whoever was about to is thrown out."""
        alter = "ALTER DATABASE wavepost"
        with self._administrator() as connection:
            connection.execute(f"{alter} SET default_transaction_read_only = on".encode())
            self._throw_out(connection)
            try:
                yield
            finally:
                connection.execute(f"{alter} RESET default_transaction_read_only".encode())
                self._throw_out(connection)

    @contextmanager
    def connections_taken(self) -> Iterator[None]:
        """Others have every connection."""
        with ExitStack() as stack:
            administrator = stack.enter_context(self._administrator())
            others = 0

            def all_are_taken() -> bool:
                nonlocal others
                try:
                    url = self.server.url("wavepost", "postgres")
                    stack.enter_context(psycopg.connect(url))
                    others += 1
                except psycopg.OperationalError:
                    self._throw_out(administrator)
                return others == CONNECTIONS_FOR_ALL - 1

            wait_for(all_are_taken, "the connections")
            yield

    def _administrator(self) -> psycopg.Connection:
        return psycopg.connect(self.server.url("postgres", "postgres"), autocommit=True)

    def _throw_out(self, connection: psycopg.Connection) -> None:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'wavepost'"
        )


Database = Sqlite | Postgres


@contextmanager
def on_small_disks(kind: str, folder: Path) -> Iterator[Database]:
    """A fresh database with every table, on disks that can be filled up."""
    with ExitStack() as stack:
        if kind == "sqlite":
            yield Sqlite(stack.enter_context(mounted(folder / "disk", SQLITE_DISK_MIB)))
            return
        disk = stack.enter_context(mounted(folder / "disk", POSTGRES_DISK_MIB))
        wal_disk = stack.enter_context(mounted(folder / "wal-disk", WAL_DISK_MIB))
        # A socket's path has to be short.
        short = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wp-pg-")))
        postgres = Postgres(disk, wal_disk, short / "sockets", folder / "postgres.log")
        stack.callback(postgres.server.kill)
        yield postgres
