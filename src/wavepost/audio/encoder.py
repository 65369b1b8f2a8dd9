"""16-bit samples to MP3 frames, by LAME through lameenc."""

from collections.abc import Iterator
from dataclasses import dataclass

import lameenc

from wavepost.audio import warnings
from wavepost.audio.frames import bitrates, constant_tally, frame_samples
from wavepost.audio.info import ENCODER, info_frame, lead_in
from wavepost.audio.segments import Segments

ALGORITHM_QUALITY = 5
"""LAME's -q: 5 takes 0.8 of the time of 3 (`lame`'s default) and 0.16 of that of 0."""

VBR_MTRH = 4
QUALITIES = range(10)

DEFAULT_KBPS = {
    8_000: (24, 40),
    11_025: (32, 48),
    12_000: (32, 48),
    16_000: (40, 64),
    22_050: (56, 96),
    24_000: (56, 96),
    32_000: (64, 112),
    44_100: (64, 128),
    48_000: (64, 128),
}
"""Sample rate to kbit/s of mono and stereo, where nothing else is asked for."""


@dataclass(frozen=True)
class Wanted:
    """What the uploader asked for: `bitrate` in kbit/s, or `quality` 0 to 9, or neither."""

    bitrate: int | None = None
    quality: int | None = None

    def __str__(self) -> str:
        if self.bitrate is not None:
            return f"CBR {self.bitrate}"
        return "as usual" if self.quality is None else f"VBR {self.quality}"


class Encoder:
    """One MP3 being written.

    Attributes:
        samples: how many a channel went in.
        warnings: where the MP3 differs from what was asked for.
    """

    def __init__(
        self,
        wanted: Wanted,
        *,
        sample_rate: int,
        channels: int,
        expected_samples: int | None,
        threads: int,
    ) -> None:
        """Nothing is encoded yet.

        Args:
            wanted: bitrate or quality.
            sample_rate: one of MP3's nine, in Hz.
            channels: 1 or 2.
            expected_samples: how many a channel will come, if that is known.
            threads: how many encode at once.
        """
        self.samples = 0
        self._expected_samples = expected_samples
        self.warnings: list[warnings.Entry] = []
        self._quality = wanted.quality
        self._sample_rate = sample_rate
        self._sample_bytes = 2 * channels
        self._constant_kbps = self._constant(wanted.bitrate, channels)
        self._start = bytes(self._sample_bytes * lead_in(sample_rate))
        one_frame = frame_samples(sample_rate)
        self._segments = Segments(
            lambda: self._lame(channels),
            frame_bytes=self._sample_bytes * one_frame,
            expected_frames=None if expected_samples is None else expected_samples // one_frame,
            threads=threads,
            variable=wanted.quality is not None,
        )

    def encode(self, samples: bytes) -> Iterator[bytes]:
        """Gives MP3 frames that are ready; `samples` are interleaved, 16 bits, little-endian."""
        self.samples += len(samples) // self._sample_bytes
        start, self._start = self._start, b""
        yield from self._segments.encode(start + samples)

    def finish(self) -> Iterator[bytes]:
        """Gives the rest of the frames."""
        yield from self._segments.finish()

    def close(self) -> None:
        """Let go of what is still being encoded."""
        self._segments.close()

    def head(self) -> bytes:
        """The frame that goes before all others, for what came out so far."""
        return info_frame(self._segments.tally, self.samples, self._quality)

    def expected_head(self) -> bytes | None:
        """What `head` will be after the expected samples; None where that can't be known.

        Known once a frame came out, at constant bitrate.
        """
        first, samples = self._segments.tally.first, self._expected_samples
        if first is None or samples is None or self._quality is not None:
            return None
        tally = constant_tally(first, samples + lead_in(self._sample_rate))
        return info_frame(tally, samples, None)

    @property
    def kbps(self) -> int:
        """The bitrate in kbit/s; at variable bitrate the mean, rounded."""
        if self._quality is None:
            return self._constant_kbps
        tally = self._segments.tally
        seconds = tally.frames * frame_samples(self._sample_rate) / self._sample_rate
        return round(tally.bytes * 8 / seconds / 1000)

    def receipt(self) -> dict[str, object]:
        """What the receipt says of the MP3, but for its hash."""
        return {
            "frames": self._segments.tally.frames,
            "samples": self.samples,
            "encoder": ENCODER.replace("LAME", "LAME "),
            "mode": f"CBR {self.kbps}" if self._quality is None else f"VBR {self._quality}",
        }

    def _constant(self, wanted: int | None, channels: int) -> int:
        if wanted is None:
            return DEFAULT_KBPS[self._sample_rate][channels - 1]
        nearest = min(bitrates(self._sample_rate), key=lambda kbps: abs(kbps - wanted))
        if nearest != wanted:
            self.warnings.append(warnings.bitrate_adjusted(wanted, self._sample_rate, nearest))
        return nearest

    def _lame(self, channels: int) -> lameenc.Encoder:
        lame = lameenc.Encoder()
        lame.silence()
        lame.set_channels(channels)
        lame.set_in_sample_rate(self._sample_rate)
        lame.set_out_sample_rate(self._sample_rate)
        lame.set_quality(ALGORITHM_QUALITY)
        if self._quality is None:
            lame.set_bit_rate(self._constant_kbps)
        else:
            lame.set_vbr(VBR_MTRH)
            lame.set_vbr_quality(self._quality)
        return lame
