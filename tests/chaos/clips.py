"""The sound that is sent: a few clips, of which no two uploads have the same bytes."""

from dataclasses import dataclass

from tests import sound

HEADER_BYTES = 44
LOUDNESS_TOLERANCE_DB = 1.0
LAME_DB = -0.45


@dataclass(frozen=True)
class Clip:
    """A WAV, and what should be heard of it: so many samples, so loud (dB, each channel)."""

    name: str
    wav: bytes
    rate: int
    samples: int
    loudness: tuple[float, ...]

    def turned(self, turn: int) -> bytes:
        """The WAV with its first `turn` samples at its end: as long, as loud, another recording."""
        at = HEADER_BYTES + turn * 2 * len(self.loudness)
        return self.wav[:HEADER_BYTES] + self.wav[at:] + self.wav[HEADER_BYTES:at]

    def what_is_wrong(self, mp3: bytes) -> str:
        """How what decodes out of the MP3 is not this clip; empty where it is."""
        heard, rate = sound.decode(mp3)
        if (len(heard), rate) != (self.samples, self.rate):
            return f"{len(heard)} samples at {rate} Hz instead of {self.samples} at {self.rate}"
        for channel, sent in zip(heard.T, self.loudness, strict=True):
            if abs(sound.loudness_db(channel) - sent - LAME_DB) > LOUDNESS_TOLERANCE_DB:
                return f"{sound.loudness_db(channel):.1f} dB instead of {sent:.1f}"
        return ""


def _clip(name: str, samples: sound.Samples, rate: int) -> Clip:
    loudness = tuple(sound.loudness_db(channel) for channel in samples.T)
    return Clip(name, sound.wav(samples, rate), rate, len(samples), loudness)


SHORT = (
    _clip("beep", sound.tone(0.3, 8_000), 8_000),
    _clip("word", sound.speech_like(2, 16_000), 16_000),
    _clip("chord", sound.tone(3, 44_100, (440.0, 550.0)), 44_100),
)
LONG = _clip("talk", sound.speech_like(25, 44_100), 44_100)
"""2.2 MB, which at 320 kbit/s become three full chunks and a part of one."""

LONG_BITRATE = 320
