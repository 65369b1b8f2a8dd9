"""One WAV to one MP3, in a single pass and in pieces: memory does not grow with the recording."""

from collections.abc import Callable
from typing import Any

from wavepost.audio.container import open_wav
from wavepost.audio.decoder import Decoder
from wavepost.audio.encoder import Encoder, Wanted
from wavepost.audio.meter import Meter
from wavepost.audio.mixer import Mixer
from wavepost.audio.source import Source
from wavepost.errors import EmptyAudio, TooLong


def convert(
    source: Source, write: Callable[[bytes], None], wanted: Wanted, max_seconds: float
) -> tuple[bytes, dict[str, Any]]:
    """Convert all of `source`; `write` gets the MP3's frames but the first as they are made.

    Returns:
        The first frame, which goes before what was written and is known only now; and the
        facts of the conversion: `duration` in seconds, `channels`, `sample_rate` in Hz and
        `bitrate` in kbit/s of the MP3, and the `receipt` without the MP3's hash.

    Raises:
        WavError: one of its subclasses; what was written is then worth nothing.
    """
    wav = open_wav(source)
    decoder = Decoder(wav, source)
    meter = Meter()
    mixer = Mixer(wav.format, meter)
    encoder = Encoder(mixer.sample_rate, mixer.channels, wanted)

    for frame in decoder.frames():
        if decoder.samples > max_seconds * wav.format.sample_rate:
            raise TooLong(f"Recordings of up to {max_seconds:g} seconds are taken; this is longer.")
        for samples in mixer.mix(frame):
            write(encoder.encode(samples))
    if decoder.samples == 0:
        raise EmptyAudio("The WAV holds no samples. Check that the recorder wrote any sound.")
    for samples in mixer.finish():
        write(encoder.encode(samples))
    write(encoder.finish())
    source.drain()

    receipt = {
        "source": {
            "format": wav.format.container,
            "codec": decoder.codec,
            "channels": wav.format.channels,
            "sample_rate": wav.format.sample_rate,
            "bits": wav.format.bits,
            "bytes": source.bytes_received,
            "sha256": source.sha256,
            "samples": decoder.samples,
        },
        "mp3": encoder.receipt(),
        "peak_dbfs": meter.peak_dbfs,
        "clipped_samples": meter.clipped,
        "tags": {},
        "warnings": decoder.warnings + encoder.warnings + _warnings(decoder, meter, mixer),
    }
    return encoder.head(), {
        "duration": round(decoder.samples / wav.format.sample_rate, 6),
        "channels": mixer.channels,
        "sample_rate": mixer.sample_rate,
        "bitrate": encoder.kbps,
        "receipt": receipt,
    }


def _warnings(decoder: Decoder, meter: Meter, mixer: Mixer) -> list[dict[str, str]]:
    warnings = []
    channels = decoder.wav_format.channels
    if channels > 2:
        detail = f"{channels} channels were mixed down to {mixer.channels}: MP3 holds at most two."
        warnings.append({"code": "downmixed", "detail": detail})
    if mixer.sample_rate != decoder.wav_format.sample_rate:
        detail = (
            f"MP3 has no {decoder.wav_format.sample_rate} Hz; "
            f"the sound was resampled to {mixer.sample_rate} Hz."
        )
        warnings.append({"code": "resampled", "detail": detail})
    if meter.not_finite:
        detail = f"{meter.not_finite} samples were NaN or infinite; they were made silent."
        warnings.append({"code": "not_finite", "detail": detail})
    return warnings
