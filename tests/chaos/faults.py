"""Every fault there is. Each comes at a random moment, lasts its while, and is over then."""

import os
import resource
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.chaos.databases import KINDS, Postgres, Sqlite
from tests.chaos.findings import Wrong
from tests.chaos.machine import wait_until_refused
from tests.processes import processes
from tests.service import children, converting, run, wait_for

if TYPE_CHECKING:
    from tests.chaos.world import World

BITES_SECONDS = 40
"""How long it may take until a sender feels a fault that nobody can miss."""

REFUSE_SECONDS = 2
"""How soon a server that was told to stop lets nobody in any more."""

FILE_BYTES = 4 * 1024 * 1024
"""More than the log or a temporary file has, and less than SQLite's two files."""

MOST_ROOM_LEFT = 40 * 1024 * 1024


def server_killed(world: "World") -> None:
    """Like a power cut for the server alone."""
    with world.machine.outage.under_way():
        world.machine.kill()
        world.machine.start()


def server_told_to_stop(world: "World") -> None:
    """Uploads under way end, well or with a word; nobody new gets in."""
    machine = world.machine
    with machine.outage.under_way():
        machine.server.process.send_signal(signal.SIGTERM)
        wait_until_refused(machine.server.port, REFUSE_SECONDS)
        if (status := machine.stop()) != 0:
            world.findings.add(Wrong.UNEXPECTED, f"the server ended with exit status {status}")
        machine.start()


def converter_killed(world: "World") -> None:
    """One upload loses its converter."""
    _kill(world.dice.choice(wait_for(lambda: converting(world.machine.server), "a converter")))


def all_converters_killed(world: "World") -> None:
    """Also the one that waits for work."""
    for pid in children(world.machine.server):
        _kill(pid)


def forkserver_killed(world: "World") -> None:
    """Nobody is left to make converters."""
    for process in processes():
        if process.parent == world.machine.server.process.pid:
            _kill(process.id)


def everything_killed(world: "World") -> None:
    """Like a power cut, but that what was written is on the disk."""
    with world.machine.outage.under_way():
        world.machine.kill()
        if isinstance(world.database, Postgres):
            world.database.server.kill()
            world.database.server.start()
        world.machine.start()


def disk_full(world: "World") -> None:
    """Of the tables. SQLite's last 64 MiB are for removing, so some of that may be left."""
    is_sqlite = isinstance(world.database, Sqlite)
    leave = world.dice.choice([0, world.dice.randrange(MOST_ROOM_LEFT)]) if is_sqlite else 0
    refused = world.refused(507)
    world.database.disk.fill(leave)
    wait_for(lambda: world.refused(507) > refused, "a refusal", BITES_SECONDS)
    world.let_pass()
    world.database.disk.free()
    world.database.revive()


def log_disk_full(world: "World") -> None:
    """Of PostgreSQL's write-ahead log, without which it gives up."""
    database = _postgres(world)
    refused = world.refused(503)
    database.wal_disk.fill()
    wait_for(lambda: world.refused(503) > refused, "a refusal", BITES_SECONDS)
    world.let_pass()
    database.wal_disk.free()
    database.revive()


def disk_failing(world: "World") -> None:
    """Of what the server writes, only the first 4 MiB of each file get to the disk."""
    pid = world.machine.server.process.pid
    refused = world.refused(503)
    hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (FILE_BYTES, hard))
    wait_for(lambda: world.refused(503) > refused, "a refusal", BITES_SECONDS)
    world.let_pass()
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))


def read_only(world: "World") -> None:
    """PostgreSQL is while the server runs; SQLite's disk is when it starts, which it then can't."""
    if isinstance(world.database, Postgres):
        refused = world.refused(503)
        with world.database.read_only():
            wait_for(lambda: world.refused(503) > refused, "a refusal", BITES_SECONDS)
            world.let_pass()
        return
    with world.machine.outage.under_way():
        world.machine.stop()
        with world.database.disk.read_only():
            ended = run("serve", "--port", "0", database_url=world.database.url)
        if ended.returncode != 1 or len(ended.stderr.splitlines()) != 1:
            world.findings.add(
                Wrong.UNEXPECTED, f"with a read-only disk: {ended.returncode} {ended.stderr}"
            )
        world.machine.start()


def database_locked(world: "World") -> None:
    """Somebody else writes to SQLite, and takes their time."""
    assert isinstance(world.database, Sqlite)
    with world.database.locked():
        world.let_pass()


def database_killed(world: "World") -> None:
    """PostgreSQL, with all its processes."""
    server = _postgres(world).server
    server.kill()
    world.let_pass(most=1)
    server.start()


def backend_killed(world: "World") -> None:
    """One of PostgreSQL's processes; it then ends all, and begins again."""
    database = _postgres(world)
    _kill(world.dice.choice(wait_for(lambda: database.backends(), "a backend")))
    wait_for(database.server.answers, "PostgreSQL to recover")


def database_stopped(world: "World") -> None:
    """PostgreSQL, in good order, for a while."""
    server = _postgres(world).server
    server.stop()
    world.let_pass()
    server.start()


def database_frozen(world: "World") -> None:
    """PostgreSQL is there, and does not answer, for longer than a reader waits at times."""
    server = _postgres(world).server
    server.freeze()
    world.let_pass(times=1.5)
    server.thaw()


def connections_taken(world: "World") -> None:
    """Others have every connection of PostgreSQL."""
    refused = world.refused(503)
    with _postgres(world).connections_taken():
        wait_for(lambda: world.refused(503) > refused, "a refusal", BITES_SECONDS)
        world.let_pass()


SQLITE, POSTGRES = ("sqlite",), ("postgresql",)


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and on which databases it can.

    Attributes:
        group: those of one that leave so little behind that one look after all of them will do.
    """

    name: str
    inject: Callable[["World"], None]
    databases: tuple[str, ...] = KINDS
    group: str = ""


FAULTS = (
    Fault("server killed", server_killed),
    Fault("server told to stop", server_told_to_stop),
    Fault("everything killed", everything_killed),
    Fault("converter killed", converter_killed, group="converters"),
    Fault("all converters killed", all_converters_killed, group="converters"),
    Fault("forkserver killed", forkserver_killed, group="converters"),
    Fault("disk full", disk_full),
    Fault("read-only", read_only),
    Fault("disk failing", disk_failing, SQLITE),
    Fault("database locked", database_locked, SQLITE),
    Fault("log disk full", log_disk_full, POSTGRES),
    Fault("database killed", database_killed, POSTGRES),
    Fault("backend killed", backend_killed, POSTGRES),
    Fault("database stopped", database_stopped, POSTGRES),
    Fault("database frozen", database_frozen, POSTGRES),
    Fault("connections taken", connections_taken, POSTGRES),
    *(
        Fault(name, inject, group="clients")
        for name, inject in (
            ("clients hang up", lambda world: world.rude_clients().hang_up()),
            ("clients stall", lambda world: world.rude_clients().stall()),
            (
                "slow headers",
                lambda world: world.rude_clients().crawl_in_the_headers(world.spell()),
            ),
            ("slow bodies", lambda world: world.rude_clients().crawl_in_the_body(world.spell())),
            ("less than announced", lambda world: world.rude_clients().send_less()),
            ("more than announced", lambda world: world.rude_clients().send_more()),
            ("another digest", lambda world: world.rude_clients().send_another_digest()),
        )
    ),
)


def _postgres(world: "World") -> Postgres:
    assert isinstance(world.database, Postgres)
    return world.database


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
