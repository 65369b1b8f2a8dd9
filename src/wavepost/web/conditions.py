"""Ranges and conditional requests (RFC 9110, sections 13 and 14), as plain functions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

_ENTITY_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.IGNORECASE)


@dataclass(frozen=True)
class Representation:
    """What a GET would answer with: its strong entity tag, quotes included, its date and size."""

    etag: str
    last_modified: datetime
    size: int


@dataclass(frozen=True)
class Part:
    """Bytes from `start` up to `end`, not included."""

    start: int
    end: int


class Unsatisfiable(Exception):
    """The range begins behind the end: 416."""


def is_not_modified(headers: Mapping[str, str], current: Representation) -> bool:
    """Whether the caller has it already: 304 (13.1.2, 13.1.3)."""
    if "if-none-match" in headers:
        value = headers["if-none-match"]
        tags = [tag.removeprefix("W/") for tag in _ENTITY_TAG.findall(value)]
        return value.strip() == "*" or current.etag in tags
    since = _date(headers.get("if-modified-since", ""))
    return since is not None and current.last_modified.replace(microsecond=0) <= since


def requested_part(headers: Mapping[str, str], current: Representation) -> Part | None:
    """The part asked for (14.1.2, 14.2), or None for the whole.

    The whole answers what is malformed, has several ranges or another unit, and an `If-Range`
    (13.1.5) that names something older. Raises Unsatisfiable.
    """
    match = _RANGE.fullmatch(headers.get("range", ""))
    if match is None or not _if_range_holds(headers.get("if-range"), current):
        return None
    first, last = match.groups()
    if not first:
        return _suffix(int(last), current.size) if last else None
    start, end = int(first), min(int(last) + 1 if last else current.size, current.size)
    if last and int(last) < start:
        return None
    if start >= current.size:
        raise Unsatisfiable
    return Part(start, end)


def _suffix(length: int, size: int) -> Part:
    if length == 0:
        raise Unsatisfiable
    return Part(max(size - length, 0), size)


def _if_range_holds(value: str | None, current: Representation) -> bool:
    if value is None or value == current.etag:
        return True
    date = _date(value)
    return date is not None and date == current.last_modified.replace(microsecond=0)


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else None
