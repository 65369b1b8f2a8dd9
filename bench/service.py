"""Uploads over HTTP to a server of our own."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPResponse
from pathlib import Path

PIECE_BYTES = 128 * 1024
START_SECONDS = 60
BUSY_AFTER_SECONDS = 2


@dataclass(frozen=True)
class Upload:
    """One upload: seconds from the connection to the answer, and from the last byte to it."""

    whole: float
    after_last_byte: float
    link: str


class Service:
    """A running server with one user."""

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self._process = process
        self.url = url
        request = urllib.request.Request(
            f"{url}/users", b'{"name": "Bench"}', {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:
            self._token = json.load(answer)["access_token"]

    def upload(self, wav: Path, bytes_a_second: float | None = None) -> Upload:
        """POST `wav` as it is, at most so fast. Raises RuntimeError where it is refused."""
        host, port = self.url.removeprefix("http://").split(":")
        size = wav.stat().st_size
        head = (
            f"POST /records HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: text/plain\r\n"
            f"Authorization: Bearer {self._token}\r\nContent-Length: {size}\r\n\r\n"
        )
        started = time.perf_counter()
        with socket.create_connection((host, int(port))) as connection, wav.open("rb") as file:
            connection.sendall(head.encode())
            sent = 0
            while piece := file.read(PIECE_BYTES):
                if bytes_a_second:
                    time.sleep(max(0, started + sent / bytes_a_second - time.perf_counter()))
                connection.sendall(piece)
                sent += len(piece)
            last_byte = time.perf_counter()
            answer = HTTPResponse(connection)
            answer.begin()
            text = answer.read().decode()
            ended = time.perf_counter()
        if answer.status != HTTPStatus.CREATED:
            raise RuntimeError(text)
        return Upload(ended - started, ended - last_byte, text.strip())

    def uploads(self, wav: Path, at_once: int) -> tuple[float, list[Upload]]:
        """So many uploads of the same WAV side by side; seconds until the last link, and each."""
        started = time.perf_counter()
        with ThreadPoolExecutor(at_once) as pool:
            done = list(pool.map(self.upload, [wav] * at_once))
        return time.perf_counter() - started, done

    def clips_a_second(self, wav: Path, connections: int, seconds: float) -> float:
        """How many uploads of a clip end in a second, by so many senders."""
        until = time.perf_counter() + seconds

        def send(_: int) -> int:
            count = 0
            while time.perf_counter() < until:
                self.upload(wav)
                count += 1
            return count

        started = time.perf_counter()
        with ThreadPoolExecutor(connections) as pool:
            count = sum(pool.map(send, range(connections)))
        return count / (time.perf_counter() - started)

    @contextmanager
    def busy(self, wav: Path, senders: int) -> Iterator[None]:
        """So many senders upload `wav` over and over meanwhile."""
        over = threading.Event()

        def send() -> None:
            while not over.is_set():
                self.upload(wav)

        threads = [threading.Thread(target=send) for _ in range(senders)]
        for thread in threads:
            thread.start()
        time.sleep(BUSY_AFTER_SECONDS if senders else 0)
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()

    @contextmanager
    def watched_memory(self) -> Iterator[list[int]]:
        """Collects how many bytes the server and its children have; what is shared counts once."""
        seen = [self._memory()]
        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.05):
                seen.append(self._memory())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield seen
        finally:
            over.set()
            watcher.join()

    def _memory(self) -> int:
        return sum(_proportional_bytes(pid) for pid in _family(self._process.pid))


@contextmanager
def running(data: Path) -> Iterator[Service]:
    """A server with a new SQLite database in `data`."""
    command = [sys.executable, "-m", "wavepost", "serve", "--port", "0", "--data", str(data)]
    log = data.with_suffix(".log")
    with (
        log.open("wb") as output,
        subprocess.Popen(command, stdout=output, stderr=output) as process,
    ):
        try:
            yield Service(process, _address(log))
        finally:
            process.terminate()


def _address(log: Path) -> str:
    until = time.monotonic() + START_SECONDS
    while not (match := re.search(r"listens on (http://\S+)", log.read_text())):
        if time.monotonic() > until:
            raise RuntimeError(f"The server did not start: {log.read_text()}")
        time.sleep(0.05)
    return match[1]


def _family(pid: int) -> list[int]:
    """A process and all that came of it."""
    found = [pid]
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            children = Path(f"/proc/{pid}/task/{task}/children").read_text().split()
            for child in children:
                found += _family(int(child))
    return found


def _proportional_bytes(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(int(kib) for kib in re.findall(r"^Pss: +(\d+)", text, re.M)) * 1024
