"""Sound that FFmpeg decodes, and mixes down or resamples where MP3 needs it."""

from collections.abc import Iterator

from wavepost.audio import warnings
from wavepost.audio.codecs import codec_of, unit_bytes
from wavepost.audio.container import Wav
from wavepost.audio.data import Data
from wavepost.audio.decoder import Decoder
from wavepost.audio.levels import Levels
from wavepost.audio.mixer import Mixer
from wavepost.audio.source import PIECE_BYTES, Source
from wavepost.audio.waveform import Waveform


class Decoded:
    """A `Sound` of any codec, channel count and rate that is taken."""

    def __init__(self, wav: Wav, source: Source) -> None:
        self.codec = codec_of(wav.format)
        self.levels = Levels()
        self._format = wav.format
        self._unit = unit_bytes(wav.format)
        self._data = Data(wav, source, self._unit or 1)
        self._decoder = Decoder(wav.format, self._data)
        self._mixer = Mixer(wav.format, self.levels)
        self.channels = self._mixer.channels
        self.sample_rate = self._mixer.sample_rate
        self.waveform = Waveform(self.sample_rate, self.channels)

    @property
    def samples(self) -> int:
        return self._decoder.samples

    @property
    def expected_samples(self) -> int | None:
        if self._data.size is None or self._unit is None:
            return None
        samples = self._data.size // self._unit
        return self._mixer.resampled(samples, self._format.sample_rate)

    @property
    def warnings(self) -> list[warnings.Entry]:
        return (
            self._decoder.warnings
            + self._data.warnings
            + self._mixer.warnings
            + self.levels.warnings
        )

    def pcm(self) -> Iterator[bytes]:
        for samples in self._mixed():
            self.waveform.add(samples)
            yield samples

    def _mixed(self) -> Iterator[bytes]:
        for frame in self._decoder.frames():
            yield from self._mixer.mix(frame)
        yield from self._mixer.finish()
        while self._data.read(PIECE_BYTES):
            pass  # FFmpeg may have seen the sound's end before its bytes'.
