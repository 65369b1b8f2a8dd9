"""The warnings of a receipt: what was wrong with a WAV, or done to its sound.

docs/formats.md lists them. A code never changes once released.
"""

Entry = dict[str, str]
"""`code` and `detail`, a sentence."""


def data_size_missing() -> Entry:
    """Size 0 or 0xFFFFFFFF: a pipe, or a recorder that died."""
    return _entry(
        "data_size_missing",
        "The header does not say how long the sound is; all of it was converted.",
    )


def data_size_wrong(size: int) -> Entry:
    """More sound than the header says."""
    return _entry(
        "data_size_wrong",
        f"The sound goes on after the {size} bytes that the header says; all of it was converted.",
    )


def data_truncated(missing: int) -> Entry:
    """Less sound than the header says."""
    return _entry(
        "data_truncated",
        f"The sound ends {missing} bytes before the header says; all there is was converted.",
    )


def data_damaged(pieces: int) -> Entry:
    """Blocks that the codec could not read."""
    return _entry("data_damaged", f"{pieces} pieces of the sound could not be decoded.")


def partial_sample(left_out: int) -> Entry:
    """The data's size is no multiple of a sample's."""
    return _entry(
        "partial_sample", f"The sound ended within a sample, whose {left_out} bytes were left out."
    )


def pad_missing(name: bytes) -> Entry:
    """A chunk of odd size without the byte that should follow it."""
    return _entry("pad_missing", f"The byte that should pad the chunk {_shown(name)} is missing.")


def trailing_data(size: int) -> Entry:
    """Bytes behind the sound that no chunk explains, or a second sound."""
    return _entry(
        "trailing_data", f"{size} bytes behind the sound can't be taken for it; they were left out."
    )


def not_finite(samples: int) -> Entry:
    """Floats that are no numbers."""
    return _entry("not_finite", f"{samples} samples were NaN or infinite; they were made silent.")


def clipped(samples: int) -> Entry:
    """The recorder's level was too high, or floats were huge."""
    return _entry(
        "clipped", f"{samples} samples were at or beyond full scale; what lay beyond was cut off."
    )


def header_wrong() -> Entry:
    """An MP3 in a WAV says otherwise than the header, or changes in the middle."""
    return _entry(
        "header_wrong",
        "The sound has another sample rate or number of channels than the header says, or changes "
        "them; it was converted as it is.",
    )


def downmixed(channels: int, to: int) -> Entry:
    """More than two channels."""
    return _entry(
        "downmixed", f"{channels} channels were mixed down to {to}: MP3 holds at most two."
    )


def resampled(rate: int, to: int) -> Entry:
    """A rate that MP3 does not have."""
    return _entry("resampled", f"MP3 has no {rate} Hz; the sound was resampled to {to} Hz.")


def bitrate_adjusted(wanted: int, sample_rate: int, used: int) -> Entry:
    """A bitrate that MP3 does not have at this rate."""
    return _entry(
        "bitrate_adjusted",
        f"{wanted} kbit/s is not possible at {sample_rate} Hz; {used} was used.",
    )


def _entry(code: str, detail: str) -> Entry:
    return {"code": code, "detail": detail}


def _shown(name: bytes) -> str:
    return name.decode("ascii", "replace").strip()
