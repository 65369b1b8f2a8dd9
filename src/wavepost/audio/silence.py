"""A WAV to try a converter with."""

import io
import wave


def _silent_wav(seconds: float, sample_rate: int) -> bytes:
    wav = io.BytesIO()
    with wave.open(wav, "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(2)
        writer.setframerate(sample_rate)
        writer.writeframes(bytes(4 * int(sample_rate * seconds)))
    return wav.getvalue()


SILENT_WAV = _silent_wav(seconds=0.1, sample_rate=44_100)
