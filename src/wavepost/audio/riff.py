"""The chunks of a RIFF file and its kin, forward only, so that a pipe will do.

`RIFF` (Microsoft and IBM, 1991), its big-endian twin `RIFX`, `RF64` and `BW64` for more than
4 GB (EBU Tech 3306, ITU-R BS.2088), and Sony's Wave64, whose names are GUIDs and whose sizes
have 64 bits. Sizes are hints, the end of the bytes is a fact.
"""

import re
import struct
from dataclasses import dataclass

from wavepost.audio import id3
from wavepost.audio.looks import describe
from wavepost.audio.source import Source
from wavepost.errors import DamagedWav, NotAWav

CONTAINERS = {b"RIFF": "WAV", b"RIFX": "RIFX", b"RF64": "RF64", b"BW64": "BW64"}

FORMATS = (*CONTAINERS.values(), "W64")

W64_RIFF = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")
W64_WAVE = b"wave" + bytes.fromhex("f3acd3118cd100c04f8edb8a")
W64_HEADER_BYTES = 24
"""A GUID, whose first four bytes are a RIFF name, and a size that counts these 24 too."""

MAX_TAG_BYTES = 256 * 1024
"""Of a chunk or a header with tags, so much is read: pictures may be behind them."""

_NAME = re.compile(rb"[A-Za-z0-9_ ]{4}")
_USUAL = (b"fmt ", b"data", b"LIST", b"fact", b"bext", b"id3 ", b"cue ", b"JUNK")
_MOST_BYTES_AFTER_SOUND = 1 << 30


@dataclass(frozen=True)
class Chunk:
    """A chunk whose header was read. `size` is what it claims, in bytes."""

    name: bytes
    size: int


class Riff:
    """A file opened behind its first header.

    Attributes:
        container: `WAV`, `RIFX`, `RF64`, `BW64` or `W64`.
        id3: ID3v2 tags that stood before all, where no WAV should have any.
    """

    def __init__(self, source: Source) -> None:
        """Raises NotAWav where the bytes are something else, DamagedWav where they end too soon."""
        self._source = source
        self.id3: list[bytes] = []
        while tag := _leading_id3(source):
            self.id3.append(tag)
        start = source.peek(40)
        if start[:16] == W64_RIFF and start[24:40] == W64_WAVE:
            self.container = "W64"
            source.skip(40)
        elif start[:4] in CONTAINERS and start[8:12] == b"WAVE":
            self.container = CONTAINERS[start[:4]]
            source.skip(12)
        else:
            raise _not_a_wav(source, start, has_id3=bool(self.id3))

    @property
    def byte_order(self) -> str:
        """Of all numbers in it, as `struct` has it."""
        return ">" if self.container == "RIFX" else "<"

    def next_chunk(self) -> Chunk | None:
        """The next chunk, to be read or skipped, and ended; None at the end of the bytes."""
        if self.container == "W64":
            header = self._source.read_exactly(W64_HEADER_BYTES)
            if len(header) < W64_HEADER_BYTES:
                return None
            (size,) = struct.unpack("<Q", header[16:])
            # Sony's GUID of a list begins with small letters.
            name = b"LIST" if header[:4] == b"list" else header[:4]
            return Chunk(name, max(size - W64_HEADER_BYTES, 0))
        header = self._source.read_exactly(8)
        if len(header) < 8:
            return None
        name, size = struct.unpack(f"{self.byte_order}4sI", header)
        return Chunk(name, size)

    def end_chunk(self, chunk: Chunk) -> bool:
        """Pass over what pads `chunk`, all of whose bytes were read; whether a pad was missing.

        RIFF pads to even sizes with a zero. Some writers forget the byte and some put another
        there: what follows it decides.
        """
        pad = self._pad(chunk)
        if self.container == "W64":
            self._source.skip(pad)
        elif pad and (ahead := self._source.peek(1 + 8)):
            if self._begins(ahead) and ahead[1:5] not in _USUAL:
                return True
            if ahead[0] == 0 or self._begins(ahead[1:]):
                self._source.skip(1)
        return False

    def chunk_follows(self, after: Chunk | None = None) -> bool:
        """Whether the next bytes can be a chunk's header, with or without a pad for `after`."""
        pad = self._pad(after) if after else 0
        ahead = self._source.peek(pad + W64_HEADER_BYTES)
        return self._begins(ahead[pad:]) or self._begins(ahead)

    def _pad(self, chunk: Chunk) -> int:
        return -chunk.size % (8 if self.container == "W64" else 2)

    def _begins(self, header: bytes) -> bool:
        if len(header) < 8 or not _NAME.match(header) or header[:4] in CONTAINERS:
            return False
        if self.container == "W64":
            is_guid = header[10:16] == W64_WAVE[10:] or header[4:16] == W64_RIFF[4:]
            size = int.from_bytes(header[16:24], "little")
            return is_guid and size <= _MOST_BYTES_AFTER_SOUND and header[:16] != W64_RIFF
        if header[:4] == b"data":
            return True
        (size,) = struct.unpack(f"{self.byte_order}I", header[4:8])
        return bool(size <= _MOST_BYTES_AFTER_SOUND)


def _leading_id3(source: Source) -> bytes:
    """Some taggers put an MP3's tag before a WAV (id3.org, ID3v2.4 structure, 3.1)."""
    header = source.peek(id3.HEADER_BYTES)
    if len(header) < id3.HEADER_BYTES or header[:3] != b"ID3" or max(header[6:10]) > 0x7F:
        return b""
    size = id3.HEADER_BYTES + id3.syncsafe(header[6:10])
    if header[5] & id3.HAS_FOOTER:
        size += id3.HEADER_BYTES
    tag = source.read_exactly(min(size, MAX_TAG_BYTES))
    source.skip(size - len(tag))
    return tag


def _not_a_wav(source: Source, start: bytes, *, has_id3: bool) -> NotAWav | DamagedWav:
    if has_id3:
        return NotAWav("This looks like an MP3. Send a WAV file.")
    if not start:
        return NotAWav("The file is empty (0 bytes). Send a WAV file.")
    if len(start) < 12 and b"WAVE".startswith(start[8:]) and b"RIFF".startswith(start[:4]):
        return DamagedWav(f"The WAV ends after {len(start)} bytes, within its header.")
    return NotAWav(f"This looks like {describe(source.peek(512))}. Send a WAV file.")
