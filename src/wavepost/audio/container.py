"""What a WAV says of itself, and where its sound begins and ends.

Nothing here is believed further than it can be checked.
"""

import struct

from wavepost.audio import warnings
from wavepost.audio.format import WavFormat, read_format
from wavepost.audio.riff import MAX_TAG_BYTES, Chunk, Riff
from wavepost.audio.source import Source
from wavepost.audio.tags import TAG_CHUNKS, Tags
from wavepost.errors import DamagedWav, EmptyAudio

MAX_FMT_BYTES = 64 * 1024
LEAST_UNKNOWN_SIZE = 0x7FFF_F000
"""From here on, a size of the data is what writers to a pipe put there: they can't go back. SoX
rounds this one down to whole blocks: for 24 bits or GSM it is a little less."""

MOST_DATA_BYTES = 1 << 62
"""No size beyond this is meant."""

RUNS_ON_BYTES = 4096
"""So much behind the stated end, and no chunk, is taken for more of the sound."""


class Wav:
    """A WAV opened at its first byte of sound.

    Attributes:
        format: the `fmt ` chunk, checked.
        data_size: the sound's bytes, as the header has it; None where it does not say.
        warnings: what was wrong with the header, and after `read_rest` with what follows the sound.
        tags: what the chunks before the sound say, and after `read_rest` those behind it too.
    """

    def __init__(self, source: Source) -> None:
        """Read up to the `data` chunk's contents.

        Raises:
            NotAWav: the bytes are something else.
            UnsupportedCodec: a foreign subtype, too many channels.
            DamagedWav: no usable `fmt ` or no `data` chunk.
            EmptyAudio: a `data` chunk that is empty.
        """
        self._source = source
        self._riff = Riff(source)
        self.warnings: list[warnings.Entry] = []
        self.tags = Tags()
        for tag in self._riff.id3:
            self.tags.read_id3(tag)
        self._size_64: int | None = None
        found: WavFormat | None = None
        while (chunk := self._riff.next_chunk()) and chunk.name != b"data":
            if chunk.name == b"fmt " and found is None:
                found = read_format(self._body(chunk, MAX_FMT_BYTES), self._riff.container)
            else:
                self._read_other(chunk)
            self._end(chunk)
        if chunk is None:
            raise DamagedWav(
                "The WAV ends before its 'data' chunk: no sound can be recovered from it."
            )
        if found is None:
            raise DamagedWav("The WAV has no 'fmt ' chunk before its 'data' chunk.")
        self.format = found
        self.data_size = self._size_of_data(chunk)
        self._data = Chunk(b"data", self.data_size or 0)

    def runs_on(self) -> bool:
        """At the stated end of the sound: whether what follows must be more of it.

        A recorder that died may have written its last size long before.
        """
        if self._riff.chunk_follows(self._data):
            return False
        ahead = self._source.peek(RUNS_ON_BYTES)
        if len(ahead) < RUNS_ON_BYTES or not any(ahead) or ahead.startswith((b"RIFF", b"ID3")):
            return False
        self.warnings.append(warnings.data_size_wrong(self._data.size))
        return True

    def read_rest(self) -> None:
        """Read what follows the sound, once that was read: tags, and whatever else there is."""
        left_out = 0
        if self.data_size is not None:
            self._end(self._data)
        while self._riff.chunk_follows() and (chunk := self._riff.next_chunk()):
            if chunk.name == b"data":
                left_out += self._source.skip(chunk.size)
            else:
                self._read_other(chunk)
            self._end(chunk)
        left_out += self._source.drain()
        if left_out:
            self.warnings.append(warnings.trailing_data(left_out))

    def _size_of_data(self, chunk: Chunk) -> int | None:
        least_unknown = LEAST_UNKNOWN_SIZE - LEAST_UNKNOWN_SIZE % max(1, self.format.block_align)
        is_unknown = chunk.size == 0 or chunk.size >= least_unknown
        if self._riff.container == "W64":
            is_unknown = not 0 < chunk.size < MOST_DATA_BYTES
        if not is_unknown:
            return chunk.size
        if self._size_64 and self._size_64 < MOST_DATA_BYTES:
            return self._size_64
        if not self._source.peek(1) or (chunk.size == 0 and self._riff.chunk_follows()):
            raise EmptyAudio("The WAV holds no samples. Check that the recorder wrote any sound.")
        self.warnings.append(warnings.data_size_missing())
        return None

    def _read_other(self, chunk: Chunk) -> None:
        if chunk.name == b"ds64":
            body = self._body(chunk, 16)
            self._size_64 = struct.unpack("<Q", body[8:])[0] if len(body) == 16 else None
        elif chunk.name in TAG_CHUNKS:
            self.tags.read(chunk.name, self._body(chunk, MAX_TAG_BYTES), self._riff.byte_order)
        else:
            self._source.skip(chunk.size)

    def _body(self, chunk: Chunk, most: int) -> bytes:
        """Up to `most` bytes of the chunk's contents; all of it is read."""
        body = self._source.read_exactly(min(chunk.size, most))
        self._source.skip(chunk.size - len(body))
        return body

    def _end(self, chunk: Chunk) -> None:
        if self._riff.end_chunk(chunk):
            self.warnings.append(warnings.pad_missing(chunk.name))
