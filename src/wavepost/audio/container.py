"""RIFF chunks: what a WAV says of itself, and where its sound begins.

Reads `RIFF`, `RF64` and `BW64` (EBU Tech 3306, ITU-R BS.2088) forward only, so it works on a
pipe. Nothing here is believed further than it can be checked: sizes are hints, the end of
the bytes is a fact.
"""

import struct
from dataclasses import dataclass, field

from wavepost.audio.source import Source
from wavepost.errors import DamagedWav, EmptyAudio, NotAWav, UnsupportedCodec

MAX_FMT_BYTES = 64 * 1024
MAX_CHANNELS = 32
MIN_SAMPLE_RATE = 1_000
MAX_SAMPLE_RATE = 768_000

PCM, FLOAT, EXTENSIBLE = 0x0001, 0x0003, 0xFFFE

# The tail of a KSDATAFORMAT_SUBTYPE GUID, whose first two bytes are a format tag (mmreg.h),
# and that of the ambisonic B-format subtypes, which reuse the tags.
SUBTYPE_TAILS = (
    bytes.fromhex("000000001000800000aa00389b71"),
    bytes.fromhex("00002107d3118644c8c1ca000000"),
)

UNKNOWN_DATA_SIZES = range(0x7FFF_F000, 0x1_0000_0000)
"""What writers to a pipe put where the size of the data should be: they can't go back."""

LOOKS = (
    (b"\xff\xfb", "an MP3"),
    (b"\xff\xf3", "an MP3"),
    (b"ID3", "an MP3"),
    (b"\xff\xf1", "AAC"),
    (b"OggS", "an Ogg file"),
    (b"fLaC", "a FLAC"),
    (b"wvpk", "a WavPack file"),
    (b"#!AMR", "AMR"),
    (b".snd", "a Sun AU file"),
    (b"FORM", "an AIFF file"),
    (b"NIST_1A", "a NIST SPHERE file"),
    (b"riff\x2e\x91", "a Sony Wave64 file"),
    (b"\x1aE\xdf\xa3", "WebM or Matroska"),
    (b"\x30\x26\xb2\x75", "a WMA file"),
    (b"caff", "an Apple CAF file"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"#EXTM3U", "a playlist"),
    (b"<", "XML or HTML"),
    (b"{", "JSON"),
)


@dataclass(frozen=True)
class WavFormat:
    """The `fmt ` chunk, checked. `tag` is the codec's, also where EXTENSIBLE wraps it."""

    container: str
    tag: int
    channels: int
    sample_rate: int
    block_align: int
    bits: int
    channel_mask: int
    extension: bytes

    @property
    def sample_bytes(self) -> int:
        """The width of one sample's container in bytes, for the codecs that have one."""
        if self.block_align and self.block_align % self.channels == 0:
            return self.block_align // self.channels
        return (self.bits + 7) // 8


@dataclass(frozen=True)
class Wav:
    """A WAV opened at its first byte of sound. `data_size` is None where the end is unknown."""

    format: WavFormat
    data_size: int | None
    warnings: list[dict[str, str]] = field(default_factory=list)


def open_wav(source: Source) -> Wav:
    """Read up to the `data` chunk's contents.

    Raises:
        NotAWav: the bytes are something else.
        UnsupportedCodec: big-endian RIFX, a foreign subtype, too many channels.
        DamagedWav: no usable `fmt ` or no `data` chunk.
        EmptyAudio: a `data` chunk that is empty.
    """
    container = _read_form(source)
    wav_format: WavFormat | None = None
    size_of_data_64: int | None = None
    while len(header := source.read_exactly(8)) == 8:
        name, size = struct.unpack("<4sI", header)
        if name == b"data":
            if wav_format is None:
                raise DamagedWav("The WAV has no 'fmt ' chunk before its 'data' chunk.")
            return _at_data(source, wav_format, size, size_of_data_64)
        if name == b"ds64" and size >= 16:
            fields = source.read_exactly(16)
            if len(fields) == 16:
                size_of_data_64 = struct.unpack("<Q", fields[8:])[0]
            source.skip(size - 16)
        elif name == b"fmt " and wav_format is None:
            wav_format = _read_fmt(source, container, size)
        else:
            source.skip(size)
        _skip_pad(source, size)
    raise DamagedWav("The WAV ends before its 'data' chunk: no sound can be recovered from it.")


def _read_form(source: Source) -> str:
    form = source.read_exactly(12)
    if form[:4] in (b"RIFF", b"RF64", b"BW64") and form[8:] == b"WAVE":
        return {b"RF64": "RF64", b"BW64": "BW64"}.get(form[:4], "WAV")
    if form[:4] == b"RIFX" and form[8:] == b"WAVE":
        raise UnsupportedCodec(
            "This is a big-endian WAV (RIFX), which is not taken. Save it as a plain WAV (RIFF)."
        )
    if not form:
        raise NotAWav("The file is empty (0 bytes). Send a WAV file.")
    if b"WAVE".startswith(form[8:]) and b"RIFF".startswith(form[:4]):
        raise DamagedWav(f"The WAV ends after {len(form)} bytes, within its header.")
    raise NotAWav(f"This looks like {_describe(form, source)}. Send a WAV file.")


def _describe(form: bytes, source: Source) -> str:
    if form[:4] in (b"RIFF", b"RF64"):
        kind = form[8:].decode("ascii", "replace").strip()
        return f"a RIFF file of type {kind!r}, not WAVE"
    if form[4:8] == b"ftyp":
        return "an MP4 file"
    for start, what in LOOKS:
        if form.startswith(start):
            return what
    more = form + source.peek(500)
    return "text" if _is_text(more) else "something other than a WAV"


def _is_text(start: bytes) -> bool:
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return True
    return all(byte >= 0x20 or byte in b"\t\r\n\f\x1b" for byte in start) and (
        sum(byte < 0x7F for byte in start) > 0.7 * len(start)
    )


def _read_fmt(source: Source, container: str, size: int) -> WavFormat:
    if not 16 <= size <= MAX_FMT_BYTES:
        raise DamagedWav(f"The WAV's 'fmt ' chunk claims {size} bytes; at least 16 are needed.")
    body = source.read_exactly(size)
    if len(body) < size:
        raise DamagedWav("The WAV ends within its 'fmt ' chunk.")
    tag, channels, sample_rate, _, block_align, bits = struct.unpack("<HHIIHH", body[:16])
    extension, channel_mask = body[18:], 0
    if tag == EXTENSIBLE:
        tag = PCM
        if len(body) >= 40:
            valid_bits, channel_mask = struct.unpack("<HI", body[18:24])
            bits = bits or valid_bits
            tag, extension = _subtype(body[24:40]), b""
    if channels == 0:
        raise DamagedWav("The WAV's header says it has no channels.")
    if channels > MAX_CHANNELS:
        raise UnsupportedCodec(
            f"The WAV's header says {channels} channels (format tag 0x{tag:04X}); "
            f"up to {MAX_CHANNELS} are taken."
        )
    if not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
        raise DamagedWav(
            f"The WAV's header says {sample_rate} samples a second; "
            f"{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} are taken."
        )
    return WavFormat(
        container, tag, channels, sample_rate, block_align, bits, channel_mask, extension
    )


def _subtype(guid: bytes) -> int:
    if guid[2:] not in SUBTYPE_TAILS:
        raise UnsupportedCodec(
            f"The WAV's codec is the extensible subtype {guid.hex()}, which is not taken."
        )
    return int.from_bytes(guid[:2], "little")


def _skip_pad(source: Source, size: int) -> None:
    """Chunks are padded to even sizes with a zero (RIFF 1991).

    Some writers forget the byte and some put another there: what follows it decides.
    """
    if size % 2:
        ahead = source.peek(5)
        if ahead[:1] == b"\0" or ahead[1:] in (b"fmt ", b"data", b"LIST"):
            source.skip(1)


def _at_data(source: Source, wav_format: WavFormat, size: int, size_64: int | None) -> Wav:
    unknown = size == 0 or size in UNKNOWN_DATA_SIZES
    if wav_format.container != "WAV" and size_64:
        return Wav(wav_format, size_64)
    if not unknown:
        return Wav(wav_format, size)
    ahead = source.peek(8)
    if not ahead or (size == 0 and _is_chunk_header(ahead)):
        raise EmptyAudio("The WAV holds no samples. Check that the recorder wrote any sound.")
    warning = {
        "code": "data_size_missing",
        "detail": "The header does not say how long the sound is; all of it was converted.",
    }
    return Wav(wav_format, None, [warning])


def _is_chunk_header(ahead: bytes) -> bool:
    return len(ahead) == 8 and all(0x20 <= byte < 0x7F for byte in ahead[:4])
