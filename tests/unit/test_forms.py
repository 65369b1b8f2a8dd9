"""Forms, whatever pieces they come in."""

import errno
import os
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavepost.errors import InvalidRequest, StorageFull
from wavepost.web.forms import MAX_FIELD_BYTES, Event, Field, FileStart, parts
from wavepost.web.uploads import _temporary_file, clean_file_name

BODY = (
    b'--b\r\nContent-Disposition: form-data; name="user_id"\r\n\r\nme\r\n'
    b'--b\r\nContent-Disposition: form-data; name="record"; filename="a.wav"\r\n'
    b"Content-Type: audio/wav\r\n\r\nRIFF\r\n--c\r--bb\r\n\r\n"
    b"\r\n--b\r\nContent-Disposition: form-data; name=bitrate\r\n\r\n64\r\n--b--\r\n"
)
SOUND = b"RIFF\r\n--c\r--bb\r\n\r\n"


async def read(body: bytes, cuts: list[int]) -> list[Event]:
    async def pieces() -> AsyncIterator[bytes]:
        edges = [0, *sorted(cuts), len(body)]
        for start, end in pairwise(edges):
            if start < end:
                yield body[start:end]

    return [event async for event in parts(pieces(), "b")]


@given(st.lists(st.integers(0, len(BODY)), max_size=12))
async def test_a_form_reads_the_same_wherever_it_is_cut(cuts: list[int]) -> None:
    events = await read(BODY, cuts)
    named = [event for event in events if not isinstance(event, bytes)]
    assert named == [
        Field("user_id", "me"),
        FileStart("record", "a.wav"),
        Field("bitrate", "64"),
    ]
    pieces = [event for event in events if isinstance(event, bytes)]
    assert b"".join(pieces) == SOUND


@given(st.integers(0, len(BODY) - 3))
async def test_a_form_that_is_cut_off_is_an_error(end: int) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await read(BODY[:end], [])
    assert caught.value.status == 400


@given(st.binary(max_size=400))
async def test_noise_is_an_error_and_nothing_worse(noise: bytes) -> None:
    with pytest.raises(InvalidRequest):
        await read(b"--b\r\n" + noise, [])


async def test_a_field_has_a_limit() -> None:
    value = b"x" * (MAX_FIELD_BYTES + 1)
    body = b'--b\r\nContent-Disposition: form-data; name="f"\r\n\r\n%s\r\n--b--\r\n' % value
    with pytest.raises(InvalidRequest, match="1024"):
        await read(body, list(range(0, len(body), 100)))


@pytest.mark.parametrize("name", ["ENOSPC", "EDQUOT", "EFBIG", "EIO", "EROFS"])
def test_a_disk_that_takes_no_more_files_that_wait_is_storage_full(name: str) -> None:
    code = getattr(errno, name)
    with pytest.raises(StorageFull, match="credentials first"), _temporary_file():
        raise OSError(code, os.strerror(code))


@given(st.text(max_size=600))
def test_any_file_name_becomes_one_that_can_be_shown(sent: str) -> None:
    name = clean_file_name(sent)
    assert 1 <= len(name) <= 255
    assert name.isprintable()
    assert not set(name) & set("/\\")
    assert name not in (".", "..")
    assert clean_file_name(name) == name
