"""Decoded frames of any kind to what MP3 holds: 16 bits, one or two channels, one of nine rates."""

from collections import Counter
from collections.abc import Iterator

import av
import numpy as np
from av.audio.frame import AudioFrame

from wavepost.audio import warnings
from wavepost.audio.format import WavFormat
from wavepost.audio.levels import Levels
from wavepost.audio.meter import Samples, measured
from wavepost.audio.rates import mp3_rate
from wavepost.audio.speakers import shares

LAYOUTS = {1: "mono", 2: "stereo"}


class Mixer:
    """Meters, mixes down and resamples; gives interleaved 16-bit little-endian samples."""

    def __init__(self, wav_format: WavFormat, levels: Levels) -> None:
        self._format = wav_format
        self._shares = np.array(shares(wav_format)) if wav_format.channels > 2 else None
        self.channels = wav_format.channels if self._shares is None else len(self._shares)
        self.sample_rate = mp3_rate(wav_format.sample_rate)
        self._taken = Counter[int]()
        self._given = 0
        self._levels = levels
        self._to_double = av.AudioResampler(format="dbl")
        self._kind: tuple[str, int, int] | None = None
        self._resampler = self._new_resampler()
        self._is_other_than_said = False

    @property
    def warnings(self) -> list[warnings.Entry]:
        """What was done to the sound."""
        found = []
        if self._is_other_than_said:
            found.append(warnings.header_wrong())
        if self._format.channels > 2:
            found.append(warnings.downmixed(self._format.channels, self.channels))
        if self.sample_rate != self._format.sample_rate:
            found.append(warnings.resampled(self._format.sample_rate, self.sample_rate))
        return found

    def mix(self, frame: AudioFrame) -> Iterator[bytes]:
        """What `frame` gives; some of its end may come with the next one."""
        yield from self._adapt_to(frame)
        self._taken[frame.sample_rate] += frame.samples
        if frame.format.name.startswith("s64"):
            # numpy's side of PyAV has no 64-bit integers; a double keeps 53 of the bits.
            (frame,) = self._to_double.resample(frame)
        samples = frame.to_ndarray()
        finite = measured(samples, self._levels)
        if self._shares is not None and frame.layout.nb_channels == self._format.channels:
            frame = _rebuilt(_mixed(finite, frame, self._shares), frame, LAYOUTS[self.channels])
        elif finite is not samples:
            frame = _rebuilt(finite, frame, frame.layout.name)
        yield from self._resampled(frame)

    def resampled(self, samples: int, sample_rate: int) -> int:
        """How many samples a channel at the MP3's rate last as long as so many at `sample_rate`."""
        return -(-samples * self.sample_rate // sample_rate)

    def finish(self) -> Iterator[bytes]:
        """What the resampler still held, so that as much time comes out as went in."""
        yield from self._resampled(None)
        due = sum(self.resampled(samples, rate) for rate, samples in self._taken.items())
        missing = due - self._given
        if missing > 0:
            # libswresample gives nothing at all for a sound shorter than its filter.
            yield bytes(2 * self.channels * missing)

    def _adapt_to(self, frame: AudioFrame) -> Iterator[bytes]:
        """An MP3 in a WAV may be of another kind than the header says, and even change it."""
        kind = (frame.format.name, frame.layout.nb_channels, frame.sample_rate)
        if kind == self._kind:
            return
        said = (self._format.channels, self._format.sample_rate)
        self._is_other_than_said |= kind[1:] != said
        if self._kind is not None:
            yield from self._resampled(None)
            self._resampler = self._new_resampler()
        self._kind = kind

    def _new_resampler(self) -> av.AudioResampler:
        return av.AudioResampler(format="s16", layout=LAYOUTS[self.channels], rate=self.sample_rate)

    def _resampled(self, frame: AudioFrame | None) -> Iterator[bytes]:
        for resampled in self._resampler.resample(frame):
            self._given += resampled.samples
            yield resampled.to_ndarray().tobytes()


def _mixed(samples: Samples, frame: AudioFrame, channel_shares: Samples) -> Samples:
    """As the frame's samples are laid out: a row for each channel, or all in one."""
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    middle = 128 if samples.dtype == np.uint8 else 0
    mixed = channel_shares @ (samples.astype(np.float64) - middle) + middle
    if samples.dtype.kind != "f":
        mixed = np.rint(mixed)
    if not frame.format.is_planar:
        mixed = mixed.T.reshape(1, -1)
    return mixed.astype(samples.dtype)


def _rebuilt(samples: Samples, like: AudioFrame, layout: str) -> AudioFrame:
    frame = AudioFrame.from_ndarray(
        np.ascontiguousarray(samples), format=like.format.name, layout=layout
    )
    frame.sample_rate = like.sample_rate
    frame.pts = like.pts
    frame.time_base = like.time_base
    return frame
