"""A WAV's sound as frames of samples, decoded by FFmpeg through PyAV.

FFmpeg never sees the header that was sent: it gets one that is written here from checked
fields, with nothing but the sound behind it, and its format is named, not probed (a probe
would open playlists, which read files and call out).
"""

import struct
from collections.abc import Iterator

import av
import av.error
from av.audio.frame import AudioFrame
from av.container import InputContainer

from wavepost.audio.container import EXTENSIBLE, FLOAT, PCM, SUBTYPE_TAILS, Wav, WavFormat
from wavepost.audio.source import PIECE_BYTES, Source
from wavepost.errors import DamagedWav, UnsupportedCodec

INT_CODECS = {1: "pcm_u8", 2: "pcm_s16le", 3: "pcm_s24le", 4: "pcm_s32le", 8: "pcm_s64le"}
FLOAT_CODECS = {4: "pcm_f32le", 8: "pcm_f64le"}
BLOCK_CODECS = {
    0x0002: "adpcm_ms",
    0x0006: "pcm_alaw",
    0x0007: "pcm_mulaw",
    0x0011: "adpcm_ima_wav",
    0x0031: "gsm_ms",
    0x0045: "adpcm_g726",
    0x0055: "mp3",
    0x0065: "adpcm_g722",
    0x028F: "adpcm_g722",
}
"""Format tag (RFC 2361, mmreg.h) to FFmpeg's decoder, where the tag alone decides."""

FFMPEG_G722_TAG = 0x028F

CODECS = sorted({*INT_CODECS.values(), *FLOAT_CODECS.values(), *BLOCK_CODECS.values()})

SAMPLE_CODECS = {*INT_CODECS.values(), *FLOAT_CODECS.values(), "pcm_alaw", "pcm_mulaw"}
"""Those in which every sample has its own bytes."""

# Speakers for channel counts whose header names none: Microsoft's defaults (ksmedia.h).
DEFAULT_MASKS = {1: 0x4, 2: 0x3, 3: 0x7, 4: 0x33, 5: 0x37, 6: 0x3F, 7: 0x70F, 8: 0x63F}

FFMPEG_OPTIONS = {"max_size": str(PIECE_BYTES), "probesize": "32"}
"""Packets of 64 KiB, not of a tenth of a second: fewer steps through Python. And nothing is to be
guessed from the sound: our header says it all, and guessing takes 2 MB of it and 70 ms."""

UNKNOWN_SIZE = 0xFFFF_FFFF


class Decoder:
    """Decodes what `source` holds from the first byte of sound on.

    Attributes:
        wav_format: what the header says.
        codec: FFmpeg's name of the codec.
        samples: how many samples a channel came out so far.
        warnings: what was wrong with the WAV, complete once `frames` is exhausted.
    """

    def __init__(self, wav: Wav, source: Source) -> None:
        """Raises UnsupportedCodec, naming the format tag."""
        self.wav_format = wav.format
        self.codec = codec_of(wav.format)
        self.samples = 0
        self.warnings = list(wav.warnings)
        self._wav_data_size = wav.data_size
        self._stream = _CleanWav(wav, source, trim=self.codec.startswith("pcm_"))

    @property
    def declared_samples(self) -> int | None:
        """How many samples a channel the header promises, where that follows from its bytes."""
        if self._wav_data_size is None or self.codec not in SAMPLE_CODECS:
            return None
        return self._wav_data_size // (self.wav_format.channels * self.wav_format.sample_bytes)

    def frames(self) -> Iterator[AudioFrame]:
        """The sound, a frame at a time. Raises DamagedWav where nothing can be decoded."""
        damaged = 0
        with self._open() as container:
            stream = container.streams.audio[0]
            for packet in container.demux(stream):
                try:
                    decoded = packet.decode()
                except av.error.FFmpegError:
                    damaged += 1
                    continue
                for frame in decoded:
                    self.samples += frame.samples
                    yield frame
        if damaged and not self.samples:
            raise DamagedWav("The WAV's sound can't be decoded: its data is damaged throughout.")
        self._warn(damaged)

    def _open(self) -> InputContainer:
        try:
            return av.open(self._stream, mode="r", format="wav", options=FFMPEG_OPTIONS)
        except av.error.FFmpegError as error:
            raise DamagedWav("The WAV's sound can't be decoded: its header is damaged.") from error

    def _warn(self, damaged: int) -> None:
        if damaged:
            self._add("data_damaged", f"{damaged} pieces of the sound could not be decoded.")
        if self._stream.bytes_missing:
            self._add(
                "data_truncated",
                f"The sound ends {self._stream.bytes_missing} bytes before the header says; "
                "all there is was converted.",
            )
        if self._stream.bytes_dropped:
            self._add("partial_sample", "The sound ended within a sample, which was left out.")

    def _add(self, code: str, detail: str) -> None:
        self.warnings.append({"code": code, "detail": detail})


def codec_of(wav_format: WavFormat) -> str:
    """FFmpeg's name for the codec. Raises UnsupportedCodec for any that is not listed here."""
    if wav_format.tag == PCM:
        codec = INT_CODECS.get(wav_format.sample_bytes)
    elif wav_format.tag == FLOAT:
        codec = FLOAT_CODECS.get(wav_format.sample_bytes)
    else:
        codec = BLOCK_CODECS.get(wav_format.tag)
    if codec is None:
        raise UnsupportedCodec(
            f"The WAV's codec (format tag 0x{wav_format.tag:04X}, {wav_format.bits} bits) is not "
            "taken. GET /limits lists those that are; plain PCM always works."
        )
    return codec


class _CleanWav:
    """What FFmpeg reads: a header of ours, then the sound and not a byte behind it."""

    def __init__(self, wav: Wav, source: Source, *, trim: bool) -> None:
        self.bytes_missing = 0
        self.bytes_dropped = 0
        self._source = source
        self._left = wav.data_size
        self._pending = clean_header(wav.format)
        self._unit = wav.format.channels * wav.format.sample_bytes if trim else 1
        self._remainder = b""

    def read(self, size: int) -> bytes:
        """PyAV's way in: up to `size` bytes, none at the end."""
        if self._pending:
            piece, self._pending = self._pending[:size], self._pending[size:]
            return piece
        whole = b""
        while not whole:
            piece = self._read_data(size - len(self._remainder))
            if not piece:
                self.bytes_dropped = len(self._remainder)
                return b""
            piece = self._remainder + piece
            end = len(piece) - len(piece) % self._unit
            whole, self._remainder = piece[:end], piece[end:]
        return whole

    def _read_data(self, size: int) -> bytes:
        if self._left is None:
            return self._source.read(size)
        piece = self._source.read(min(size, self._left)) if self._left else b""
        self._left -= len(piece)
        if not piece:
            self.bytes_missing = self._left
        return piece


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
        struct.pack("<HHI", 22, bits, speakers(wav_format)) + subtype
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


def speakers(wav_format: WavFormat) -> int:
    """The channel mask: the header's where it names as many speakers as there are channels."""
    if wav_format.channels > 2 and wav_format.channel_mask.bit_count() == wav_format.channels:
        return wav_format.channel_mask
    return DEFAULT_MASKS.get(wav_format.channels, 0)
