"""A WAV is posted, in either shape, and its link gives the right MP3."""

import base64
import hashlib
import threading
import uuid
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx2
import numpy as np
import pytest

from tests import sound
from tests.service import Caller, Server, assert_problem

SAMPLES = sound.tone(1.5, 16_000, (440.0, 660.0))
WAV = sound.wav(SAMPLES, 16_000)


def in_pieces(wav: bytes, size: int = 10_000) -> Iterator[bytes]:
    return (wav[at : at + size] for at in range(0, len(wav), size))


def assert_is_the_sound(server: Server, answer: httpx2.Response) -> None:
    """201, and the link gives an MP3 that decodes to what went in, with the receipt's hash."""
    assert answer.status_code == 201, answer.text
    record = answer.json()
    mp3 = server.client.get(record["url"]).content
    assert hashlib.sha256(mp3).hexdigest() == record["receipt"]["mp3"]["sha256"]
    assert len(mp3) == record["bytes"]
    heard, rate = sound.decode(mp3)
    assert (rate, heard.shape) == (16_000, SAMPLES.shape)
    for channel, expected in enumerate((440, 660)):
        assert sound.pitch(heard[:, channel], rate) == pytest.approx(expected, abs=1)
        assert sound.loudness_db(heard[:, channel]) == pytest.approx(-9.03, abs=0.5)


def test_a_form_with_the_credentials_first(ann: Caller, server: Server) -> None:
    answer = ann.upload(WAV)
    assert_is_the_sound(server, answer)
    record = answer.json()
    assert answer.headers["location"] == record["url"]
    link = urlsplit(record["url"])
    assert f"{link.scheme}://{link.netloc}{link.path}" == f"{server.url}/record"
    assert parse_qs(link.query) == {"id": [record["id"]], "user": [ann.id]}
    assert record | {"id": 0, "url": 0, "created_at": 0, "receipt": 0, "bytes": 0} == {
        "id": 0,
        "user": ann.id,
        "status": "ready",
        "expires_at": None,
        "url": 0,
        "name": "call.wav",
        "created_at": 0,
        "duration": 1.5,
        "channels": 2,
        "sample_rate": 16_000,
        "bitrate": 64,
        "bytes": 0,
        "receipt": 0,
    }


def test_the_receipt_tells_what_happened(ann: Caller) -> None:
    receipt = ann.upload(WAV).json()["receipt"]
    assert receipt["source"] == {
        "format": "WAV",
        "codec": "pcm_s16le",
        "channels": 2,
        "sample_rate": 16_000,
        "bits": 16,
        "bytes": len(WAV),
        "sha256": hashlib.sha256(WAV).hexdigest(),
        "samples": len(SAMPLES),
    }
    assert set(receipt["mp3"]) == {"sha256", "frames", "samples", "encoder", "mode"}
    assert receipt["mp3"]["samples"] == len(SAMPLES)
    assert receipt["peak_dbfs"] == pytest.approx(-6.02, abs=0.01)
    assert (receipt["clipped_samples"], receipt["tags"], receipt["warnings"]) == (0, {}, [])


@pytest.mark.parametrize("order", [("file", "id", "token"), ("id", "file", "token")])
def test_a_form_with_the_file_before_the_credentials(
    ann: Caller, server: Server, order: tuple[str, ...]
) -> None:
    parts = {
        "file": ("record", ("call.wav", WAV)),
        "id": ("user_id", (None, ann.id)),
        "token": ("access_token", (None, ann.token)),
    }
    answer = server.client.post("/records", files=[parts[name] for name in order])
    assert_is_the_sound(server, answer)


def test_a_form_with_a_bearer_token_needs_no_credentials(ann: Caller, server: Server) -> None:
    files = {"record": ("call.wav", WAV)}
    assert_is_the_sound(server, server.client.post("/records", files=files, headers=ann.bearer))


def test_bare_bytes(ann: Caller, server: Server) -> None:
    answer = ann.post(WAV, name="interview.wav")
    assert_is_the_sound(server, answer)
    assert answer.json()["name"] == "interview.wav"


def test_bare_bytes_of_unknown_length(ann: Caller, server: Server) -> None:
    assert_is_the_sound(server, ann.post(in_pieces(WAV)))


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="a b.wav"', "a b.wav"),
        ("attachment; filename*=UTF-8''%D0%B7%D0%B2%D1%83%D0%BA.wav", "звук.wav"),
        ("attachment; filename=a.wav; filename*=iso-8859-1'en'caf%E9.wav", "café.wav"),
        ("attachment; filename*=utf-8''b.wav; filename=a.wav", "b.wav"),
        ("attachment; filename*=undefined''x; filename=a.wav", "a.wav"),
        ("attachment; filename*=utf-8''%00%ff%zz", "\ufffd%zz"),
        ("attachment; filename*" + "9" * 5000 + "*=x", "recording.wav"),
    ],
)
def test_the_name_of_bare_bytes_comes_from_content_disposition(
    ann: Caller, disposition: str, name: str
) -> None:
    answer = ann.post(WAV, {"Content-Disposition": disposition})
    assert answer.json()["name"] == name


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../evil.wav", "evil.wav"),
        ("C:\\calls\\one.wav", "one.wav"),
        ("x" * 296 + ".wav", "x" * 251 + ".wav"),
        ("голос ü.wav", "голос ü.wav"),
        ("..", "recording.wav"),
    ],
)
def test_file_names_are_cleaned(ann: Caller, sent: str, kept: str) -> None:
    assert ann.upload(WAV, sent).json()["name"] == kept
    assert ann.post(WAV, name=sent).json()["name"] == kept


def test_control_characters_do_not_get_into_a_file_name(ann: Caller) -> None:
    assert ann.post(WAV, name="a\t\x00\n\u202eb.wav").json()["name"] == "ab.wav"


def test_a_file_name_in_another_charset_is_no_reason_to_refuse(ann: Caller, server: Server) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="record"; filename="caf\xe9.wav"\r\n\r\n'
        + WAV
        + b"\r\n--b--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=b", **ann.bearer}
    answer = server.client.post("/records", content=body, headers=headers)
    assert answer.json()["name"] == "café.wav"


@pytest.mark.parametrize(
    "accept", ["*/*", "text/plain;q=0", "text/plain;q=0.5, application/json", "text/html, */*"]
)
def test_json_is_what_else_is_answered(ann: Caller, accept: str) -> None:
    assert ann.post(WAV, {"Accept": accept}).json()["status"] == "ready"


def test_plain_text_is_the_bare_link(ann: Caller, server: Server) -> None:
    answer = ann.post(WAV, {"Accept": "text/plain"})
    assert answer.status_code == 201
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text == answer.headers["location"]
    assert server.client.get(answer.text).status_code == 200


def test_bitrate_as_a_field_and_in_the_query(ann: Caller) -> None:
    assert ann.upload(WAV, bitrate="96").json()["bitrate"] == 96
    assert ann.post(WAV, bitrate=32).json()["bitrate"] == 32


def test_quality_gives_a_variable_bitrate(ann: Caller, server: Server) -> None:
    answer = ann.post(WAV, quality=2)
    assert_is_the_sound(server, answer)
    assert answer.json()["receipt"]["mp3"]["mode"] == "VBR 2"


def content_digest(body: bytes, name: str = "sha-256") -> str:
    digest = hashlib.new(name.replace("-", ""), body).digest()
    return f"{name}=:{base64.b64encode(digest).decode()}:"


@pytest.mark.parametrize("name", ["sha-256", "sha-512"])
def test_a_digest_that_holds(ann: Caller, server: Server, name: str) -> None:
    assert_is_the_sound(server, ann.post(WAV, {"Content-Digest": content_digest(WAV, name)}))


def test_every_digest_must_hold(ann: Caller, server: Server) -> None:
    headers = [
        *ann.bearer.items(),
        ("Content-Digest", content_digest(WAV, "sha-512")),
        ("Content-Digest", content_digest(WAV + b"x")),
    ]
    answer = server.client.post("/records", content=WAV, headers=headers)
    assert_problem(answer, 422, "digest_mismatch")


def test_a_digest_that_does_not_hold_keeps_nothing(ann: Caller) -> None:
    answer = ann.post(WAV, {"Content-Digest": content_digest(WAV + b"x")})
    assert_problem(answer, 422, "digest_mismatch")
    assert ann.get("/users/me").json()["records"] == 0


@pytest.mark.parametrize("digest", ["sha-256=abc", "sha-256=:!:", "sha-256=:YWJj:", "sha-256="])
def test_a_digest_that_is_none_is_refused(ann: Caller, digest: str) -> None:
    assert_problem(ann.post(WAV, {"Content-Digest": digest}), 422, "invalid_request")


def test_a_digest_we_do_not_know_is_no_obstacle(ann: Caller) -> None:
    assert ann.post(WAV, {"Content-Digest": "md5=:1B2M2Y8AsgTpgAmY7PhCfg==:"}).status_code == 201


def test_eight_uploads_at_once_all_succeed_while_the_service_answers(
    ann: Caller, server: Server
) -> None:
    wav = sound.wav(sound.speech_like(60, 16_000), 16_000)
    answers: list[httpx2.Response] = []

    def upload() -> None:
        with httpx2.Client(base_url=server.url, timeout=60) as client:
            answers.append(client.post("/records", content=wav, headers=ann.bearer))

    threads = [threading.Thread(target=upload) for _ in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert server.client.get("/healthz").status_code == 200
    assert [answer.status_code for answer in answers] == [201] * 8
    assert len({answer.json()["receipt"]["mp3"]["sha256"] for answer in answers}) == 1
    assert len({answer.json()["id"] for answer in answers}) == 8


def test_an_upload_is_larger_than_one_chunk(ann: Caller, server: Server) -> None:
    samples = np.tile(sound.speech_like(10, 44_100), (6, 2))
    record = ann.upload(sound.wav(samples), bitrate="128").json()
    assert record["bytes"] > 3 * 256 * 1024
    mp3 = server.client.get(record["url"]).content
    assert hashlib.sha256(mp3).hexdigest() == record["receipt"]["mp3"]["sha256"]
    assert sound.decode(mp3)[0].shape == samples.shape


def test_the_link_begins_with_the_host_that_was_called(ann: Caller, server: Server) -> None:
    answer = ann.post(WAV, {"Host": "calls.example.org:8443"})
    assert answer.json()["url"].startswith("http://calls.example.org:8443/record?")


def test_forwarded_headers_of_a_stranger_change_nothing(ann: Caller, server: Server) -> None:
    spoofed = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    assert ann.post(WAV, spoofed).json()["url"].startswith(f"{server.url}/record?")


@pytest.mark.parametrize("host", ["evil.example/x?y=", "a b", "<script>", "user@host"])
def test_a_host_that_is_none_makes_no_link(ann: Caller, host: str) -> None:
    assert_problem(ann.post(WAV, {"Host": host}), 422, "invalid_request")


def test_a_strangers_id_gives_away_nothing(ann: Caller, bob: Caller, server: Server) -> None:
    for user_id in (bob.id, str(uuid.uuid4()), "not-an-id", "\x00"):
        answer = server.client.post(
            "/records",
            data={"user_id": user_id, "access_token": ann.token},
            files={"record": ("call.wav", WAV)},
        )
        assert_problem(answer, 401, "unauthorized")
