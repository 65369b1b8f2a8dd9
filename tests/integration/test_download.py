"""The link: whole, in part, or not at all when the caller has it already (RFC 9110)."""

import hashlib
import subprocess
import uuid
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest

from tests import sound
from tests.service import Caller, Server, assert_problem

KIB = 1024


@pytest.fixture(scope="module")
def record(server: Server) -> dict[str, Any]:
    """A recording of several chunks."""
    samples = np.tile(sound.speech_like(10, 44_100), (6, 1))
    answer = Caller(server).upload(sound.wav(samples), "Звонок 1.wav", bitrate="160")
    assert answer.status_code == 201
    body: dict[str, Any] = answer.json()
    return body


@pytest.fixture(scope="module")
def mp3(server: Server, record: dict[str, Any]) -> bytes:
    content: bytes = server.client.get(record["url"]).content
    return content


def get(server: Server, record: dict[str, Any], **headers: str) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return server.client.get(record["url"], headers=named)


def test_the_headers_of_a_download(server: Server, record: dict[str, Any], mp3: bytes) -> None:
    answer = get(server, record)
    assert answer.status_code == 200
    assert len(mp3) > 4 * 256 * KIB
    expected = {
        "content-type": "audio/mpeg",
        "content-length": str(len(mp3)),
        "accept-ranges": "bytes",
        "etag": f'"{hashlib.sha256(mp3).hexdigest()}"',
        "cache-control": "private, max-age=31536000, immutable",
        "x-content-type-options": "nosniff",
        "content-disposition": 'attachment; filename="______ 1.mp3"; '
        "filename*=UTF-8''%D0%97%D0%B2%D0%BE%D0%BD%D0%BE%D0%BA%201.mp3",
    }
    assert {name: answer.headers[name] for name in expected} == expected
    parsedate_to_datetime(answer.headers["last-modified"])


def test_head_has_the_same_headers_and_no_body(server: Server, record: dict[str, Any]) -> None:
    whole = get(server, record)
    head = server.client.head(record["url"], headers={"Range": "bytes=0-1"})
    assert head.status_code == 200
    assert head.content == b""
    for headers in (head.headers, whole.headers):
        del headers["date"], headers["x-request-id"]
    assert head.headers == whole.headers


def test_inline_is_shown_rather_than_saved(server: Server, record: dict[str, Any]) -> None:
    answer = server.client.get(record["url"] + "&inline=1")
    assert answer.headers["content-disposition"].startswith("inline; filename=")


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-1", 0, 2),
        ("bytes=0-", 0, None),
        ("bytes=-500", -500, None),
        ("bytes=-999999999", 0, None),
        ("bytes=100-199", 100, 200),
        ("bytes=100-999999999", 100, None),
        (f"bytes={256 * KIB - 10}-{512 * KIB + 2000}", 256 * KIB - 10, 512 * KIB + 2001),
        ("BYTES= 5-5", 5, 6),
    ],
)
def test_a_range(
    server: Server, record: dict[str, Any], mp3: bytes, asked: str, start: int, end: int | None
) -> None:
    answer = get(server, record, Range=asked)
    assert answer.status_code == 206
    assert answer.content == mp3[start:end]
    first = start % len(mp3)
    assert answer.headers["content-range"] == (
        f"bytes {first}-{first + len(answer.content) - 1}/{len(mp3)}"
    )
    assert answer.headers["content-length"] == str(len(answer.content))


@pytest.mark.parametrize("asked", ["bytes=999999999-", "bytes=-0", "bytes=99999999999-99999999999"])
def test_a_range_outside_the_file(
    server: Server, record: dict[str, Any], mp3: bytes, asked: str
) -> None:
    answer = get(server, record, Range=asked)
    assert_problem(answer, 416, "invalid_request")
    assert answer.headers["content-range"] == f"bytes */{len(mp3)}"


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=5-2",
        "bytes=0-" + "9" * 5000,
        "bytes=a-b",
        "bytes=",
        "bytes=-",
        "lines=1-2",
        "bytes=0-1,5-6",
        "bytes=1",
        "\xb2",
    ],
)
def test_a_range_that_is_none_of_ours_gets_the_whole(
    server: Server, record: dict[str, Any], mp3: bytes, asked: str
) -> None:
    answer = server.client.get(record["url"], headers={b"Range": asked.encode("latin1")})
    assert answer.status_code == 200
    assert answer.content == mp3


def test_what_the_caller_has_is_not_sent_again(server: Server, record: dict[str, Any]) -> None:
    etag = get(server, record).headers["etag"]
    for value in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = get(server, record, If_None_Match=value, Range="bytes=0-1")
        assert answer.status_code == 304
        assert answer.content == b""
        assert answer.headers["etag"] == etag
    assert get(server, record, If_None_Match='"other"').status_code == 200
    assert server.client.head(record["url"], headers={"If-None-Match": etag}).status_code == 304


def test_if_modified_since(server: Server, record: dict[str, Any]) -> None:
    modified = get(server, record).headers["last-modified"]
    earlier = format_datetime(parsedate_to_datetime(modified) - timedelta(seconds=1), usegmt=True)
    assert get(server, record, If_Modified_Since=modified).status_code == 304
    assert get(server, record, If_Modified_Since=earlier).status_code == 200
    for nonsense in ("yesterday", "Mon, 01 Jan 99999999999 00:00:00 GMT", "x" * 5000):
        assert get(server, record, If_Modified_Since=nonsense).status_code == 200
        part = get(server, record, If_Range=nonsense, Range="bytes=0-1")
        assert part.status_code == 200
    huge_zone = "Mon, 01 Jan 2026 00:00:00 +99999999999999"
    assert get(server, record, If_Modified_Since=huge_zone).status_code == 200
    answer = get(server, record, If_Modified_Since=modified, If_None_Match='"other"')
    assert answer.status_code == 200, "If-None-Match decides alone"


def test_if_range(server: Server, record: dict[str, Any], mp3: bytes) -> None:
    headers = get(server, record).headers
    for value, status in (
        (headers["etag"], 206),
        (headers["last-modified"], 206),
        ('"other"', 200),
        (f"W/{headers['etag']}", 200),
        ("Thu, 01 Jan 2026 00:00:00 GMT", 200),
        ("nonsense", 200),
    ):
        answer = get(server, record, Range="bytes=10-19", If_Range=value)
        assert answer.status_code == status, value
        assert answer.content == (mp3[10:20] if status == 206 else mp3)


def test_curl_resumes_a_download(
    server: Server, record: dict[str, Any], mp3: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "part.mp3"
    file.write_bytes(mp3[:300_001])
    subprocess.run(["curl", "-sS", "-C", "-", "-o", file, record["url"]], check=True)
    assert file.read_bytes() == mp3


def test_a_link_tells_a_stranger_nothing(
    server: Server, record: dict[str, Any], bob: Caller
) -> None:
    mine = bob.record()
    pairs = [
        (mine["id"], record["user"]),
        (record["id"], bob.id),
        (str(uuid.uuid4()), bob.id),
        ("\x00", bob.id),
        (record["id"], ""),
        ("", ""),
        ("../../etc/passwd", "' OR 1=1 --"),
        (record["id"] + " ", record["user"]),
        ("{" + record["id"] + "}", record["user"]),
        ("x" * 5000, record["user"]),
    ]
    problems = [
        assert_problem(
            server.client.get("/record", params={"id": record_id, "user": user_id}),
            404,
            "not_found",
        )
        for record_id, user_id in pairs
    ]
    assert_problem(server.client.get("/record"), 404, "not_found")
    assert len({problem["detail"] for problem in problems}) == 1


def test_the_raw_nul_of_a_hostile_link(server: Server, record: dict[str, Any]) -> None:
    answer = server.client.get(f"/record?id=%00&user={record['user']}")
    assert_problem(answer, 404, "not_found")


def test_a_wav_that_was_not_kept(server: Server, record: dict[str, Any]) -> None:
    assert_problem(server.client.get(record["url"] + "&format=wav"), 404, "not_found")


def test_a_format_we_do_not_have(server: Server, record: dict[str, Any]) -> None:
    assert_problem(server.client.get(record["url"] + "&format=ogg"), 422, "invalid_request")


def test_what_others_append_to_a_link_does_no_harm(
    server: Server, record: dict[str, Any], mp3: bytes
) -> None:
    assert server.client.get(record["url"] + "&fbclid=abc").content == mp3


def waveform(server: Server, record: dict[str, Any]) -> httpx2.Response:
    return server.client.get(record["url"].replace("/record?", "/record/waveform?"))


def test_the_waveform_is_there_for_whoever_has_the_link(
    server: Server, record: dict[str, Any]
) -> None:
    answer = waveform(server, record)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert "immutable" in answer.headers["cache-control"]
    document = answer.json()
    seconds = document["length"] * document["samples_per_pixel"] / document["sample_rate"]
    assert seconds == pytest.approx(record["duration"], abs=0.1)
    assert len(document["data"]) == 2 * document["length"] < 8_192
    assert min(document["data"]) < -10
    assert max(document["data"]) > 10


def test_the_waveform_of_what_is_unknown_or_removed_is_not_found(
    server: Server, ann: Caller
) -> None:
    record = ann.record()
    assert waveform(server, record).status_code == 200
    assert ann.delete(f"/records/{record['id']}").status_code == 204
    assert_problem(waveform(server, record), 404, "not_found")
    assert_problem(server.client.get("/record/waveform?id=1&user=2"), 404, "not_found")


def test_tags_behind_the_sound_are_in_the_mp3_and_its_hash_is_right(
    server: Server, ann: Caller
) -> None:
    tags = sound.chunk(b"LIST", b"INFO" + sound.chunk(b"INAM", "Звонок".encode("cp1251")))
    record = ann.upload(sound.wav(sound.speech_like(60, 44_100)) + tags, bitrate="128").json()
    mp3 = server.client.get(record["url"]).content
    assert record["receipt"]["tags"] == {"title": "Звонок"}
    assert mp3[:3] == b"ID3"
    assert len(mp3) == record["bytes"]
    assert hashlib.sha256(mp3).hexdigest() == record["receipt"]["mp3"]["sha256"]
    assert len(sound.decode(mp3)[0]) == record["receipt"]["mp3"]["samples"] == 60 * 44_100
    middle = server.client.get(record["url"], headers={"Range": "bytes=300000-700000"})
    assert middle.content == mp3[300_000:700_001]
