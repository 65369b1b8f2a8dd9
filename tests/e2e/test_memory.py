"""Memory does not grow with the recording."""

import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from tests import sound
from tests.resuming import Upload
from tests.service import Caller, Server, children, converting, running

MIB = 1024 * 1024
LIMIT = 300 * MIB


def resident_bytes(pids: list[int]) -> int:
    """What the processes have in memory, each one's share of what they share."""
    total = 0
    for pid in pids:
        # A child may just have ended.
        with suppress(FileNotFoundError, ProcessLookupError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


def endless_wav(mebibytes: int, server: Server, measured: list[int]) -> Iterator[bytes]:
    """A WAV of unknown length; measures the server and its child as it goes."""
    fmt = sound.fmt_chunk(1, 2, 48_000, 32)
    yield struct.pack("<4sI4s", b"RIFF", 0xFFFFFFFF, b"WAVE") + sound.chunk(b"fmt ", fmt)
    yield struct.pack("<4sI", b"data", 0xFFFFFFFF)
    piece = np.random.default_rng(1).integers(-(2**28), 2**28, MIB // 4, dtype="<i4").tobytes()
    for sent in range(mebibytes):
        yield piece
        if sent % 8 == 0:
            measured.append(resident_bytes([server.process.pid, *children(server)]))


def niceness(pid: int) -> set[int]:
    """The priorities of a process's threads; a higher number gives way to a lower one."""
    stats = Path(f"/proc/{pid}/task").glob("*/stat")
    return {int(stat.read_text().rpartition(") ")[2].split()[16]) for stat in stats}


def test_a_long_upload_gives_way_to_short_ones(tmp_path: Path) -> None:
    with running(tmp_path / "log", data=str(tmp_path / "data")) as server:
        ann = Caller(server)
        seen: list[set[int]] = []

        def watched() -> Iterator[bytes]:
            for number, piece in enumerate(endless_wav(96, server, [])):
                yield piece
                if number % 8 == 0:
                    seen.extend(niceness(pid) for pid in converting(server))

        assert ann.post(watched()).status_code == 201
        usual = min(seen[0])
        assert seen[0] == {usual}
        assert usual + 10 in seen[-1]


def test_a_large_upload_takes_no_more_memory_than_a_small_one(tmp_path: Path) -> None:
    measured: list[int] = []
    with running(tmp_path / "log", data=str(tmp_path / "data"), keep_wav="1") as server:
        ann = Caller(server)
        answer = ann.post(endless_wav(192, server, measured))
        assert answer.status_code == 201
        assert answer.json()["receipt"]["source"]["samples"] == 192 * MIB // 8
    assert max(measured) < LIMIT
    early, late = measured[len(measured) // 4], measured[-1]
    assert late - early < 20 * MIB


def test_neither_does_one_that_resumes(tmp_path: Path) -> None:
    measured: list[int] = []
    with running(tmp_path / "log", data=str(tmp_path / "data")) as server:
        ann = Caller(server)
        wav = endless_wav(192, server, measured)
        headers = next(wav)
        length = len(headers) + 8 + 192 * MIB
        upload = Upload(ann, length)
        assert upload.add(0, headers).status_code == 204
        rest = upload.add(len(headers), wav, content_length=str(length - len(headers)))
        assert rest.status_code == 204
        assert upload.record["receipt"]["source"]["samples"] == 192 * MIB // 8
    assert max(measured) < LIMIT
