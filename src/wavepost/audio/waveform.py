"""The shape of a sound for drawing: the lowest and the highest sample of each stretch of it.

Kept as BBC audiowaveform's .dat and served as its JSON, both version 2
(github.com/bbc/audiowaveform, doc/DataFormat.md).
"""

import struct
from array import array
from typing import Any

from wavepost.audio.pcm import HIGHEST, LOWEST, SAMPLE_BYTES, extremes

FIRST_SAMPLES_PER_PIXEL = 256
MAX_PIXELS = 4096
"""However long the sound: then two become one."""

_HEADER = struct.Struct("<iIiiIi")
_VERSION, _IS_8_BITS, _CHANNELS = 2, 1, 1


class Waveform:
    """Grows while the sound comes."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        """`sample_rate` in Hz; `channels` is how many are interleaved, all drawn as one."""
        self._sample_rate = sample_rate
        self._frame_bytes = SAMPLE_BYTES * channels
        self._samples_per_pixel = FIRST_SAMPLES_PER_PIXEL
        self._pixels = array("b")
        self._low, self._high = HIGHEST, LOWEST
        self._missing = self._samples_per_pixel * self._frame_bytes

    def add(self, pcm: bytes) -> tuple[int, int]:
        """Take 16-bit samples, whole ones in all channels; the lowest and the highest of them."""
        view, begin = memoryview(pcm), 0
        lowest = highest = 0
        while begin < len(view):
            stretch = view[begin : begin + self._missing]
            low, high = extremes(stretch)
            self._low, self._high = min(self._low, low), max(self._high, high)
            lowest, highest = min(lowest, low), max(highest, high)
            begin += len(stretch)
            self._missing -= len(stretch)
            if not self._missing:
                self._end_pixel()
        return lowest, highest

    def dat(self) -> bytes:
        """A header, then lowest and highest in turns: of the samples' 16 bits the upper 8."""
        pixels = self._pixels[:]
        if self._missing < self._samples_per_pixel * self._frame_bytes:
            pixels.extend((self._low >> 8, self._high >> 8))
        header = (self._sample_rate, self._samples_per_pixel, len(pixels) // 2, _CHANNELS)
        return _HEADER.pack(_VERSION, _IS_8_BITS, *header) + pixels.tobytes()

    def _end_pixel(self) -> None:
        self._pixels.extend((self._low >> 8, self._high >> 8))
        if len(self._pixels) == 2 * MAX_PIXELS:
            self._pixels = _halved(self._pixels)
            self._samples_per_pixel *= 2
        self._low, self._high = HIGHEST, LOWEST
        self._missing = self._samples_per_pixel * self._frame_bytes


def as_json(dat: bytes) -> dict[str, Any]:
    """The document that says the same as `dat`."""
    version, _, sample_rate, samples_per_pixel, length, channels = _HEADER.unpack_from(dat)
    return {
        "version": version,
        "channels": channels,
        "sample_rate": sample_rate,
        "samples_per_pixel": samples_per_pixel,
        "bits": 8,
        "length": length,
        "data": array("b", dat[_HEADER.size :]).tolist(),
    }


def _halved(pixels: "array[int]") -> "array[int]":
    lows = map(min, pixels[0::4], pixels[2::4])
    highs = map(max, pixels[1::4], pixels[3::4])
    halved = array("b")
    for pixel in zip(lows, highs, strict=True):
        halved.extend(pixel)
    return halved
