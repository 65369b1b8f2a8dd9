"""One WAV to one MP3, in a single pass and in pieces: memory does not grow with the recording."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from wavepost.audio.container import open_wav
from wavepost.audio.decoder import Decoder
from wavepost.audio.encoder import Encoder, Wanted
from wavepost.audio.meter import Meter
from wavepost.audio.mixer import Mixer
from wavepost.audio.source import Source
from wavepost.errors import EmptyAudio, TooLong


class Conversion:
    """A WAV on its way to an MP3."""

    def __init__(
        self, source: Source, wanted: Wanted, *, max_seconds: float, threads: int = 1
    ) -> None:
        """Read the WAV's header. Raises WavError where it says that nothing can come of it.

        Args:
            source: the WAV, read up to its end by `frames`.
            wanted: bitrate or quality.
            max_seconds: the longest recording that is taken.
            threads: how many encode at once, beside the caller's, which does all the rest.
        """
        self._source = source
        self._wav = open_wav(source)
        self._decoder = Decoder(self._wav, source)
        self._meter = Meter()
        self._mixer = Mixer(self._wav.format, self._meter)
        declared = self._decoder.declared_samples
        self._encoder = Encoder(
            wanted,
            sample_rate=self._mixer.sample_rate,
            channels=self._mixer.channels,
            expected_samples=None if declared is None else self._mixer.resampled(declared),
            threads=threads,
        )
        self._max_seconds = max_seconds
        self._expected_head: bytes | None = None
        self._digest = hashlib.sha256()

    def frames(self) -> Iterator[bytes]:
        """All frames of the MP3 but the first, in order, as they are made.

        Raises WavError: what came before is then worth nothing.
        """
        with closing(self._encoder):
            for piece in self._encoded():
                if not self._expected_head and (head := self._encoder.expected_head()):
                    self._expected_head = head
                    self._digest = hashlib.sha256(head)
                self._digest.update(piece)
                yield piece
        self._source.drain()

    def head(self) -> bytes:
        """The MP3's first frame: right at the end of `frames`, of the right size after one."""
        return self._encoder.head()

    def facts(self) -> dict[str, Any]:
        """What is known at the end of `frames`.

        `duration` in seconds, `channels`, `sample_rate` in Hz and `bitrate` in kbit/s of the MP3,
        and the `receipt`. In that, the MP3's `sha256` is None where it could not be made on the
        way: at variable bitrate, and where the WAV's header did not tell its true length.
        """
        wav_format = self._wav.format
        known = self.head() == self._expected_head
        receipt = {
            "source": {
                "format": wav_format.container,
                "codec": self._decoder.codec,
                "channels": wav_format.channels,
                "sample_rate": wav_format.sample_rate,
                "bits": wav_format.bits,
                "bytes": self._source.bytes_received,
                "sha256": self._source.sha256,
                "samples": self._decoder.samples,
            },
            "mp3": {
                **self._encoder.receipt(),
                "sha256": self._digest.hexdigest() if known else None,
            },
            "peak_dbfs": self._meter.peak_dbfs,
            "clipped_samples": self._meter.clipped,
            "tags": {},
            "warnings": self._warnings(),
        }
        return {
            "duration": round(self._decoder.samples / wav_format.sample_rate, 6),
            "channels": self._mixer.channels,
            "sample_rate": self._mixer.sample_rate,
            "bitrate": self._encoder.kbps,
            "receipt": receipt,
        }

    def _encoded(self) -> Iterator[bytes]:
        most = self._max_seconds * self._wav.format.sample_rate
        for frame in self._decoder.frames():
            if self._decoder.samples > most:
                raise TooLong(
                    f"Recordings of up to {self._max_seconds:g} seconds are taken; this is longer."
                )
            for samples in self._mixer.mix(frame):
                yield from self._encoder.encode(samples)
        if self._decoder.samples == 0:
            raise EmptyAudio("The WAV holds no samples. Check that the recorder wrote any sound.")
        for samples in self._mixer.finish():
            yield from self._encoder.encode(samples)
        yield from self._encoder.finish()

    def _warnings(self) -> list[dict[str, str]]:
        warnings = self._decoder.warnings + self._encoder.warnings
        channels, rate = self._wav.format.channels, self._wav.format.sample_rate
        if channels > 2:
            detail = f"mixed down to {self._mixer.channels}: MP3 holds at most two."
            warnings.append({"code": "downmixed", "detail": f"{channels} channels were {detail}"})
        if self._mixer.sample_rate != rate:
            detail = f"the sound was resampled to {self._mixer.sample_rate} Hz."
            warnings.append({"code": "resampled", "detail": f"MP3 has no {rate} Hz; {detail}"})
        if self._meter.not_finite:
            detail = (
                f"{self._meter.not_finite} samples were NaN or infinite; they were made silent."
            )
            warnings.append({"code": "not_finite", "detail": detail})
        return warnings
