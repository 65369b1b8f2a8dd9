"""Each wrong upload gets its status, its code and a sentence, and leaves nothing behind."""

import contextlib
import json
import socket
import urllib.error
import urllib.request
import uuid

import httpx2
import numpy as np
import pytest

from tests import sound
from tests.service import Caller, Server, assert_problem, connected, sending

pytestmark = pytest.mark.usefixtures("nothing_left_behind")

WAV = sound.wav(sound.tone(0.3, 8_000), 8_000)


def form(*parts: tuple[str, bytes], closed: bool = True) -> bytes:
    """A multipart body, boundary `b`, of (Content-Disposition parameters, value)."""
    body = b"".join(
        b"--b\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (name.encode(), value)
        for name, value in parts
    )
    return body + (b"--b--\r\n" if closed else b"")


def send(
    caller: Caller, body: bytes, content_type: str = "multipart/form-data; boundary=b"
) -> httpx2.Response:
    headers = {"Content-Type": content_type, **caller.bearer}
    return caller.server.client.post("/records", content=body, headers=headers)


FILE = ('name="record"; filename="a.wav"', WAV)


@pytest.mark.parametrize(
    ("bytes_sent", "status", "code"),
    [
        (b"", 415, "not_a_wav"),
        (b"This is a text that somebody renamed.", 415, "not_a_wav"),
        (b"ID3\x04\0\0\0\0\0\0" + bytes(500), 415, "not_a_wav"),
        (WAV[:3], 422, "damaged_wav"),
        (WAV[:20], 422, "damaged_wav"),
        (WAV[:36], 422, "damaged_wav"),
        (sound.wav(np.zeros((0, 1))), 422, "empty_audio"),
        (b"RIFX" + WAV[4:], 415, "unsupported_codec"),
        (WAV[:20] + b"\x70\x00" + WAV[22:], 415, "unsupported_codec"),
        (WAV[:24] + bytes(4) + WAV[28:], 422, "damaged_wav"),
    ],
    ids=[
        "empty",
        "text",
        "mp3",
        "3 bytes",
        "20 bytes",
        "no data chunk",
        "no samples",
        "big-endian",
        "foreign codec",
        "rate 0",
    ],
)
def test_what_can_not_become_an_mp3(ann: Caller, bytes_sent: bytes, status: int, code: str) -> None:
    assert_problem(ann.upload(bytes_sent), status, code)
    assert_problem(ann.post(bytes_sent), status, code)
    assert ann.get("/records").json()["records"] == []


def test_a_large_file_that_is_no_wav_hears_so_although_it_sends_on(ann: Caller) -> None:
    assert_problem(ann.post(b"%PDF-1.7" + bytes(30_000_000)), 415, "not_a_wav")


def test_no_file(ann: Caller, server: Server) -> None:
    data = {"user_id": ann.id, "access_token": ann.token}
    problem = assert_problem(
        server.client.post("/records", files={name: (None, value) for name, value in data.items()}),
        422,
        "invalid_request",
    )
    assert problem["errors"][0]["field"] == "record"


def test_a_file_in_another_field(ann: Caller) -> None:
    answer = send(ann, form(('name="file"; filename="a.wav"', WAV)))
    assert_problem(answer, 422, "invalid_request")


def test_text_where_the_file_should_be(ann: Caller) -> None:
    assert_problem(send(ann, form(('name="record"', b"hello"))), 422, "invalid_request")


@pytest.mark.parametrize("name", ["user_id", "access_token", "bitrate"])
def test_a_field_twice(ann: Caller, name: str) -> None:
    twice = (f'name="{name}"', b"32")
    problem = assert_problem(send(ann, form(twice, twice, FILE)), 422, "invalid_request")
    assert problem["errors"] == [{"field": name, "detail": "send it once"}]


def test_the_file_twice(ann: Caller) -> None:
    assert_problem(send(ann, form(FILE, FILE)), 422, "invalid_request")
    assert ann.get("/records").json()["records"] == []


def test_an_option_in_the_query_and_in_the_form(ann: Caller, server: Server) -> None:
    answer = server.client.post(
        "/records?bitrate=32",
        data={"bitrate": "32"},
        files={"record": ("a.wav", WAV)},
        headers=ann.bearer,
    )
    assert_problem(answer, 422, "invalid_request")


def test_credentials_after_the_file_must_agree_with_the_header(
    ann: Caller, bob: Caller, server: Server
) -> None:
    for name, value in (("user_id", bob.id), ("access_token", bob.token), ("access_token", "")):
        answer = send(ann, form(FILE, (f'name="{name}"', value.encode())))
        assert_problem(answer, 401, "unauthorized")
    mine = (
        ('name="user_id"', ann.id.upper().encode()),
        ('name="access_token"', ann.token.encode()),
    )
    assert send(ann, form(FILE, *mine)).status_code == 201


def test_an_option_after_the_file_comes_too_late(ann: Caller) -> None:
    problem = assert_problem(
        send(ann, form(FILE, ('name="bitrate"', b"32"))), 422, "invalid_request"
    )
    assert problem["errors"][0]["field"] == "bitrate"


@pytest.mark.parametrize("name", ["speed", "Bitrate", "", "x" * 500, "\x00", "__proto__"])
def test_an_unknown_option(ann: Caller, name: str) -> None:
    assert_problem(ann.post(WAV, **{name: "1"}), 422, "invalid_request")
    assert_problem(ann.upload(WAV, **{name: "1"}), 422, "invalid_request")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bitrate", "0"),
        ("bitrate", "-64"),
        ("bitrate", "65"),
        ("bitrate", "64.0"),
        ("bitrate", "fast"),
        ("bitrate", ""),
        ("bitrate", "٦٤"),
        ("bitrate", "9" * 900),
        ("quality", "10"),
        ("quality", "-1"),
        ("quality", "\x00"),
    ],
)
def test_an_option_out_of_its_range(ann: Caller, name: str, value: str) -> None:
    for answer in (ann.post(WAV, **{name: value}), ann.upload(WAV, **{name: value})):
        assert assert_problem(answer, 422, "invalid_request")["errors"][0]["field"] == name


def test_bitrate_and_quality_together(ann: Caller) -> None:
    assert_problem(ann.post(WAV, bitrate=64, quality=2), 422, "invalid_request")


def test_a_token_in_the_query_is_refused(ann: Caller, server: Server) -> None:
    query = {"user_id": ann.id, "access_token": ann.token}
    answer = server.client.post("/records", params=query, content=WAV)
    assert answer.status_code in (401, 422)
    assert ann.token not in answer.text


def test_a_field_too_long(ann: Caller) -> None:
    answer = send(ann, form(('name="user_id"', b"x" * 10_000), FILE))
    assert_problem(answer, 422, "invalid_request")


def test_a_field_that_is_not_text(ann: Caller) -> None:
    answer = send(ann, form(('name="user_id"', b"\xff\xfe"), FILE))
    assert_problem(answer, 422, "invalid_request")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", form(FILE)),
        ("multipart/form-data; boundary=", form(FILE)),
        ("multipart/form-data; boundary=other", form(FILE)),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", form(FILE, closed=False)),
        ("multipart/form-data; boundary=b", form(FILE)[:300]),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\n\n"),
        ("multipart/form-data; boundary=b", b"--b\r\n" + b"X: " + b"y" * 10_000),
        ("multipart/form-data; boundary=b", form(*[('name="user_id"', b"")] * 20)[:900] * 9),
        ("multipart/form-data; boundary=b", form(('filename="a.wav"', WAV))),
    ],
)
def test_a_form_that_can_not_be_parsed(ann: Caller, content_type: str, body: bytes) -> None:
    answer = send(ann, body, content_type)
    assert answer.status_code in (400, 422)
    assert_problem(answer, answer.status_code, "invalid_request")
    assert ann.get("/records").json()["records"] == []


@pytest.mark.parametrize("body", [b"", b"user_id=1&access_token=2", WAV])
def test_bare_bytes_without_a_token(server: Server, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = server.client.post("/records", content=body, headers=headers)
    assert_problem(answer, 401, "unauthorized")


def test_a_form_without_credentials(server: Server) -> None:
    answer = server.client.post("/records", files={"record": ("a.wav", WAV)})
    assert_problem(answer, 401, "unauthorized")


def test_two_tokens_that_differ(ann: Caller, bob: Caller, server: Server) -> None:
    answer = server.client.post(
        "/records",
        data={"user_id": ann.id, "access_token": ann.token},
        files={"record": ("a.wav", WAV)},
        headers=bob.bearer,
    )
    assert_problem(answer, 401, "unauthorized")


def test_a_wrong_token_is_refused_before_the_body_is_asked_for(server: Server) -> None:
    """`Expect: 100-continue`: the refusal comes instead of the invitation to send."""
    token = str(uuid.uuid4())
    with connected(server, token, 1_000_000, "Expect: 100-continue") as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 401 ")


def test_a_sender_that_hangs_up_leaves_nothing(ann: Caller, server: Server) -> None:
    long_wav = sound.wav(sound.tone(30, 8_000), 8_000)
    with sending(server, ann, long_wav, len(long_wav) // 2):
        pass
    assert ann.get("/records").json()["records"] == []
    assert ann.record()["status"] == "ready"


def test_a_compressed_body_is_refused(ann: Caller) -> None:
    assert_problem(ann.post(WAV, {"Content-Encoding": "gzip"}), 415, "invalid_request")


def answer_to(server: Server, request: bytes) -> bytes:
    """What comes back for raw bytes, up to the end of the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(OSError):
            while piece := connection.recv(65_536):
                answer += piece
        return answer


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 2_000_000,
        b"GET /healthz HTTP/1.1\r\nHost: a\r\n" + b"a: b\r\n" * 300_000,
        b"POST /users HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /users HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"hello\r\n\r\n",
    ],
    ids=["long header", "many headers", "negative length", "two lengths", "raw path", "no HTTP"],
)
def test_what_is_no_http_gets_a_problem_and_costs_little(
    server: Server, request_bytes: bytes
) -> None:
    head, _, body = answer_to(server, request_bytes).partition(b"\r\n\r\n")
    if head:  # a sender who is still sending may lose the answer with the connection
        assert head.startswith(b"HTTP/1.1 400 ")
        assert b"application/problem+json" in head
        assert b"nosniff" in head
        assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert json.loads(body)["code"] == "invalid_request"
    assert server.client.get("/healthz").status_code == 200


def test_half_a_request_is_not_carried_out(server: Server) -> None:
    half = b'{"name": "half a request"}'
    head = (
        b"POST /users HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        b"Content-Length: 500\r\n\r\n"
    )
    assert b"201" not in answer_to(server, head + half)


def test_the_verdict_is_heard_in_the_middle_of_a_large_upload(ann: Caller) -> None:
    """The converter refuses while much is still on its way to it."""
    for _ in range(10):
        assert_problem(ann.post(b"no WAV " * 500_000), 415, "not_a_wav")


@pytest.mark.parametrize("token_is_right", [True, False])
def test_a_sender_that_closes_hears_the_refusal_too(ann: Caller, token_is_right: bool) -> None:
    """urllib sends `Connection: close` and reads nothing until all is sent."""
    token = ann.token if token_is_right else str(uuid.uuid4())
    for _ in range(5):
        request = urllib.request.Request(
            f"{ann.server.url}/records",
            data=b"no WAV " * 2_000_000,
            headers={"Authorization": f"Bearer {token}"},
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=60)
        with refused.value:
            assert refused.value.code == (415 if token_is_right else 401)
            assert json.loads(refused.value.read())["detail"]


def test_noise_behind_a_refusal_only_ends_the_connection(server: Server) -> None:
    head = b"POST /users HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"11170\r\n" + bytes(0x11170) + b"\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(head + chunk)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413 ")
        with contextlib.suppress(OSError):
            connection.sendall(b"zz\r\n")
            while connection.recv(65_536):
                pass
    assert "Fatal error" not in server.log


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing-here", 404, "not_found"),
        ("GET", "/records/%00", 401, "unauthorized"),
        ("PUT", "/records", 405, "invalid_request"),
        ("POST", "/healthz", 405, "invalid_request"),
        ("GET", "/users", 405, "invalid_request"),
        ("GET", "/record/", 404, "not_found"),
        ("POST", "/records/", 404, "not_found"),
        ("GET", "/%ff%fe/../..%2f", 404, "not_found"),
    ],
)
def test_unknown_paths_and_methods(
    server: Server, method: str, path: str, status: int, code: str
) -> None:
    answer = server.client.request(method, path)
    assert_problem(answer, status, code)
    assert ("allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/records", "GET, POST"),
        ("/users/me", "DELETE, GET"),
        ("/users/me/token", "POST"),
        ("/docs", "GET"),
    ],
)
def test_a_method_that_is_not_there_hears_which_are(
    server: Server, path: str, methods: str
) -> None:
    assert server.client.patch(path).headers["allow"] == methods
