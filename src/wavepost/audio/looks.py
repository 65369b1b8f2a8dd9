"""What bytes that are no WAV look like, for whoever sent them."""

LOOKS = (
    (b"\xff\xfb", "an MP3"),
    (b"\xff\xf3", "an MP3"),
    (b"ID3", "an MP3"),
    (b"\xff\xf1", "AAC"),
    (b"OggS", "an Ogg file"),
    (b"fLaC", "a FLAC"),
    (b"wvpk", "a WavPack file"),
    (b"#!AMR", "AMR"),
    (b".snd", "a Sun AU file"),
    (b"FORM", "an AIFF file"),
    (b"NIST_1A", "a NIST SPHERE file"),
    (b"\x1aE\xdf\xa3", "WebM or Matroska"),
    (b"\x30\x26\xb2\x75", "a WMA file"),
    (b"caff", "an Apple CAF file"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"#EXTM3U", "a playlist"),
    (b"<", "XML or HTML"),
    (b"{", "JSON"),
)


def describe(start: bytes) -> str:
    """What a file that begins with `start` (up to 512 bytes) looks like: `an MP3`, `text`, …."""
    if start[:4] in (b"RIFF", b"RIFX", b"RF64") and len(start) >= 12:
        kind = start[8:12].decode("ascii", "replace").strip()
        return f"a RIFF file of type {kind!r}, not WAVE"
    if start[4:8] == b"ftyp":
        return "an MP4 file"
    for signature, what in LOOKS:
        if start.startswith(signature):
            return what
    return "text" if _is_text(start) else "something other than a WAV"


def _is_text(start: bytes) -> bool:
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return True
    return all(byte >= 0x20 or byte in b"\t\r\n\f\x1b" for byte in start) and (
        sum(byte < 0x7F for byte in start) > 0.7 * len(start)
    )
