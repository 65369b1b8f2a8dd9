"""Decoded frames of any kind to what MP3 holds: 16 bits, one or two channels, one of nine rates."""

from collections.abc import Iterator

import av
import numpy as np
from av.audio.frame import AudioFrame

from wavepost.audio.container import WavFormat
from wavepost.audio.decoder import speakers
from wavepost.audio.meter import Meter, Samples

MP3_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)


def mp3_rate(sample_rate: int) -> int:
    """The nearest MP3 rate at or above `sample_rate` in Hz, or 48 kHz."""
    return next((rate for rate in MP3_RATES if rate >= sample_rate), MP3_RATES[-1])


class Mixer:
    """Meters, mixes down and resamples; gives interleaved 16-bit little-endian samples.

    More than two channels become stereo by libswresample's matrix (the coefficients of ITU-R
    BS.775: 0.7071 for centre and surrounds, none for LFE), scaled so that nothing can clip.
    Channels without speakers (more than 8 and no mask) become one, each with equal weight.
    """

    def __init__(self, wav_format: WavFormat, meter: Meter) -> None:
        self._has_speakers = speakers(wav_format) != 0
        self.channels = 2 if wav_format.channels > 1 and self._has_speakers else 1
        self.sample_rate = mp3_rate(wav_format.sample_rate)
        self._source_rate = wav_format.sample_rate
        self._taken = self._given = 0
        self._meter = meter
        self._to_double = av.AudioResampler(format="dbl")
        self._resampler = av.AudioResampler(
            format="s16", layout="mono" if self.channels == 1 else "stereo", rate=self.sample_rate
        )

    def mix(self, frame: AudioFrame) -> Iterator[bytes]:
        """What `frame` gives; some of its end may come with the next one."""
        if frame.format.name.startswith("s64"):
            # numpy's side of PyAV has no 64-bit integers; a double keeps 53 of the bits.
            (frame,) = self._to_double.resample(frame)
        samples = frame.to_ndarray()
        self._taken += frame.samples
        measured = self._meter.measure(samples)
        if not self._has_speakers:
            frame = _rebuilt(_to_one_channel(measured, frame), frame, "mono")
        elif measured is not samples:
            frame = _rebuilt(measured, frame, frame.layout.name)
        yield from self._resampled(frame)

    def resampled(self, samples: int) -> int:
        """How many samples a channel at the MP3's rate last as long as so many of the WAV's."""
        return -(-samples * self.sample_rate // self._source_rate)

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
