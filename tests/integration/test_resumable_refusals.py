"""What is sent wrongly of a resumable upload is refused, and leaves nothing behind."""

import socket
from typing import Any
from uuid import UUID

import pytest

from tests.resuming import HALF, PIECE_TYPE, TUS, WAV, Upload, stored
from tests.service import (
    Caller,
    Server,
    assert_problem,
    execute,
    wait_for,
)
from wavepost.storage.database import is_sqlite


def begun(server: Server, caller: Caller) -> int:
    """How many uploads of the caller's the database has."""
    url = server.settings["database_url"]
    user_id: Any = UUID(caller.id)
    query = "SELECT count(*) FROM resumable_uploads WHERE user_id = :id"
    return int(execute(url, query, id=user_id.hex if is_sqlite(url) else user_id))


def test_what_is_no_wav_is_refused_while_it_comes_and_goes(ann: Caller, server: Server) -> None:
    upload = Upload(ann, 10**9)
    with upload.sending(server, 0, 10**9, bytes(3_000_000)) as connection:
        assert b"415" in connection.recv(1000).split(b"\r\n")[0]
    assert_problem(ann.get(upload.path), 404, "not_found")
    assert stored(server, upload) == 0


def test_a_piece_that_was_altered_is_forgotten(ann: Caller) -> None:
    upload = Upload(ann, len(WAV))
    assert upload.add(0, WAV[:100]).status_code == 204
    digest = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
    answer = upload.add(100, WAV[100:], content_digest=digest)
    assert_problem(answer, 422, "digest_mismatch")
    assert upload.offset == 100
    assert upload.add(100, WAV[100:]).status_code == 204


def test_it_is_its_users_alone(ann: Caller, bob: Caller) -> None:
    upload = Upload(ann, len(WAV))
    upload.caller = bob
    assert_problem(upload.add(0, WAV), 404, "not_found")
    assert upload.head().status_code == upload.give_up().status_code == 404
    assert_problem(bob.get(upload.path), 404, "not_found")
    upload.caller = ann
    assert upload.offset == 0


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Tus-Resumable": "0.2.2"}, 412, "invalid_request"),
        ({"Content-Type": "audio/wav"}, 415, "invalid_request"),
        ({"Upload-Offset": "-1"}, 422, "invalid_request"),
        ({"Upload-Offset": "7"}, 409, "offset_conflict"),
        ({"Upload-Length": "1e3"}, 422, "invalid_request"),
        ({"Authorization": "Bearer no"}, 401, "unauthorized"),
    ],
)
def test_a_piece_that_is_sent_wrongly_is_refused(
    ann: Caller, headers: dict[str, str], status: int, code: str
) -> None:
    upload = Upload(ann, len(WAV))
    sent = {"Upload-Offset": "0", "Content-Type": PIECE_TYPE, **TUS, **ann.bearer, **headers}
    answer = ann.server.client.patch(upload.path, content=WAV[:10], headers=sent)
    assert_problem(answer, status, code)
    assert answer.headers["tus-resumable"] == "1.0.0"
    assert upload.offset == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Upload-Length": "x"},
        {"Upload-Length": "10", "Upload-Defer-Length": "1"},
        {"Upload-Defer-Length": "2"},
        {"Upload-Length": "10", "Upload-Metadata": "filename ***"},
        {"Upload-Length": "10", "Upload-Metadata": "bitrate MQ=="},
    ],
)
def test_what_is_planned_wrongly_is_refused(ann: Caller, headers: dict[str, str]) -> None:
    answer = ann.server.client.post("/uploads", headers={**TUS, **ann.bearer, **headers})
    assert_problem(answer, 422, "invalid_request")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Encoding": "gzip"},
        {"Content-Digest": "sha-256=?"},
        {"Content-Digest": "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"},
    ],
)
def test_nothing_is_begun_with_a_first_piece_that_is_refused(
    ann: Caller, server: Server, headers: dict[str, str]
) -> None:
    first = {"Upload-Length": str(len(WAV)), "Content-Type": PIECE_TYPE, **TUS, **ann.bearer}
    answer = server.client.post("/uploads", content=WAV[:10], headers={**first, **headers})
    assert answer.status_code in (415, 422)
    assert begun(server, ann) == 0


def test_nothing_is_begun_for_who_hangs_up_before_hearing_where(
    ann: Caller, server: Server
) -> None:
    Upload(ann, len(WAV), key="known")
    lines = [
        "POST /uploads HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {ann.token}",
        f"Content-Type: {PIECE_TYPE}",
        "Tus-Resumable: 1.0.0",
        f"Upload-Length: {len(WAV)}",
        f"Content-Length: {len(WAV)}",
    ]
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + WAV[:HALF])
        wait_for(lambda: begun(server, ann) == 2, "it to begin")
    wait_for(lambda: begun(server, ann) == 1, "it to go")


def test_nothing_and_too_much_are_refused_at_once(ann: Caller) -> None:
    assert_problem(Upload(ann, 0).answer, 422, "empty_audio")
    assert_problem(Upload(ann, 10**12).answer, 413, "too_large")


def test_a_length_is_no_less_than_what_is_here(ann: Caller) -> None:
    upload = Upload(ann, None)
    assert upload.add(0, WAV[:HALF]).status_code == 204
    answer = upload.add(HALF, b"", upload_length=str(HALF - 1))
    assert_problem(answer, 422, "invalid_request")
    assert upload.add(HALF, WAV[HALF:], upload_length=str(len(WAV))).status_code == 204
    assert upload.record["receipt"]["source"]["bytes"] == len(WAV)


def test_so_many_may_be_unfinished(ann: Caller) -> None:
    answers = [Upload(ann, 10).answer for _ in range(101)]
    assert {answer.status_code for answer in answers[:100]} == {201}
    assert_problem(answers[100], 403, "quota_exceeded")
