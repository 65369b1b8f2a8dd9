"""ID3v2: read in versions 2.2 to 2.4, written in 2.3, which every player knows (id3.org)."""

import re
import struct
from collections.abc import Iterator

HEADER_BYTES = 10
_UNSYNCHRONISED, _EXTENDED, HAS_FOOTER = 0x80, 0x40, 0x10

_TEXT_FRAMES = {
    **dict.fromkeys((b"TIT2", b"TT2"), "title"),
    **dict.fromkeys((b"TPE1", b"TP1"), "artist"),
    **dict.fromkeys((b"TDRC", b"TYER", b"TYE"), "date"),
}
_COMMENT_FRAMES = (b"COMM", b"COM")
ENCODINGS = ("latin-1", "utf-16", "utf-16-be", "utf-8")
_UTF_16 = 1
_UNKNOWN_LANGUAGE = b"XXX"
"""The standard's own word for it (id3v2.4.0-structure, 4)."""

_USER_TEXT = b"TXXX"
"""The standard's frame for a text that has none of its own (ID3v2.3, 4.2.2)."""


def read(tag: bytes) -> dict[str, str]:
    """The tags of an ID3v2 tag; what is damaged or unknown is passed over."""
    if tag[:3] != b"ID3" or len(tag) < HEADER_BYTES or tag[3] not in (2, 3, 4):
        return {}
    version, flags = tag[3], tag[5]
    body = tag[HEADER_BYTES : HEADER_BYTES + syncsafe(tag[6:10])]
    if flags & _UNSYNCHRONISED and version < 4:
        body = body.replace(b"\xff\x00", b"\xff")
    if flags & _EXTENDED and version > 2:
        size = syncsafe(body[:4]) if version == 4 else int.from_bytes(body[:4], "big") + 4
        body = body[size:]
    found: dict[str, str] = {}
    for name, contents in _frames(body, version):
        if name in _TEXT_FRAMES:
            found.setdefault(_TEXT_FRAMES[name], _text(contents[:1], contents[1:]))
        elif name in _COMMENT_FRAMES:
            description, text = _split(contents[:1], contents[4:])
            if not description:
                found.setdefault("comment", text)
    return found


def write(tags: dict[str, str]) -> bytes:
    """A tag with these; nothing where there are none."""
    frames = b"".join(_written(tags))
    if not frames:
        return b""
    size = bytes(len(frames) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\x00\x00" + size + frames


def _written(tags: dict[str, str]) -> Iterator[bytes]:
    if "title" in tags:
        yield _frame(b"TIT2", _encoded(tags["title"]))
    if "artist" in tags:
        yield _frame(b"TPE1", _encoded(tags["artist"]))
    if date := re.match(r"(\d{4})(?:-(\d\d)-(\d\d))?", tags.get("date", ""), re.ASCII):
        year, month, day = date.groups()
        yield _frame(b"TYER", _encoded(year))
        if month:
            yield _frame(b"TDAT", _encoded(day + month))
    if "comment" in tags:
        yield _frame(b"COMM", _encoded(tags["comment"], before=_UNKNOWN_LANGUAGE, description=""))
    if "originator" in tags:
        yield _frame(_USER_TEXT, _encoded(tags["originator"], description="originator"))


def _frame(name: bytes, contents: bytes) -> bytes:
    return name + struct.pack(">IH", len(contents), 0) + contents


def _encoded(text: str, *, before: bytes = b"", description: str | None = None) -> bytes:
    described = b"" if description is None else f"{description}\0".encode("utf-16")
    return bytes((_UTF_16,)) + before + described + text.encode("utf-16")


def _frames(body: bytes, version: int) -> Iterator[tuple[bytes, bytes]]:
    name_bytes, header_bytes = (3, 6) if version == 2 else (4, 10)
    at = 0
    while at + header_bytes <= len(body) and body[at]:
        name = body[at : at + name_bytes]
        size = body[at + name_bytes : at + 2 * name_bytes]
        length = syncsafe(size) if version == 4 else int.from_bytes(size, "big")
        at += header_bytes
        yield name, body[at : at + length]
        at += length


def _split(encoding: bytes, contents: bytes) -> tuple[str, str]:
    """A description and what follows it, each ended or begun by a zero."""
    wide = encoding in (b"\1", b"\2")
    step = 2 if wide else 1
    for at in range(0, len(contents), step):
        if contents[at : at + step] == bytes(step):
            return _text(encoding, contents[:at]), _text(encoding, contents[at + step :])
    return "", _text(encoding, contents)


def _text(encoding: bytes, contents: bytes) -> str:
    if not encoding or encoding[0] >= len(ENCODINGS):
        return ""
    text = contents.decode(ENCODINGS[encoding[0]], errors="replace")
    return text.lstrip("\ufeff").partition("\0")[0]


def syncsafe(size: bytes) -> int:
    """The number of bytes that a tag's header claims: seven bits in each byte."""
    number = 0
    for byte in size:
        number = number << 7 | byte & 0x7F
    return number
