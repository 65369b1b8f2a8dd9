"""A WAV's sound as frames of samples, decoded by FFmpeg through PyAV.

FFmpeg never sees the header that was sent: it gets one that is written here from checked
fields, with nothing but the sound behind it, and its format is named, not probed (a probe
would open playlists, which read files and call out).
"""

import struct
from collections.abc import Iterator

import av
import av.error
import av.logging
from av.audio.frame import AudioFrame
from av.container import InputContainer

from wavepost.audio import warnings
from wavepost.audio.codecs import BLOCK_CODECS, FFMPEG_G722_TAG
from wavepost.audio.data import Data
from wavepost.audio.format import EXTENSIBLE, FLOAT, PCM, SUBTYPE_TAILS, WavFormat
from wavepost.audio.source import PIECE_BYTES
from wavepost.errors import DamagedWav

FFMPEG_OPTIONS = {"max_size": str(PIECE_BYTES), "probesize": "32"}
"""Packets of 64 KiB, not of a tenth of a second: fewer steps through Python. And nothing is to be
guessed from the sound: our header says it all, and guessing takes 2 MB of it and 70 ms."""

UNKNOWN_SIZE = 0xFFFF_FFFF

PAD_BYTES = 1
"""What a chunk of odd size has behind it. Where its size is not known, as in GSM from SoX on a
pipe, the pad seems to be a block, of which nothing is lost."""

NO_SPEAKERS = 0
"""FFmpeg does not know them all; `mixer` does the mixing."""

# What goes wrong is told in our words.
av.logging.set_level(av.logging.PANIC)


class Decoder:
    """Decodes what `data` holds.

    Attributes:
        samples: how many samples a channel came out so far.
        warnings: what could not be decoded, complete once `frames` is exhausted.
    """

    def __init__(self, wav_format: WavFormat, data: Data) -> None:
        self.samples = 0
        self.warnings: list[warnings.Entry] = []
        self._stream = _CleanWav(clean_header(wav_format), data)

    def frames(self) -> Iterator[AudioFrame]:
        """The sound, a frame at a time. Raises DamagedWav where nothing can be decoded."""
        damaged = pads = 0
        with self._open() as container:
            stream = container.streams.audio[0]
            for packet in container.demux(stream):
                try:
                    decoded = packet.decode()
                except av.error.FFmpegError:
                    damaged += 1
                    pads += packet.size == PAD_BYTES
                    continue
                for frame in decoded:
                    self.samples += frame.samples
                    yield frame
        if damaged and not self.samples:
            raise DamagedWav("The WAV's sound can't be decoded: its data is damaged throughout.")
        if damaged > pads:
            self.warnings.append(warnings.data_damaged(damaged - pads))

    def _open(self) -> InputContainer:
        try:
            return av.open(self._stream, mode="r", format="wav", options=FFMPEG_OPTIONS)
        except av.error.FFmpegError as error:
            raise DamagedWav("The WAV's sound can't be decoded: its header is damaged.") from error


class _CleanWav:
    """What FFmpeg reads: a header of ours, then the sound and not a byte behind it."""

    def __init__(self, header: bytes, data: Data) -> None:
        self._header = header
        self._data = data

    def read(self, size: int) -> bytes:
        """PyAV's way in: up to `size` bytes, none at the end."""
        if self._header:
            piece, self._header = self._header[:size], self._header[size:]
            return piece
        return self._data.read(size)


def clean_header(wav_format: WavFormat) -> bytes:
    """A RIFF header for `wav_format`, up to the first byte of sound, of unknown length."""
    fmt = _pcm_fmt(wav_format) if wav_format.tag in (PCM, FLOAT) else _block_fmt(wav_format)
    return b"".join(
        (
            struct.pack("<4sI4s", b"RIFF", UNKNOWN_SIZE, b"WAVE"),
            struct.pack("<4sI", b"fmt ", len(fmt)) + fmt + b"\0" * (len(fmt) % 2),
            struct.pack("<4sI", b"data", UNKNOWN_SIZE),
        )
    )


def _pcm_fmt(wav_format: WavFormat) -> bytes:
    # The container's width goes in as the valid bits too: FFmpeg reads 24 valid bits in 32 as
    # 24-bit samples, which is noise; the unused low bits are zero by the standard (mmreg.h).
    bits = wav_format.sample_bytes * 8
    subtype = struct.pack("<H", wav_format.tag) + SUBTYPE_TAILS[0]
    return _fmt(wav_format, EXTENSIBLE, wav_format.sample_bytes * wav_format.channels, bits) + (
        struct.pack("<HHI", 22, bits, NO_SPEAKERS) + subtype
    )


def _block_fmt(wav_format: WavFormat) -> bytes:
    is_g722 = BLOCK_CODECS[wav_format.tag] == "adpcm_g722"
    tag = FFMPEG_G722_TAG if is_g722 else wav_format.tag
    extension = wav_format.extension
    return (
        _fmt(wav_format, tag, wav_format.block_align, wav_format.bits)
        + struct.pack("<H", len(extension))
        + extension
    )


def _fmt(wav_format: WavFormat, tag: int, block_align: int, bits: int) -> bytes:
    # FFmpeg takes the bits of a G.726 sample from this, not from the field that holds them.
    bits_a_second = wav_format.sample_rate * (wav_format.channels * bits or block_align * 8)
    return struct.pack(
        "<HHIIHH",
        tag,
        wav_format.channels,
        wav_format.sample_rate,
        min(bits_a_second // 8, UNKNOWN_SIZE),
        block_align,
        bits,
    )
