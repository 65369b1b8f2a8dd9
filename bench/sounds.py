"""The WAVs that are measured: made here, so that anyone can have the same."""

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

PATTERN_SECONDS = 30
LENGTHS = {"5 s": 5, "60 s": 60, "10 min": 600, "60 min": 3600}

Samples = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sound:
    """A WAV on the disk, and the constant bitrate in kbit/s that everybody encodes it at."""

    path: Path
    kind: str
    length: str
    sample_rate: int
    channels: int
    kbps: int

    @property
    def seconds(self) -> int:
        """How long it plays."""
        return LENGTHS[self.length]

    @property
    def name(self) -> str:
        """For tables."""
        format_ = "44.1 kHz stereo" if self.channels == 2 else "8 kHz mono"
        return f"{self.length}, {self.kind}, {format_}"


def make(folder: Path, lengths: list[str]) -> list[Sound]:
    """Both kinds in every length, 16 bits, at 8 kHz mono and 44.1 kHz stereo.

    An hour of only one kind each: of speech as telephones have it, of music in stereo.
    """
    sounds = []
    for rate, channels, kbps in ((8_000, 1, 24), (44_100, 2, 128)):
        for kind, made_of in (("speech-like", _speech_like), ("music-like", _music_like)):
            pattern = _pcm(made_of(rate, channels))
            wanted = "speech-like" if channels == 1 else "music-like"
            for length in lengths:
                if length == "60 min" and kind != wanted:
                    continue
                path = folder / f"{length} {kind} {rate}.wav".replace(" ", "-")
                _write(path, pattern, rate, channels, LENGTHS[length])
                sounds.append(Sound(path, kind, length, rate, channels, kbps))
    return sounds


def _speech_like(rate: int, channels: int) -> Samples:
    """A voice's harmonics with a wandering pitch and hisses, in syllables and pauses."""
    rng = np.random.default_rng(1)
    time = np.arange(PATTERN_SECONDS * rate) / rate
    pitch = 120 + 30 * np.sin(2 * np.pi * 0.7 * time) + 10 * np.sin(2 * np.pi * 3.1 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    highest = int(min(rate / 2, 4_000) / 160)
    voice = sum(np.sin(number * phase) / number**1.2 for number in range(1, highest))
    hiss = np.diff(rng.standard_normal(len(time) + 1)) * (np.sin(2 * np.pi * 1.3 * time) > 0.8)
    syllables = np.clip(np.sin(2 * np.pi * 4 * time), 0, None) * (np.sin(time) > -0.7)
    mono = 0.12 * voice * syllables + 0.03 * hiss + 0.0005 * rng.standard_normal(len(time))
    return np.repeat(mono[:, None], channels, axis=1)


def _music_like(rate: int, channels: int) -> Samples:
    """Four plucked notes a second over one another, at places of their own, with drums."""
    rng = np.random.default_rng(2)
    samples = np.zeros((PATTERN_SECONDS * rate, channels))
    for begin in range(0, len(samples), rate // 4):
        time = np.arange(min(round(1.5 * rate), len(samples) - begin)) / rate
        pitch = 110 * 2 ** (rng.integers(36) / 12)
        harmonics = np.arange(1, min(12, int(rate / 2 / pitch)))[:, None]
        note = (np.sin(2 * np.pi * pitch * harmonics * time) / harmonics).sum(axis=0)
        note *= np.exp(-2.5 * time) * rng.uniform(0.05, 0.2)
        if rng.random() < 0.4:
            note += 0.2 * rng.standard_normal(len(time)) * np.exp(-40 * time)
        samples[begin : begin + len(time)] += note[:, None] * rng.uniform(0.3, 1, channels)
    return samples + 0.001 * rng.standard_normal(samples.shape)


def _pcm(samples: Samples) -> bytes:
    return np.round(32_767 * np.clip(samples, -1, 1)).astype("<i2").tobytes()


def _write(path: Path, pattern: bytes, rate: int, channels: int, seconds: float) -> None:
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(channels)
        wav.setsampwidth(2)
        wav.setframerate(rate)
        left = round(seconds * rate) * channels * 2
        while left > 0:
            wav.writeframes(pattern[:left])
            left -= len(pattern)


def write_stereo(path: Path, seconds: float) -> None:
    """Music at 44.1 kHz, 16 bits."""
    _write(path, _pcm(_music_like(44_100, 2)), 44_100, 2, seconds)
