"""16-bit samples to MP3 frames, by LAME through lameenc."""

from dataclasses import dataclass

import lameenc

from wavepost.audio.frames import FrameWalker, bitrates
from wavepost.audio.info import ENCODER, info_frame, lead_in

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


class Encoder:
    """One MP3 being written.

    Attributes:
        samples: how many a channel went in.
        warnings: where the MP3 differs from what was asked for.
    """

    def __init__(self, sample_rate: int, channels: int, wanted: Wanted) -> None:
        """`sample_rate` is one of MP3's nine, `channels` 1 or 2."""
        self.samples = 0
        self.quality = wanted.quality
        self.warnings: list[dict[str, str]] = []
        self._channels = channels
        self._sample_rate = sample_rate
        self._walker = FrameWalker()
        self._lame = lameenc.Encoder()
        self._lame.silence()
        self._lame.set_channels(channels)
        self._lame.set_in_sample_rate(sample_rate)
        self._lame.set_out_sample_rate(sample_rate)
        self._lame.set_quality(ALGORITHM_QUALITY)
        if wanted.quality is None:
            self._lame.set_bit_rate(self._constant_kbps(wanted.bitrate))
        else:
            self._lame.set_vbr(VBR_MTRH)
            self._lame.set_vbr_quality(wanted.quality)
        self._start = bytes(2 * channels * lead_in(sample_rate))

    def encode(self, samples: bytes) -> bytes:
        """The MP3's next bytes, if any; `samples` are interleaved, 16 bits, little-endian."""
        self.samples += len(samples) // (2 * self._channels)
        start, self._start = self._start, b""
        return self._walked(bytes(self._lame.encode(start + samples)))

    def finish(self) -> bytes:
        """The MP3's last bytes."""
        return self._walked(bytes(self._lame.flush()))

    def head(self) -> bytes:
        """The frame that goes before all others; known once `finish` was called."""
        return info_frame(self._walker, self.samples, self.quality)

    @property
    def kbps(self) -> int:
        """The bitrate in kbit/s; at variable bitrate the mean, rounded."""
        assert self._walker.first is not None
        if self.quality is None:
            return self._walker.first.kbps
        seconds = self._walker.frames * self._walker.first.samples / self._sample_rate
        return round(self._walker.bytes * 8 / seconds / 1000)

    def receipt(self) -> dict[str, object]:
        """What the receipt says of the MP3, but for its hash."""
        return {
            "frames": self._walker.frames,
            "samples": self.samples,
            "encoder": ENCODER.replace("LAME", "LAME "),
            "mode": f"CBR {self.kbps}" if self.quality is None else f"VBR {self.quality}",
        }

    def _constant_kbps(self, wanted: int | None) -> int:
        if wanted is None:
            return DEFAULT_KBPS[self._sample_rate][self._channels - 1]
        nearest = min(bitrates(self._sample_rate), key=lambda kbps: abs(kbps - wanted))
        if nearest != wanted:
            detail = (
                f"{wanted} kbit/s is not possible at {self._sample_rate} Hz; {nearest} was used."
            )
            self.warnings.append({"code": "bitrate_adjusted", "detail": detail})
        return nearest

    def _walked(self, piece: bytes) -> bytes:
        self._walker.feed(piece)
        return piece
