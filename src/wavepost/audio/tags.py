"""Who and what a WAV says it is: LIST INFO, `id3 ` and `bext` chunks.

INFO is of RIFF (Microsoft and IBM, 1991), bext of EBU Tech 3285. What they leave open is the
encoding of their text: UTF-8 where it decodes, else CP1251 or Latin-1, by what it looks like.
"""

import re
import struct

from wavepost.audio import id3

TAG_CHUNKS = (b"LIST", b"bext", b"id3 ", b"ID3 ")
TAGS = ("title", "artist", "date", "comment", "originator")
MAX_CHARACTERS = 1000
ENCODINGS = UTF_8, CYRILLIC, WESTERN = "utf-8-sig", "cp1251", "cp1252"

_INFO = {b"INAM": "title", b"IART": "artist", b"ICRD": "date", b"ICMT": "comment"}
_HIGH = re.compile(rb"[\xc0-\xff\xa8\xb8]")
_THREE_HIGH = re.compile(rb"[\xc0-\xff\xa8\xb8]{3}")
_LOW = re.compile(rb"[A-Za-z]")


class Tags:
    """What was found so far. Where chunks disagree, the one whose encoding is certain counts."""

    def __init__(self) -> None:
        self._id3: dict[str, str] = {}
        self._info: dict[str, str] = {}
        self._bext: dict[str, str] = {}

    @property
    def values(self) -> dict[str, str]:
        """Each tag there is, by its name in TAGS."""
        found = self._bext | self._info | self._id3
        return {name: found[name] for name in TAGS if name in found}

    def read(self, name: bytes, body: bytes, byte_order: str) -> None:
        """Take a chunk's contents into account; damaged ones are worth what can be read."""
        if name == b"LIST":
            self._read_info(body, byte_order)
        elif name == b"bext":
            self._read_bext(body)
        else:
            self.read_id3(body)

    def read_id3(self, body: bytes) -> None:
        """Take an ID3v2 tag into account, if it is one."""
        _keep(self._id3, id3.read(body))

    def _read_info(self, body: bytes, byte_order: str) -> None:
        if body[:4] != b"INFO":
            return
        at = 4
        while at + 8 <= len(body):
            name, size = struct.unpack(f"{byte_order}4sI", body[at : at + 8])
            if name in _INFO:
                _keep(self._info, {_INFO[name]: decoded(body[at + 8 : at + 8 + size])})
            at += 8 + size + size % 2

    def _read_bext(self, body: bytes) -> None:
        day, time = decoded(body[320:330]), decoded(body[330:338])
        day = re.sub(r"\D", "-", day)
        time = re.sub(r"\D", ":", time)
        date = day if re.fullmatch(r"\d{4}-\d\d-\d\d", day) and day != "0000-00-00" else ""
        if date and re.fullmatch(r"\d\d:\d\d:\d\d", time):
            date += f"T{time}"
        found = {"comment": decoded(body[:256]), "originator": decoded(body[256:288]), "date": date}
        _keep(self._bext, found)


def decoded(text: bytes) -> str:
    """Text up to its first zero byte, in the encoding that it looks like."""
    text = text.partition(b"\0")[0]
    try:
        return text.decode(UTF_8)
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data" and error.start > 0:
            # A field of fixed size ended within a letter.
            return text[: error.start].decode(UTF_8)
        # Western words have an accent here and there, and seldom three in a row.
        is_cyrillic = _THREE_HIGH.search(text) or len(_HIGH.findall(text)) > len(_LOW.findall(text))
        return text.decode(CYRILLIC if is_cyrillic else WESTERN, errors="replace")


def _keep(tags: dict[str, str], found: dict[str, str]) -> None:
    for name, value in found.items():
        shown = "".join(letter if letter.isprintable() else " " for letter in value)
        if shown := " ".join(shown.split())[:MAX_CHARACTERS]:
            tags.setdefault(name, shown)
