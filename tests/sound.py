"""Sound for the tests: made here, and listened to again."""

import io
import os
import struct
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]
"""Shape (samples, channels), full scale is 1."""

CORPUS = Path(os.environ.get("WAVEPOST_CORPUS", "no-corpus-here"))
"""Recordings that are not part of the project, with their verdicts in EXPECTED.tsv."""


def tone(
    seconds: float = 1.0,
    rate: int = 44_100,
    hertz: tuple[float, ...] = (440.0,),
    level: float = 0.5,
) -> Samples:
    """A sine for each channel, each of its own pitch."""
    time = np.arange(round(seconds * rate)) / rate
    return np.stack([level * np.sin(2 * np.pi * pitch * time) for pitch in hertz], axis=1)


def speech_like(seconds: float, rate: int, seed: int = 1) -> Samples:
    """Noise in syllables: four a second, band-limited, as uneven in loudness as speech."""
    noise = np.random.default_rng(seed).standard_normal(round(seconds * rate))
    smooth = np.convolve(noise, np.hanning(9) / 4, mode="same")
    time = np.arange(len(smooth)) / rate
    syllables = np.clip(np.sin(2 * np.pi * 4 * time), 0, None)
    return (0.2 * smooth * syllables).reshape(-1, 1)


def pcm_bytes(samples: Samples, bits: int) -> bytes:
    """Interleaved little-endian integers."""
    scale = 2 ** (bits - 1)
    scaled = np.clip(np.round(samples * scale), -scale, scale - 1).astype(np.int64)
    if bits == 8:
        return (scaled + 128).astype(np.uint8).tobytes()
    whole = scaled.astype("<i8").tobytes()
    width = bits // 8
    return b"".join(whole[at : at + width] for at in range(0, len(whole), 8))


def fmt_chunk(tag: int, channels: int, rate: int, bits: int, *, block_align: int = 0) -> bytes:
    """A plain `fmt ` chunk of 16 bytes, without its header."""
    block_align = block_align or channels * ((bits + 7) // 8)
    return struct.pack("<HHIIHH", tag, channels, rate, rate * block_align, block_align, bits)


def extensible_fmt(
    tag: int, channels: int, rate: int, bits: int, *, valid_bits: int, mask: int
) -> bytes:
    """A WAVE_FORMAT_EXTENSIBLE `fmt ` chunk."""
    guid = struct.pack("<H", tag) + bytes.fromhex("000000001000800000aa00389b71")
    extension = struct.pack("<HHI", 22, valid_bits, mask) + guid
    return fmt_chunk(0xFFFE, channels, rate, bits) + extension


def chunk(name: bytes, body: bytes, *, size: int | None = None) -> bytes:
    """A RIFF chunk, padded; `size` is what its header claims."""
    claimed = len(body) if size is None else size
    return struct.pack("<4sI", name, claimed) + body + b"\0" * (len(body) % 2)


def riff(*chunks: bytes, form: bytes = b"RIFF") -> bytes:
    """A WAV of these chunks."""
    body = b"WAVE" + b"".join(chunks)
    return struct.pack("<4sI", form, len(body)) + body


def wav(samples: Samples, rate: int = 44_100, bits: int = 16) -> bytes:
    """A plain PCM WAV."""
    fmt = fmt_chunk(1, samples.shape[1], rate, bits)
    return riff(chunk(b"fmt ", fmt), chunk(b"data", pcm_bytes(samples, bits)))


def float_wav(samples: Samples, rate: int, bits: int) -> bytes:
    """A WAV of floats, 32 or 64 bits."""
    fmt = fmt_chunk(3, samples.shape[1], rate, bits)
    return riff(chunk(b"fmt ", fmt), chunk(b"data", samples.astype(f"<f{bits // 8}").tobytes()))


def rifx(samples: Samples, rate: int, bits: int, tag: int = 1) -> bytes:
    """A big-endian WAV of integers, or with `tag` 3 of floats."""
    width = bits // 8
    little = pcm_bytes(samples, bits) if tag == 1 else samples.astype(f"<f{width}").tobytes()
    data = b"".join(little[at : at + width][::-1] for at in range(0, len(little), width))
    channels = samples.shape[1]
    align = channels * width
    fmt = struct.pack(">HHIIHH", tag, channels, rate, rate * align, align, bits)
    chunks = struct.pack(">4sI", b"fmt ", 16) + fmt + struct.pack(">4sI", b"data", len(data)) + data
    return struct.pack(">4sI4s", b"RIFX", 4 + len(chunks), b"WAVE") + chunks


W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")


def w64_chunk(name: bytes, body: bytes, *, size: int | None = None) -> bytes:
    """A Wave64 chunk, padded; `size` is that of the contents, as its header claims."""
    claimed = 24 + (len(body) if size is None else size)
    return name + W64_TAIL + struct.pack("<Q", claimed) + body + bytes(-len(body) % 8)


def w64(*chunks: bytes) -> bytes:
    """A Sony Wave64 of these chunks."""
    body = b"wave" + W64_TAIL + b"".join(chunks)
    head = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")
    return head + struct.pack("<Q", 24 + len(body)) + body


def decode(mp3: bytes) -> tuple[Samples, int]:
    """An MP3's samples, delay and padding cut off as players do, and its rate in Hz."""
    with av.open(io.BytesIO(mp3), mode="r", format="mp3") as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
        rate = container.streams.audio[0].rate
    assert rate is not None
    return np.concatenate(frames, axis=1).T.astype(np.float64), rate


def pitch(channel: npt.NDArray[np.float64], rate: int) -> float:
    """The loudest frequency in Hz."""
    spectrum = np.abs(np.fft.rfft(channel * np.hanning(len(channel))))
    return float(spectrum.argmax() * rate / len(channel))


def loudness_db(channel: npt.NDArray[np.float64]) -> float:
    """The root mean square against full scale in dB."""
    return float(20 * np.log10(np.sqrt(np.mean(channel**2)) + 1e-12))
