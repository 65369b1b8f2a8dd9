"""Which codecs are taken, by FFmpeg's names."""

from wavepost.audio.format import COMPANDED_TAGS, FLOAT, PCM, WavFormat
from wavepost.errors import UnsupportedCodec

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


def unit_bytes(wav_format: WavFormat) -> int | None:
    """The size of one sample in every channel; None where the codec has no such thing."""
    if codec_of(wav_format) not in SAMPLE_CODECS:
        return None
    sample_bytes = 1 if wav_format.tag in COMPANDED_TAGS else wav_format.sample_bytes
    return wav_format.channels * sample_bytes
