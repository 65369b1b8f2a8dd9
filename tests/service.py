"""The real process: `wavepost serve`, started, asked and stopped as its users do."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import Connection, create_engine, text

from tests import sound
from tests.processes import processes
from wavepost.storage.database import is_sqlite, with_driver

WAVEPOST = Path(sys.executable).parent / "wavepost"
DEADLINE_SECONDS = 60


def wait_for(condition: Callable[[], Any], what: str, seconds: float = DEADLINE_SECONDS) -> Any:
    """The condition's first true value. Fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.01)
    raise AssertionError(f"waited {seconds} s for {what}")


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The machine's environment with only these of our settings."""
    ours = {key: value for key, value in os.environ.items() if not key.startswith("WAVEPOST_")}
    return {**ours, **{f"WAVEPOST_{key.upper()}": value for key, value in settings.items()}}


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A `wavepost` command, run to its end."""
    return subprocess.run(
        [WAVEPOST, *arguments],
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )


class Server:
    """A running `wavepost serve`, with all its children in a session of its own.

    Attributes:
        settings: what it was started with.
        url: where it listens.
        client: an HTTP client for it.
    """

    def __init__(self, log: Path, temporary: Path | None = None, **settings: str) -> None:
        """`temporary` is for its temporary files; `port` counts where the settings have one."""
        self.settings = settings
        self._log = log
        self._offset = log.stat().st_size if log.exists() else 0
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [WAVEPOST, "serve", "--port", settings.get("port", "0")],
                env=environment(settings) | ({"TMPDIR": str(temporary)} if temporary else {}),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.url = wait_for(self._announced, f"the server to start: {log.read_text()}")
        self.client = httpx2.Client(base_url=self.url, timeout=DEADLINE_SECONDS)

    def _announced(self) -> str | None:
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended: {self.log}")
        found = re.search(r"listens on (http://\S+)", self.log)
        return found[1] if found else None

    @property
    def log(self) -> str:
        """What it printed since this start."""
        return self._log.read_bytes()[self._offset :].decode()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.url.rpartition(":")[2])

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.client.close()
        return self.process.wait(DEADLINE_SECONDS)


def converting(server: "Server") -> list[int]:
    """The children that convert: the one that waits for work has no second thread."""
    found = []
    for pid in children(server):
        with suppress(OSError):
            if len(os.listdir(f"/proc/{pid}/task")) > 1:
                found.append(pid)
    return found


def children(server: "Server") -> list[int]:
    """The converter children: the forkserver's, which is a child of the server."""
    found = processes()
    forkservers = {process.id for process in found if process.parent == server.process.pid}
    return [process.id for process in found if process.parent in forkservers]


def connected(
    server: "Server", token: str, length: int, *headers: str, query: str = ""
) -> socket.socket:
    """A raw upload of bare bytes, `length` of them, of which only the headers are sent."""
    lines = [
        f"POST /records?{query} HTTP/1.1",
        "Host: localhost",
        "Content-Type: audio/wav",
        f"Authorization: Bearer {token}",
        f"Content-Length: {length}",
        *headers,
    ]
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    return connection


def sending(server: "Server", caller: "Caller", wav: bytes, sent: int) -> socket.socket:
    """An upload of which `sent` bytes are on their way and the rest is not."""
    return sending_with(server, caller, wav, sent)


def sending_with(
    server: "Server", caller: "Caller", wav: bytes, sent: int, *headers: str
) -> socket.socket:
    """The same with more headers."""
    connection = connected(server, caller.token, len(wav), *headers)
    connection.sendall(wav[:sent])
    return connection


@contextmanager
def transaction(database_url: str) -> Iterator[Connection]:
    """One on the database itself, committed at the end."""
    driver = "sqlite" if is_sqlite(database_url) else "postgresql+psycopg"
    engine = create_engine(with_driver(database_url, driver))
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def execute(database_url: str, statement: str, **values: Any) -> Any:
    """Run a statement on the database itself; the first value of its first row, if it has any."""
    with transaction(database_url) as connection:
        result = connection.execute(text(statement), values)
        return result.scalar() if result.returns_rows else None


def count_rows(database_url: str, table: str) -> int:
    """The rows of a table, as the database itself has them."""
    return int(execute(database_url, f"SELECT count(*) FROM {table}"))


def count_unfinished(database_url: str) -> int:
    """Unfinished records, and chunks of no record."""
    return int(
        execute(
            database_url,
            "SELECT (SELECT count(*) FROM records WHERE status <> 'ready') + (SELECT count(*)"
            " FROM chunks WHERE record_id NOT IN (SELECT id FROM records))",
        )
    )


@contextmanager
def running(log: Path, **settings: str) -> Iterator[Server]:
    """A server for as long as the context lasts."""
    server = Server(log, **settings)
    try:
        yield server
    finally:
        server.stop()


class Caller:
    """A registered user of a server."""

    def __init__(self, server: Server, name: str = "Ann") -> None:
        self.server = server
        answer = server.client.post("/users", json={"name": name})
        assert answer.status_code == 201, answer.text
        self.id: str = answer.json()["id"]
        self.token: str = answer.json()["access_token"]

    @property
    def bearer(self) -> dict[str, str]:
        """The Authorization header."""
        return {"Authorization": f"Bearer {self.token}"}

    def get(self, path: str, **options: Any) -> httpx2.Response:
        """GET with the token."""
        return self.server.client.get(path, headers=self.bearer, **options)

    def delete(self, path: str) -> httpx2.Response:
        """DELETE with the token."""
        return self.server.client.delete(path, headers=self.bearer)

    def upload(self, wav: bytes, name: str = "call.wav", **fields: str) -> httpx2.Response:
        """POST /records as a form, credentials first."""
        return self.server.client.post(
            "/records",
            data={"user_id": self.id, "access_token": self.token, **fields},
            files={"record": (name, wav, "audio/wav")},
        )

    def post(self, wav: Any, headers: Mapping[str, str] = {}, **query: Any) -> httpx2.Response:
        """POST /records as bare bytes, or as an iterator of them, of unknown length."""
        return self.server.client.post(
            "/records",
            content=wav,
            params=query,
            headers={"Content-Type": "audio/wav", **self.bearer, **headers},
        )

    def record(self, seconds: float = 0.5, rate: int = 8_000) -> dict[str, Any]:
        """A record of a tone, as the upload answered."""
        answer = self.upload(sound.wav(sound.tone(seconds, rate), rate))
        assert answer.status_code == 201, answer.text
        body: dict[str, Any] = answer.json()
        return body


def assert_problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """That it is our one error shape, with nothing internal in it; its content."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["detail"]
    assert body["title"]
    assert body["request_id"] == answer.headers["x-request-id"]
    for internal in ("Traceback", "sqlalchemy", "sqlite", "psycopg", "/src/", "SELECT"):
        assert internal not in answer.text
    return body
