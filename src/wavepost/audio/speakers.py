"""Which channel is which speaker, and how much of each goes into two channels.

The speakers' bits are those of WAVE_FORMAT_EXTENSIBLE's channel mask (ksmedia.h); the coefficients
for a centre and for surrounds are those of ITU-R BS.775.
"""

from wavepost.audio.format import WavFormat

HALF_POWER = 0.5**0.5
BOTH = 0.5

DEFAULT_MASKS = {1: 0x4, 2: 0x3, 3: 0x7, 4: 0x33, 5: 0x37, 6: 0x3F, 7: 0x70F, 8: 0x63F}
"""For channel counts whose header names no speakers: Microsoft's defaults (ksmedia.h)."""

LEFT_AND_RIGHT = {
    0: (1.0, 0.0),  # front left
    1: (0.0, 1.0),  # front right
    2: (HALF_POWER, HALF_POWER),  # front centre
    3: (0.0, 0.0),  # LFE
    4: (HALF_POWER, 0.0),  # back left
    5: (0.0, HALF_POWER),  # back right
    6: (1.0, 0.0),  # front left of centre
    7: (0.0, 1.0),  # front right of centre
    9: (HALF_POWER, 0.0),  # side left
    10: (0.0, HALF_POWER),  # side right
    12: (HALF_POWER, 0.0),  # top front left
    14: (0.0, HALF_POWER),  # top front right
    15: (HALF_POWER, 0.0),  # top back left
    17: (0.0, HALF_POWER),  # top back right
}
"""A bit of the mask to its shares; those that are not here are on no side: BOTH."""


def speakers(wav_format: WavFormat) -> int:
    """The channel mask: the header's where it names as many speakers as there are channels."""
    if wav_format.channels > 2 and wav_format.channel_mask.bit_count() == wav_format.channels:
        return wav_format.channel_mask
    return DEFAULT_MASKS.get(wav_format.channels, 0)


def shares(wav_format: WavFormat) -> list[list[float]]:
    """For each channel that comes out, what share each channel has in it; nothing can clip.

    Two come out where the speakers are known, or else one, in which all weigh the same.
    """
    mask = speakers(wav_format)
    if not mask:
        return [[1 / wav_format.channels] * wav_format.channels]
    bits = [bit for bit in range(32) if mask >> bit & 1]
    rows = [[LEFT_AND_RIGHT.get(bit, (BOTH, BOTH))[side] for bit in bits] for side in (0, 1)]
    loudest = max(1.0, *(sum(row) for row in rows))
    return [[share / loudest for share in row] for row in rows]
