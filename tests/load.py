"""Many callers at once, for a while: `make load` has 200 of them for two minutes.

Every one uploads, again and again, as one of 20 users; who hears `busy` waits as told. Meanwhile
somebody asks for /healthz, and the server's memory is read. In the end every record that was
acknowledged is downloaded and compared with the hash of its receipt.
"""

import asyncio
import hashlib
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from rich.console import Console
from rich.table import Table

from tests import sound
from tests.service import Caller, Server, children, running

CALLERS, USERS = 200, 20
HEALTH_PAUSE_SECONDS = 0.1
CREATED, BUSY = 201, 503
MIB = 1024 * 1024

SOUNDS = (
    sound.wav(sound.speech_like(1, 8_000), 8_000),
    sound.wav(sound.speech_like(5, 8_000), 8_000),
    sound.wav(sound.speech_like(20, 16_000), 16_000),
    sound.wav(sound.tone(3, 44_100, (440.0, 660.0)), 44_100),
)


@dataclass
class Load:
    """What came of it.

    Attributes:
        answers: how often each status came.
        others: what was neither 201 nor 503, nor an answer.
        acknowledged: the link and the MP3's SHA-256 of each record that was promised.
        health_seconds: how long each /healthz took.
        most_bytes: the most memory that the server and its children had, what they share once.
        lost: links of acknowledged records that did not give what was promised.
    """

    answers: Counter[int] = field(default_factory=Counter)
    others: list[str] = field(default_factory=list)
    acknowledged: dict[str, str] = field(default_factory=dict)
    health_seconds: list[float] = field(default_factory=list)
    most_bytes: int = 0
    lost: list[str] = field(default_factory=list)


def burden(server: Server, seconds: float) -> Load:
    """Put the load on the server."""
    callers = [Caller(server, f"user {number}") for number in range(USERS)]
    tokens = [callers[number % USERS].token for number in range(CALLERS)]
    # The callers have a process of their own, so that they don't keep our clock waiting.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as processes:
        calling = processes.submit(_call, server.url, tokens, seconds)
        health = list(_watch(server, calling))
        load = calling.result()
    load.health_seconds = [taken for taken, _ in health]
    load.most_bytes = max(size for _, size in health)
    load.lost = [
        link
        for link, promised in load.acknowledged.items()
        if hashlib.sha256(server.client.get(link).content).hexdigest() != promised
    ]
    return load


def _watch(server: Server, calling: Future[Load]) -> Iterator[tuple[float, int]]:
    """How long /healthz took and how much memory there was, until the callers are done."""
    while not calling.done():
        started = time.monotonic()
        server.client.get("/healthz").raise_for_status()
        yield time.monotonic() - started, _memory(server)
        time.sleep(HEALTH_PAUSE_SECONDS)


def _memory(server: Server) -> int:
    """Bytes of the server and its children; what several share is divided among them."""
    return sum(_proportional(pid) for pid in (server.process.pid, *children(server)))


def _proportional(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:  # it has just ended
        return 0
    return 1024 * int(rollup.partition("\nPss:")[2].split()[0]) if "\nPss:" in rollup else 0


def _call(url: str, tokens: list[str], seconds: float) -> Load:
    return asyncio.run(_call_all(url, tokens, time.monotonic() + seconds))


async def _call_all(url: str, tokens: list[str], until: float) -> Load:
    load, chance = Load(), random.Random(1)
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(base_url=url, timeout=120, limits=limits) as client:
        await asyncio.gather(
            *(_upload_until(client, token, until, load, chance) for token in tokens)
        )
    return load


async def _upload_until(
    client: httpx2.AsyncClient, token: str, until: float, load: Load, chance: random.Random
) -> None:
    while time.monotonic() < until:
        try:
            answer = await client.post(
                "/records",
                content=chance.choice(SOUNDS),
                headers={"Authorization": f"Bearer {token}", "Content-Type": "audio/wav"},
            )
        except httpx2.HTTPError as error:
            load.others.append(repr(error))
            continue
        load.answers[answer.status_code] += 1
        if answer.status_code == CREATED:
            record: dict[str, Any] = answer.json()
            load.acknowledged[record["url"]] = record["receipt"]["mp3"]["sha256"]
        elif answer.status_code == BUSY:
            wait = float(answer.headers["Retry-After"]) * chance.uniform(0.5, 1)
            await asyncio.sleep(max(0, min(wait, until - time.monotonic())))
        else:
            load.others.append(answer.text)


def main() -> None:
    """Two minutes, or as many seconds as the first argument says."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 120
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder, "log"), data=folder) as server,
    ):
        idle = _memory(server)
        load = burden(server, seconds)
    health = sorted(1000 * taken for taken in load.health_seconds)
    table = Table(title=f"{CALLERS} callers, {USERS} users, {seconds:.0f} s", show_header=False)
    for name, value in (
        (
            "acknowledged",
            f"{load.answers[CREATED]} ({load.answers[CREATED] / seconds:.0f} a second)",
        ),
        ("busy", load.answers[BUSY]),
        ("anything else", len(load.others)),
        ("/healthz, median and most", f"{health[len(health) // 2]:.0f} and {health[-1]:.0f} ms"),
        ("memory, idle and most", f"{idle // MIB} and {load.most_bytes // MIB} MiB"),
        ("lost", len(load.lost)),
    ):
        table.add_row(name, str(value))
    Console().print(table)
    if load.others or load.lost:
        sys.exit("\n".join([*load.others[:5], *load.lost[:5]]))


if __name__ == "__main__":
    main()
