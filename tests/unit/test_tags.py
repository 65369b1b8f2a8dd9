"""Tags: out of the WAV's chunks, into the receipt and the MP3."""

import io
import struct

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import sound
from tests.conversions import converted
from wavepost.audio import id3
from wavepost.audio.tags import MAX_CHARACTERS, Tags

WAV = sound.wav(sound.tone(0.5, 16_000), 16_000)


def info(**texts: bytes) -> bytes:
    chunks = b"".join(sound.chunk(name.encode(), text + b"\0") for name, text in texts.items())
    return sound.chunk(b"LIST", b"INFO" + chunks)


def bext(description: bytes, originator: bytes, day: bytes, time: bytes) -> bytes:
    return sound.chunk(
        b"bext",
        struct.pack("256s32s32s10s8s", description, originator, b"", day, time) + bytes(264),
    )


def id3_tag(version: int, *frames: bytes) -> bytes:
    body = b"".join(frames)
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3" + bytes((version, 0, 0)) + size + body


def id3_chunk(version: int, *frames: bytes, name: bytes = b"id3 ") -> bytes:
    return sound.chunk(name, id3_tag(version, *frames))


def frame(name: bytes, contents: bytes) -> bytes:
    return name + struct.pack(">IH", len(contents), 0) + contents


def tagged(*chunks: bytes, before: bool = False) -> tuple[dict[str, str], dict[str, str]]:
    """The tags that the receipt has, and those that FFmpeg reads in the MP3."""
    added = b"".join(chunks)
    wav = WAV[:12] + added + WAV[12:] if before else WAV + added
    mp3, facts = converted(wav)
    assert len(sound.decode(mp3)[0]) == 8_000
    with av.open(io.BytesIO(mp3), mode="r", format="mp3") as container:
        read = {name.lower(): value for name, value in container.metadata.items()}
    read.pop("encoder", None)
    return facts["receipt"]["tags"], read


@pytest.mark.parametrize("before", [True, False], ids=["before the sound", "behind it"])
@pytest.mark.parametrize(
    ("encoding", "title"),
    [
        ("utf-8", "Привет, мир"),
        ("utf-8-sig", "Grüße, 世界"),
        ("cp1251", "Привет, мир"),
        ("cp1251", "ТЕСТ 123 test"),
        ("latin-1", "Motörhead"),
        ("latin-1", "Café crème, déjà vu"),
        ("ascii", "Call 17"),
    ],
)
def test_the_encoding_of_info_is_picked_by_what_decodes(
    encoding: str, title: str, before: bool
) -> None:
    receipt, mp3 = tagged(info(INAM=title.encode(encoding)), before=before)
    assert receipt == mp3 == {"title": title}


def test_every_tag_of_info() -> None:
    texts = {
        "INAM": b"A title",
        "IART": b"Ann",
        "ICRD": b"2026-11-20",
        "ICMT": b"loud",
        "ISFT": b"x",
    }
    receipt, mp3 = tagged(info(**texts))
    assert receipt == {"title": "A title", "artist": "Ann", "date": "2026-11-20", "comment": "loud"}
    assert mp3 == receipt


def test_bext_gives_comment_originator_and_date() -> None:
    receipt, mp3 = tagged(bext(b"Scene 3", b"ZOOM H6", b"2026-11-20", b"09-30-59"), before=True)
    assert receipt == {
        "date": "2026-11-20T09:30:59",
        "comment": "Scene 3",
        "originator": "ZOOM H6",
    }
    assert mp3 == receipt | {"date": "2026-11-20"}


@pytest.mark.parametrize(
    "chunk",
    [
        id3_chunk(2, b"TT2\0\0\6\0Title", b"TP1\0\0\4\0Ann"),
        id3_chunk(3, frame(b"TIT2", b"\0Title"), frame(b"TPE1", b"\1" + "Ann".encode("utf-16"))),
        id3_chunk(4, frame(b"TIT2", b"\3Title"), frame(b"TPE1", b"\2" + "Ann".encode("utf-16-be"))),
        id3_chunk(4, frame(b"TIT2", b"\3Title\0"), frame(b"TPE1", b"\3Ann"), name=b"ID3 "),
    ],
    ids=["2.2", "2.3", "2.4", "another name"],
)
def test_id3_of_every_version(chunk: bytes) -> None:
    receipt, mp3 = tagged(chunk)
    assert receipt == mp3 == {"title": "Title", "artist": "Ann"}


def test_a_letter_cut_off_at_a_fields_end_is_left_out() -> None:
    receipt, _ = tagged(bext(b"", ("я" * 20).encode()[:31], b"", b""))
    assert receipt == {"originator": "я" * 15}


def test_comments_of_id3_are_those_without_a_description() -> None:
    described = frame(b"COMM", b"\0engiTunNORM\0000 00")
    plain = frame(b"COMM", b"\1eng" + "\0Ça va".encode("utf-16"))
    assert tagged(id3_chunk(3, described, plain))[0] == {"comment": "Ça va"}


def test_where_chunks_disagree_the_certain_encoding_counts() -> None:
    certain = id3_chunk(4, frame(b"TIT2", "\3Ünten".encode()))
    for chunks in ([certain, info(INAM=b"other")], [info(INAM=b"other"), certain]):
        assert tagged(*chunks)[0] == {"title": "Ünten"}


def test_a_tag_before_the_wav_is_used_too() -> None:
    tag = id3_tag(3, frame(b"TIT2", b"\0Before"))
    mp3, facts = converted(tag + WAV)
    assert facts["receipt"]["tags"] == {"title": "Before"}
    assert len(sound.decode(mp3)[0]) == 8_000


def test_without_tags_the_mp3_begins_with_its_first_frame() -> None:
    assert converted(WAV)[0][0] == 0xFF


def test_texts_are_cut_to_a_length_and_to_one_line() -> None:
    receipt, _ = tagged(info(INAM=b"a\r\nb\x07c " + b"x" * 5000))
    assert receipt["title"].startswith("a b c xxx")
    assert len(receipt["title"]) == MAX_CHARACTERS


@given(st.sampled_from([b"LIST", b"bext", b"id3 "]), st.binary(max_size=700))
def test_no_tag_whatever_is_worse_than_unread(name: bytes, noise: bytes) -> None:
    for body in (
        noise,
        b"INFO" + noise,
        b"ID3\4\0\0\0\0\7\x7f" + noise,
        b"ID3\3\0\xc0\0\0\7\x7f" + noise,
    ):
        tags = Tags()
        tags.read(name, body, "<")
        assert id3.read(id3.write(tags.values)).keys() <= {"title", "artist", "date", "comment"}
