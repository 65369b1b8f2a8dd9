"""One WAV to one MP3, in a single pass and in pieces: memory does not grow with the recording."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from wavepost.audio import id3
from wavepost.audio.container import Wav
from wavepost.audio.encoder import Encoder, Wanted
from wavepost.audio.sound import open_sound
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
        self._wav = Wav(source)
        self._sound = open_sound(self._wav, source)
        self._encoder = Encoder(
            wanted,
            sample_rate=self._sound.sample_rate,
            channels=self._sound.channels,
            expected_samples=self._sound.expected_samples,
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
                    self._expected_head = id3.write(self._wav.tags.values) + head
                    self._digest = hashlib.sha256(self._expected_head)
                self._digest.update(piece)
                yield piece
        self._wav.read_rest()

    def head(self) -> bytes:
        """What goes before `frames`, known at their end: the tags, and the MP3's first frame."""
        return id3.write(self._wav.tags.values) + self._encoder.head()

    def waveform(self) -> bytes:
        """The sound's shape for drawing, known at the end of `frames`; see `Waveform.dat`."""
        return self._sound.waveform.dat()

    def facts(self) -> dict[str, Any]:
        """What is known at the end of `frames`.

        `duration` in seconds, `channels`, `sample_rate` in Hz and `bitrate` in kbit/s of the MP3,
        and the `receipt`. In that, the MP3's `sha256` is None where it could not be made on the
        way: at variable bitrate, and where what stands before the sound did not tell its true
        length or all of its tags.
        """
        wav_format = self._wav.format
        known = self.head() == self._expected_head
        receipt = {
            "source": {
                "format": wav_format.container,
                "codec": self._sound.codec,
                "channels": wav_format.channels,
                "sample_rate": wav_format.sample_rate,
                "bits": wav_format.bits,
                "bytes": self._source.bytes_received,
                "sha256": self._source.sha256,
                "samples": self._sound.samples,
            },
            "mp3": {
                **self._encoder.receipt(),
                "sha256": self._digest.hexdigest() if known else None,
            },
            "peak_dbfs": self._sound.levels.peak_dbfs,
            "clipped_samples": self._sound.levels.clipped,
            "tags": self._wav.tags.values,
            "warnings": self._wav.warnings + self._sound.warnings + self._encoder.warnings,
        }
        return {
            "duration": round(self._encoder.samples / self._sound.sample_rate, 6),
            "channels": self._sound.channels,
            "sample_rate": self._sound.sample_rate,
            "bitrate": self._encoder.kbps,
            "receipt": receipt,
        }

    def _encoded(self) -> Iterator[bytes]:
        most = self._max_seconds * self._sound.sample_rate
        for samples in self._sound.pcm():
            yield from self._encoder.encode(samples)
            if self._encoder.samples > most:
                raise TooLong(
                    f"Recordings of up to {self._max_seconds:g} seconds are taken; this is longer."
                )
        if self._sound.samples == 0:
            raise EmptyAudio("The WAV holds no samples. Check that the recorder wrote any sound.")
        yield from self._encoder.finish()
