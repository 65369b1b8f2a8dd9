"""What a sender may say of a WAV beside its bytes: its name, and what is to become of it."""

import re
from collections.abc import Mapping
from datetime import timedelta

from wavepost.audio.encoder import QUALITIES, Wanted
from wavepost.audio.frames import ALL_BITRATES
from wavepost.errors import InvalidRequest
from wavepost.storage.models import MAX_FILE_NAME_CHARACTERS

OPTIONS = ("bitrate", "quality", "expires_in")
MAX_EXPIRES_IN = timedelta(days=36_500)
DEFAULT_FILE_NAME = "recording.wav"


def wanted(values: Mapping[str, str]) -> Wanted:
    """Raises InvalidRequest."""
    if "bitrate" in values and "quality" in values:
        raise InvalidRequest.field("quality", "send bitrate or quality, not both")
    return Wanted(
        bitrate=_number(values, "bitrate", ALL_BITRATES),
        quality=_number(values, "quality", tuple(QUALITIES)),
    )


def expires_in(values: Mapping[str, str]) -> timedelta | None:
    """Raises InvalidRequest."""
    if "expires_in" not in values:
        return None
    value = values["expires_in"]
    most = int(MAX_EXPIRES_IN.total_seconds())
    if not re.fullmatch(r"[0-9]{1,10}", value) or not 0 < int(value) <= most:
        raise InvalidRequest.field("expires_in", f"send a number of seconds, 1 to {most}")
    return timedelta(seconds=int(value))


def _number(values: Mapping[str, str], name: str, choices: tuple[int, ...]) -> int | None:
    if name not in values:
        return None
    value = values[name]
    if not re.fullmatch(r"[0-9]{1,3}", value) or int(value) not in choices:
        listed = ", ".join(map(str, choices))
        raise InvalidRequest.field(name, f"send one of {listed}")
    return int(value)


def clean_file_name(sent: str) -> str:
    """A name fit to show and to store: no folders, no control characters, not too long."""
    name = re.split(r"[/\\]", sent)[-1]
    name = "".join(letter for letter in name if letter.isprintable()).strip(" .")
    if len(name) > MAX_FILE_NAME_CHARACTERS:
        stem, dot, ending = name.rpartition(".")
        ending = dot + ending if stem and len(ending) <= 8 else ""
        name = name[: MAX_FILE_NAME_CHARACTERS - len(ending)] + ending
    return name or DEFAULT_FILE_NAME
