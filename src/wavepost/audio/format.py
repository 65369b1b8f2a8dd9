"""The `fmt ` chunk: what the samples are (mmreg.h, RFC 2361)."""

import struct
from dataclasses import dataclass

from wavepost.errors import DamagedWav, UnsupportedCodec

MAX_CHANNELS = 32
MIN_SAMPLE_RATE = 1_000
MAX_SAMPLE_RATE = 768_000

MIN_FMT_BYTES = 16

PCM, FLOAT, EXTENSIBLE = 0x0001, 0x0003, 0xFFFE

# The tail of a KSDATAFORMAT_SUBTYPE GUID, whose first two bytes are a format tag (mmreg.h),
# and that of the ambisonic B-format subtypes, which reuse the tags.
SUBTYPE_TAILS = (
    bytes.fromhex("000000001000800000aa00389b71"),
    bytes.fromhex("00002107d3118644c8c1ca000000"),
)

MIN_BLOCK_BYTES = {0x0002: 7, 0x0011: 4}
"""What a block of MS and IMA ADPCM begins with, for each channel; only whole blocks decode."""

COMPANDED_TAGS = (0x0006, 0x0007)
"""A-law and mu-law: a byte a sample, whatever the header says."""


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

    @property
    def is_big_endian(self) -> bool:
        """Whether each sample's bytes are the other way round."""
        return self.container == "RIFX" and self.sample_bytes > 1


def read_format(body: bytes, container: str) -> WavFormat:
    """The format that a chunk's contents say.

    Raises:
        DamagedWav: too short, no channels, an impossible rate or size of blocks.
        UnsupportedCodec: a foreign subtype, too many channels, big-endian blocks.
    """
    if len(body) < MIN_FMT_BYTES:
        raise DamagedWav(
            f"The WAV's 'fmt ' chunk has {len(body)} bytes; at least {MIN_FMT_BYTES} are needed."
        )
    order = ">" if container == "RIFX" else "<"
    tag, channels, sample_rate, _, block_align, bits = struct.unpack(f"{order}HHIIHH", body[:16])
    extension, channel_mask = body[18:], 0
    if tag == EXTENSIBLE:
        tag = PCM
        if len(body) >= 40:
            valid_bits, channel_mask = struct.unpack(f"{order}HI", body[18:24])
            bits = bits or valid_bits
            tag, extension = _subtype(body[24:40], order), b""
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
    if block_align < channels * MIN_BLOCK_BYTES.get(tag, 0):
        raise DamagedWav(
            f"The WAV's header says that blocks have {block_align} bytes: too few for format tag "
            f"0x{tag:04X}."
        )
    if container == "RIFX" and tag not in (PCM, FLOAT, *COMPANDED_TAGS):
        raise UnsupportedCodec(
            f"Big-endian WAVs (RIFX) are taken with plain samples, not with format tag 0x{tag:04X}."
        )
    return WavFormat(
        container, tag, channels, sample_rate, block_align, bits, channel_mask, extension
    )


def _subtype(guid: bytes, order: str) -> int:
    if order == ">" and guid[2:] in SUBTYPE_TAILS:
        # SoX turns only the tag round.
        return int.from_bytes(guid[:2], "big")
    # Its first three fields are numbers, in the file's byte order.
    guid = struct.pack("<IHH", *struct.unpack(f"{order}IHH", guid[:8])) + guid[8:]
    if guid[2:] not in SUBTYPE_TAILS:
        raise UnsupportedCodec(
            f"The WAV's codec is the extensible subtype {guid.hex()}, which is not taken."
        )
    return int.from_bytes(guid[:2], "little")
