"""Decoded frames of any kind to what MP3 holds: 16 bits, one or two channels, one of nine rates."""

from collections.abc import Iterator

import av
import numpy as np
from av.audio.frame import AudioFrame

from wavepost.audio import warnings
from wavepost.audio.decoder import speakers
from wavepost.audio.format import WavFormat
from wavepost.audio.levels import Levels
from wavepost.audio.meter import Samples, measured
from wavepost.audio.rates import mp3_rate


class Mixer:
    """Meters, mixes down and resamples; gives interleaved 16-bit little-endian samples.

    More than two channels become stereo by libswresample's matrix (the coefficients of ITU-R
    BS.775: 0.7071 for centre and surrounds, none for LFE), scaled so that nothing can clip.
    Channels without speakers (more than 8 and no mask) become one, each with equal weight.
    """

    def __init__(self, wav_format: WavFormat, levels: Levels) -> None:
        self._format = wav_format
        self._has_speakers = speakers(wav_format) != 0
        self.channels = 2 if wav_format.channels > 1 and self._has_speakers else 1
        self.sample_rate = mp3_rate(wav_format.sample_rate)
        self._taken = self._given = 0
        self._levels = levels
        self._to_double = av.AudioResampler(format="dbl")
        self._resampler = av.AudioResampler(
            format="s16", layout="mono" if self.channels == 1 else "stereo", rate=self.sample_rate
        )

    @property
    def warnings(self) -> list[warnings.Entry]:
        """What was done to the sound."""
        found = []
        if self._format.channels > 2:
            found.append(warnings.downmixed(self._format.channels, self.channels))
        if self.sample_rate != self._format.sample_rate:
            found.append(warnings.resampled(self._format.sample_rate, self.sample_rate))
        return found

    def mix(self, frame: AudioFrame) -> Iterator[bytes]:
        """What `frame` gives; some of its end may come with the next one."""
        if frame.format.name.startswith("s64"):
            # numpy's side of PyAV has no 64-bit integers; a double keeps 53 of the bits.
            (frame,) = self._to_double.resample(frame)
        samples = frame.to_ndarray()
        self._taken += frame.samples
        finite = measured(samples, self._levels)
        if not self._has_speakers:
            frame = _rebuilt(_to_one_channel(finite, frame), frame, "mono")
        elif finite is not samples:
            frame = _rebuilt(finite, frame, frame.layout.name)
        yield from self._resampled(frame)

    def resampled(self, samples: int) -> int:
        """How many samples a channel at the MP3's rate last as long as so many of the WAV's."""
        return -(-samples * self.sample_rate // self._format.sample_rate)

    def finish(self) -> Iterator[bytes]:
        """What the resampler still held, so that as much time comes out as went in."""
        yield from self._resampled(None)
        missing = self.resampled(self._taken) - self._given
        if missing > 0:
            # libswresample gives nothing at all for a sound shorter than its filter.
            yield bytes(2 * self.channels * missing)

    def _resampled(self, frame: AudioFrame | None) -> Iterator[bytes]:
        for resampled in self._resampler.resample(frame):
            self._given += resampled.samples
            yield resampled.to_ndarray().tobytes()


def _to_one_channel(samples: Samples, frame: AudioFrame) -> Samples:
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    mean: Samples = samples.mean(axis=0, keepdims=True, dtype=np.float64)
    return mean.astype(samples.dtype)


def _rebuilt(samples: Samples, like: AudioFrame, layout: str) -> AudioFrame:
    frame = AudioFrame.from_ndarray(
        np.ascontiguousarray(samples), format=like.format.name, layout=layout
    )
    frame.sample_rate = like.sample_rate
    frame.pts = like.pts
    frame.time_base = like.time_base
    return frame
