"""Whether the server keeps a recording already that a push would make again."""

from collections.abc import Iterator
from datetime import timedelta

from wavepost.client.answers import Limits, Record
from wavepost.client.source import Options

SAME_MOMENT = timedelta(seconds=60)


def suitable(records: Iterator[Record], options: Options, limits: Limits) -> Record | None:
    """The first of these recordings of the same WAV that is as the options ask, and stays."""
    if options.expires_in is not None:
        return None  # it would have to go at just that moment
    found = (record for record in records if _is_as_asked(record, options))
    return next((record for record in found if _stays(record, limits)), None)


def _is_as_asked(record: Record, options: Options) -> bool:
    """Without options, the server's own choice; which that is, it may have changed since."""
    mp3 = record.receipt.get("mp3")
    mode = mp3.get("mode") if isinstance(mp3, dict) else None
    if options.bitrate is not None:
        return bool(mode == f"CBR {options.bitrate}")
    return options.quality is None or bool(mode == f"VBR {options.quality}")


def _stays(record: Record, limits: Limits) -> bool:
    """Whether it was not sent to be gone before all others are."""
    if record.expires_at is None:
        return True
    if limits.retention_days is None:
        return False
    usual = record.created_at + timedelta(days=limits.retention_days)
    return record.expires_at >= usual - SAME_MOMENT
