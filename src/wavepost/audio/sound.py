"""A WAV's sound as what LAME takes: 16 bits, one or two channels, one of MP3's rates."""

from collections.abc import Iterator
from typing import Protocol

from wavepost.audio import warnings
from wavepost.audio.container import Wav
from wavepost.audio.levels import Levels
from wavepost.audio.plain import Plain, is_plain
from wavepost.audio.source import Source
from wavepost.audio.waveform import Waveform


class Sound(Protocol):
    """The sound of one WAV, to be read once.

    Attributes:
        codec: FFmpeg's name of the WAV's codec.
        channels: 1 or 2, of what `pcm` gives.
        sample_rate: one of MP3's nine in Hz, of what `pcm` gives.
        levels: peak and clipping of those.
        waveform: the shape of what `pcm` gave.
    """

    codec: str
    channels: int
    sample_rate: int
    levels: Levels
    waveform: Waveform

    @property
    def samples(self) -> int:
        """How many a channel were decoded so far, at the WAV's own rate."""

    @property
    def expected_samples(self) -> int | None:
        """How many a channel `pcm` will give if the header is right; None where it can't tell."""

    @property
    def warnings(self) -> list[warnings.Entry]:
        """What was wrong with the sound or done to it, complete once `pcm` is exhausted."""

    def pcm(self) -> Iterator[bytes]:
        """Interleaved little-endian samples. Raises DamagedWav where none can be decoded."""


def open_sound(wav: Wav, source: Source) -> Sound:
    """The sound that `source` has from here on. Raises UnsupportedCodec, naming the format tag."""
    if is_plain(wav.format):
        return Plain(wav, source)
    from wavepost.audio.decoded import Decoded

    return Decoded(wav, source)
