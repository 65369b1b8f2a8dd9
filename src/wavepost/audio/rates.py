"""The sample rates that MP3 has."""

MP3_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)


def mp3_rate(sample_rate: int) -> int:
    """The nearest MP3 rate at or above `sample_rate` in Hz, or 48 kHz."""
    return next((rate for rate in MP3_RATES if rate >= sample_rate), MP3_RATES[-1])
