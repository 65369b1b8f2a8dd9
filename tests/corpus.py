"""Recordings from elsewhere, each with its verdict, sent to a real server.

`make corpus` prints what came of each. The recordings are not part of the project: a folder with
EXPECTED.tsv and the files that it names (`WAVEPOST_CORPUS`).
"""

import csv
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import numpy as np
from rich.console import Console
from rich.table import Column, Table

from tests import sound
from tests.service import Caller, Server, running

MOST_SECONDS = 10
CREATED = 201
WIDTH = 200
BLOCK_SECONDS = 0.12
"""Block codecs fill their last block, which the verdicts' durations leave out."""

REFUSALS = {
    (415, "not_a_wav"),
    (415, "unsupported_codec"),
    (422, "damaged_wav"),
    (422, "empty_audio"),
}


@dataclass(frozen=True)
class Sample:
    """A file and its verdict.

    Attributes:
        expected: `convert`, `reject`, or `either`: a right MP3 or a clear refusal.
        seconds: how long it plays, if that is known.
        hertz: the pitch of its tone, if it is one.
        loud: whether its loudness follows from its peak, as a sine's does.
        title: what its title tag says.
    """

    name: str
    wav: bytes
    expected: str
    seconds: float | None = None
    hertz: float | None = None
    loud: bool = False
    title: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a sample: in words, why, and what is wrong with that, if anything."""

    got: str
    why: str
    wrong: str


def samples() -> Iterator[Sample]:
    """Those of `WAVEPOST_CORPUS`, or a few made here, so that no test passes by doing nothing."""
    verdicts = sound.CORPUS / "EXPECTED.tsv"
    if not verdicts.exists():
        yield from _made_here()
        return
    with verdicts.open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            checks = dict(check.partition("=")[::2] for check in row["check"].split(";"))
            yield Sample(
                row["file"],
                (sound.CORPUS / row["file"]).read_bytes(),
                row["expected"],
                float(row["secs"]) if row["secs"] else None,
                float(row["tone"]) if row["tone"] else None,
                "loud" in checks,
                checks.get("title"),
            )


def _made_here() -> Iterator[Sample]:
    tone = sound.wav(sound.tone(1, 22_050), 22_050)
    speech = sound.wav(sound.speech_like(2, 8_000), 8_000)
    yield Sample("tone", tone, "convert", 1, 440, loud=True)
    yield Sample("speech", speech, "convert", 2)
    yield Sample("cut", tone[:9_999], "either", hertz=440)
    yield Sample("text", b"no sound at all", "reject")


def outcome(sample: Sample, caller: Caller) -> Outcome:
    """Upload the sample, and listen to what can be downloaded then."""
    server, logged = caller.server, len(caller.server.log)
    started = time.monotonic()
    answer = caller.post(sample.wav)
    seconds = time.monotonic() - started
    got, why = f"{answer.status_code} {answer.json().get('code', '')}", ""
    if answer.status_code == CREATED:
        why = " ".join(found["code"] for found in answer.json()["receipt"]["warnings"])
    else:
        why = answer.json().get("detail", "")
    if seconds > MOST_SECONDS:
        return Outcome(got, why, f"took {seconds:.0f} s")
    if "converter child" in server.log[logged:]:
        return Outcome(got, why, "the converter did not foresee it, or was killed; see the log")
    if answer.status_code == CREATED:
        return Outcome(got, why, _what_is_wrong(sample, answer, server))
    if (answer.status_code, answer.json()["code"]) not in REFUSALS:
        return Outcome(got, why, "no answer that a caller should get")
    return Outcome(got, why, "refused" if sample.expected == "convert" else "")


def _what_is_wrong(sample: Sample, answer: httpx2.Response, server: Server) -> str:
    record = answer.json()
    receipt = record["receipt"]
    mp3 = server.client.get(record["url"]).content
    heard, rate = sound.decode(mp3)
    if sample.expected == "reject":
        return "converted"
    if len(heard) != receipt["mp3"]["samples"]:
        return f"{len(heard)} samples decode out of {receipt['mp3']['samples']}"
    if not np.isfinite(heard).all():
        return "not all that decodes is a number"
    if sample.title is not None and receipt["tags"].get("title") != sample.title:
        return f"its title is {sample.title}, not {receipt['tags'].get('title')}"
    if sample.expected == "convert" and sample.seconds is not None:
        least, most = sample.seconds - 0.002, sample.seconds + BLOCK_SECONDS
        if not least <= record["duration"] <= most:
            return f"{record['duration']} s instead of {sample.seconds}"
    return _loudness(sample, receipt, heard) or _pitch(sample, heard, rate)


def _loudness(sample: Sample, receipt: dict[str, object], heard: sound.Samples) -> str:
    """A sine's mean is 3.01 dB below its peak, which the receipt has from before the encoding.

    LAME takes 0.45 dB off (its scale of 0.95). Telephone codecs raise the peaks.
    """
    if not sample.loud:
        return ""
    source = receipt["source"]
    assert isinstance(source, dict)
    is_plain = source["codec"].startswith(("pcm_s", "pcm_f"))
    loudest = max(sound.loudness_db(channel) for channel in heard.T)
    assert isinstance(receipt["peak_dbfs"], float | int)
    off = loudest - (receipt["peak_dbfs"] - 3.01 - 0.45)
    return f"{off:.2f} dB too loud" if abs(off) > (0.15 if is_plain else 0.8) else ""


def _pitch(sample: Sample, heard: sound.Samples, rate: int) -> str:
    """The first channel has the tone; the next ones are a quarter, a half, … above it."""
    if sample.hertz is None:
        return ""
    pitches = [sound.pitch(channel, rate) for channel in heard.T]
    nearest = min(abs(found / sample.hertz * 4 % 1 - edge) for found in pitches for edge in (0, 1))
    is_right = nearest < 0.05 + 4 * rate / len(heard) / sample.hertz
    return "" if is_right else f"{pitches} Hz instead of {sample.hertz}"


def main() -> None:
    """Print the corpus as a table; the exit status says whether all is right."""
    if not sound.CORPUS.is_dir():
        sys.exit("Name the folder with the recordings: make corpus WAVEPOST_CORPUS=…")
    table, wrong = Table(Column("file", overflow="fold"), "expected", "got", "why"), 0
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder) / "log", data=folder) as server,
    ):
        caller = Caller(server)
        for sample in samples():
            found = outcome(sample, caller)
            wrong += bool(found.wrong)
            why = f"[red]WRONG: {found.wrong}[/red] {found.why}" if found.wrong else found.why
            table.add_row(sample.name, sample.expected, found.got, why)
    Console(width=WIDTH).print(table)
    print(f"{table.row_count} files, {wrong} not as expected")  # noqa: T201
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
