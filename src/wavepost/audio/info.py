"""The first frame: silence to a decoder, and to a player the length, the gaps and a seek table.

The layout is Xing's, with LAME's extension (Gabriel Bouvigne, "Mp3 Info Tag revision 1";
read by FFmpeg's libavformat/mp3dec.c and mpg123's frame.c). The name is `Info` at constant
bitrate, where a player computes a place from its time, and `Xing` at variable bitrate, where
it looks the place up in the table of contents.
"""

import struct

from wavepost.audio.frames import ENCODER_DELAY, FrameHeader, Tally

ENCODER = "LAME3.100"
_HAS_FRAMES, _HAS_BYTES, _HAS_TOC, _HAS_QUALITY = 1, 2, 4, 8
_TOC_ENTRIES = 100
_LAME_BYTES = 36
_METHOD_CBR, _METHOD_VBR = 1, 4
_UNKNOWN_LOUDNESS = bytes(8)
_STEREO_MODES = {0: 1, 1: 3, 2: 2, 3: 0}
_MAX_PADDING = 0xFFF
_MOST = 0xFFFF_FFFF


def lead_in(sample_rate: int) -> int:
    """Samples of silence to encode before the sound, so that all players cut it off right.

    Below 32 kHz a frame has 576 samples, and the 1105 to skip end within the second one. FFmpeg
    forgets the rest of the skip if the sound also ends there (up to 46 samples, measured with
    FFmpeg 5.1 and 8): 47 more put the sound's begin on a frame's edge.
    """
    return 47 if sample_rate < 32_000 else 0


def info_frame(tally: Tally, samples: int, quality: int | None) -> bytes:
    """The frame to put before those that `tally` counted.

    Args:
        tally: what those frames add up to, at least one.
        samples: how many a channel went into the encoder; as many decode out.
        quality: LAME's 0 to 9 at variable bitrate; None at constant bitrate.
    """
    assert tally.first is not None, "an MP3 has at least one frame"
    body_bytes = 16 + (_TOC_ENTRIES if quality is not None else 0) + 4
    header = tally.first.with_room_for(4 + tally.first.side_info_bytes + body_bytes + _LAME_BYTES)
    frame = header.raw + bytes(header.side_info_bytes)
    frame += _xing(tally, header.frame_bytes, quality)
    frame += _lame(tally, header, samples, quality)
    frame += struct.pack(">H", crc16(frame))
    return frame.ljust(header.frame_bytes, b"\0")


def _xing(tally: Tally, head_bytes: int, quality: int | None) -> bytes:
    # An MP3 of more than 4 GB can't say so.
    frames, total = min(tally.frames, _MOST), min(tally.bytes + head_bytes, _MOST)
    if quality is None:
        flags = _HAS_FRAMES | _HAS_BYTES | _HAS_QUALITY
        return struct.pack(">4sIIII", b"Info", flags, frames, total, 0)
    flags = _HAS_FRAMES | _HAS_BYTES | _HAS_TOC | _HAS_QUALITY
    places = (
        min((place + head_bytes) * 256 // total, 255) for place in tally.seek_table(_TOC_ENTRIES)
    )
    return (
        struct.pack(">4sIII", b"Xing", flags, frames, total)
        + bytes(places)
        + struct.pack(">I", 100 - 10 * quality)
    )


def _lame(tally: Tally, header: FrameHeader, samples: int, quality: int | None) -> bytes:
    """LAME's extension up to its own checksum; what we do not measure is 0, which is "unknown"."""
    assert tally.first is not None
    delay = ENCODER_DELAY + lead_in(header.sample_rate)
    padding = tally.frames * tally.first.samples - delay - samples
    gaps = delay << 12 | min(max(padding, 0), _MAX_PADDING)
    method, kbps = (_METHOD_CBR, tally.first.kbps) if quality is None else (_METHOD_VBR, 0)
    source_rate = sum(header.sample_rate > limit for limit in (32_000, 44_100, 48_000))
    lowpass, encoding_flags, gain, preset, music_crc = 0, 0, 0, 0, 0
    return (
        ENCODER.encode().ljust(9)
        + bytes((method, lowpass))
        + _UNKNOWN_LOUDNESS
        + bytes((encoding_flags, min(kbps, 255)))
        + gaps.to_bytes(3, "big")
        + bytes((source_rate << 6 | _STEREO_MODES[header.mode] << 2, gain))
        + struct.pack(">HIH", preset, min(tally.bytes + header.frame_bytes, _MOST), music_crc)
    )


def crc16(data: bytes) -> int:
    """CRC-16/ARC (polynomial 0x8005, reflected): the checksum of LAME's extension."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc
