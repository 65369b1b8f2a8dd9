"""Whole processes, one after the other and in turns."""

import statistics
import subprocess
import sys
import time
import wave
from dataclasses import dataclass
from pathlib import Path

import lameenc

from bench.sounds import Sound

PIECE_BYTES = 64 * 1024


@dataclass(frozen=True)
class Cost:
    """What a run took: seconds on the wall, seconds of CPU, the largest resident bytes."""

    wall: float
    cpu: float
    peak: int


def median(costs: list[Cost]) -> Cost:
    """Each figure's median."""
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        round(statistics.median(cost.peak for cost in costs)),
    )


LAUNCHER = """
import os, sys, time
started = time.perf_counter()
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, status)
"""
"""A process begins with its parent's peak memory (Linux), so a small one has to start it."""


def run(command: list[str]) -> Cost:
    """Run `command`, which prints nothing, to its end. Raises RuntimeError where it fails."""
    launched = [sys.executable, "-S", "-E", "-c", LAUNCHER, *command]
    shown = subprocess.run(launched, capture_output=True, text=True, check=True).stdout
    wall, cpu, kib, status = map(float, shown.split())
    if status:
        raise RuntimeError(f"{command[0]} failed")
    return Cost(wall, cpu, round(kib) * 1024)


def converters(sound: Sound, folder: Path) -> dict[str, list[str]]:
    """The commands that make an MP3 of `sound`, by name; all at the same bitrate."""
    wav, kbps = str(sound.path), str(sound.kbps)
    return {
        "wavepost": [
            *(sys.executable, "-m", "wavepost", "convert", wav, str(folder / "wavepost.mp3")),
            *("--bitrate", kbps),
        ],
        "lame": ["lame", "--quiet", "-q", "5", "-b", kbps, wav, str(folder / "lame.mp3")],
        "ffmpeg": [
            *("ffmpeg", "-v", "error", "-y", "-i", wav, "-b:a", f"{kbps}k"),
            str(folder / "ffmpeg.mp3"),
        ],
    }


def in_turns(commands: dict[str, list[str]], runs: int) -> dict[str, Cost]:
    """Each command's median cost; A B C A B C …"""
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            costs[name].append(run(command))
    return {name: median(of_one) for name, of_one in costs.items()}


def serial_cpu(sound: Sound) -> float:
    """Seconds of CPU that lameenc alone takes for the sound, without reading or starting.

    Of a sound over a minute, a minute is encoded: it repeats itself.
    """
    lame = lameenc.Encoder()
    lame.silence()
    lame.set_channels(sound.channels)
    lame.set_in_sample_rate(sound.sample_rate)
    lame.set_out_sample_rate(sound.sample_rate)
    lame.set_quality(5)
    lame.set_bit_rate(sound.kbps)
    with wave.open(str(sound.path)) as wav:
        seconds = min(60, sound.seconds)
        samples = wav.readframes(seconds * sound.sample_rate)
    started = time.process_time()
    for at in range(0, len(samples), PIECE_BYTES):
        lame.encode(samples[at : at + PIECE_BYTES])
    lame.flush()
    return (time.process_time() - started) * sound.seconds / seconds
