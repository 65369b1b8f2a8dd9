"""WAVs to try a converter with."""

import io
import wave

SECONDS, SAMPLE_RATE = 0.1, 44_100


def _silent_wav(sample_bytes: int) -> bytes:
    wav = io.BytesIO()
    with wave.open(wav, "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(sample_bytes)
        writer.setframerate(SAMPLE_RATE)
        writer.writeframes(bytes(2 * sample_bytes * int(SAMPLE_RATE * SECONDS)))
    return wav.getvalue()


PLAIN_WAV = _silent_wav(2)
"""Its samples go to LAME as they are."""

DECODED_WAV = _silent_wav(3)
"""Takes the whole way, through FFmpeg and numpy."""
