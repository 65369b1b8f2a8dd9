"""Sound that is 16-bit samples already, or a table away from them: most WAVs there are.

LAME takes it as it is, so neither FFmpeg nor numpy is loaded for it: of a command's start, that
is two thirds.
"""

from collections.abc import Callable, Iterator

from wavepost.audio import pcm, warnings
from wavepost.audio.codecs import codec_of, unit_bytes
from wavepost.audio.container import Wav
from wavepost.audio.data import Data
from wavepost.audio.format import WavFormat
from wavepost.audio.levels import Levels
from wavepost.audio.rates import MP3_RATES
from wavepost.audio.source import PIECE_BYTES, Source
from wavepost.audio.waveform import Waveform

TO_16_BITS: dict[str, Callable[[bytes], bytes]] = {
    "pcm_s16le": bytes,
    "pcm_alaw": pcm.from_a_law,
    "pcm_mulaw": pcm.from_mu_law,
}


def is_plain(wav_format: WavFormat) -> bool:
    """Whether nothing has to be decoded by FFmpeg, mixed down or resampled."""
    return (
        codec_of(wav_format) in TO_16_BITS
        and wav_format.channels <= 2
        and wav_format.sample_rate in MP3_RATES
    )


class Plain:
    """A `Sound` that needs no decoder."""

    def __init__(self, wav: Wav, source: Source) -> None:
        self.codec = codec_of(wav.format)
        self.channels = wav.format.channels
        self.sample_rate = wav.format.sample_rate
        self.samples = 0
        self.levels = Levels()
        self.waveform = Waveform(self.sample_rate, self.channels)
        self._to_16_bits = TO_16_BITS[self.codec]
        self._unit = unit_bytes(wav.format) or 1
        self._data = Data(wav, source, self._unit)

    @property
    def expected_samples(self) -> int | None:
        return None if self._data.size is None else self._data.size // self._unit

    @property
    def warnings(self) -> list[warnings.Entry]:
        return self._data.warnings + self.levels.warnings

    def pcm(self) -> Iterator[bytes]:
        while data := self._data.read(PIECE_BYTES):
            samples = self._to_16_bits(data)
            self._measure(samples)
            self.samples += len(data) // self._unit
            yield samples

    def _measure(self, samples: bytes) -> None:
        lowest, highest = self.waveform.add(samples)
        self.levels.peak = max(self.levels.peak, lowest / pcm.LOWEST, highest / pcm.HIGHEST)
        if lowest == pcm.LOWEST or highest == pcm.HIGHEST:
            self.levels.clipped += _clipped(samples)


def _clipped(samples: bytes) -> int:
    # Only numpy counts fast, and only loud recordings need it.
    import numpy as np

    values = np.frombuffer(samples, "<i2")
    return int(np.count_nonzero((values == pcm.LOWEST) | (values == pcm.HIGHEST)))
