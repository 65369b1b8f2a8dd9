"""Resumable uploads: what came stays, and any server takes the next piece."""

import threading
from typing import Any
from uuid import UUID

from tests import sound
from tests.resuming import HALF, PIECE_TYPE, RATE, SOUND, TUS, WAV, Upload, pieces
from tests.service import (
    Caller,
    Server,
    assert_problem,
    converting,
    execute,
    running,
    wait_for,
)
from wavepost.storage.database import is_sqlite


def holder(server: Server, upload: Upload) -> Any:
    """The request that adds to the upload."""
    url = server.settings["database_url"]
    query = "SELECT holder FROM resumable_uploads WHERE id = :id"
    upload_id: Any = UUID(upload.path.rpartition("/")[2])
    return execute(url, query, id=upload_id.hex if is_sqlite(url) else upload_id)


def test_pieces_become_the_recording_that_the_whole_would_have_become(ann: Caller) -> None:
    whole = ann.post(WAV, name="whole.wav").json()
    upload = Upload(ann, len(WAV), filename="звонок.wav")
    assert upload.answer.status_code == 201
    for start in range(0, len(WAV), 1_700_001):
        piece = WAV[start : start + 1_700_001]
        answer = upload.add(start, piece)
        assert answer.status_code == 204
        assert answer.headers["upload-offset"] == str(start + len(piece))
    assert upload.offset == len(WAV)
    record = upload.record
    assert record == ann.get(f"/records/{record['id']}").json()
    assert record["name"] == "звонок.wav"
    assert record["receipt"]["source"] == whole["receipt"]["source"]
    assert record["receipt"]["mp3"] == whole["receipt"]["mp3"]
    mp3 = ann.server.client.get(record["url"]).content
    assert mp3 == ann.server.client.get(whole["url"]).content


def test_one_request_may_bring_it_all(ann: Caller) -> None:
    upload = Upload(ann, len(WAV), body=WAV, bitrate=96)
    assert upload.answer.status_code == 201
    assert upload.answer.headers["upload-offset"] == str(len(WAV))
    assert upload.record["bitrate"] == 96


def test_what_came_before_the_line_was_cut_stays(ann: Caller, server: Server) -> None:
    upload = Upload(ann, len(WAV))
    connection = upload.sending(server, 0, len(WAV), WAV[:HALF])
    wait_for(lambda: upload.show()["offset"] > 0, "the first pieces")
    connection.close()
    wait_for(lambda: upload.show()["offset"] == HALF, "the rest of them")
    assert upload.add(HALF, WAV[HALF:]).status_code == 204
    assert len(sound.decode(server.client.get(upload.record["url"]).content)[0]) == len(SOUND)


def test_who_asks_where_it_stands_is_the_one_that_goes_on(ann: Caller, server: Server) -> None:
    upload = Upload(ann, len(WAV))
    with upload.sending(server, 0, len(WAV), WAV[:HALF]) as forgotten:
        wait_for(lambda: upload.show()["offset"] > 0, "the first pieces")
        offset = upload.offset
        forgotten.sendall(WAV[HALF:])
        assert b"409" in forgotten.recv(1000).split(b"\r\n")[0]
        assert upload.offset == offset
    assert upload.add(offset, WAV[offset:]).status_code == 204
    assert upload.record["receipt"]["source"]["bytes"] == len(WAV)


def test_any_server_on_the_database_takes_the_next_piece(database_url: str, tmp_path) -> None:
    with (
        running(tmp_path / "one", database_url=database_url) as one,
        running(tmp_path / "two", database_url=database_url) as two,
    ):
        ann = Caller(one)
        upload = Upload(ann, len(WAV))
        for start in range(0, len(WAV), HALF // 2):
            ann.server = two if ann.server is one else one
            assert upload.add(start, WAV[start : start + HALF // 2]).status_code == 204
        ann.server = one
        assert upload.record["receipt"]["source"]["bytes"] == len(WAV)


def test_a_server_that_was_killed_has_what_it_had_stored(database_url: str, tmp_path) -> None:
    with running(tmp_path / "log", database_url=database_url) as server:
        ann = Caller(server)
        upload = Upload(ann, len(WAV))
        connection = upload.sending(server, 0, len(WAV), WAV[:HALF])
        wait_for(lambda: upload.show()["offset"] > 0, "the first pieces")
        server.process.kill()
        connection.close()
    with running(tmp_path / "log", database_url=database_url) as server:
        ann.server = server
        offset = upload.offset
        assert 0 < offset <= HALF
        assert upload.add(offset, WAV[offset:]).status_code == 204
        assert upload.record["receipt"]["source"]["bytes"] == len(WAV)


def test_a_length_may_be_told_with_any_piece(ann: Caller) -> None:
    upload = Upload(ann, None)
    assert upload.head().headers["upload-defer-length"] == "1"
    assert upload.add(0, pieces(WAV[:HALF])).status_code == 204
    assert upload.add(HALF, pieces(WAV[HALF:])).status_code == 204
    assert upload.show()["record"] is None
    answer = upload.add(len(WAV), b"", upload_length=str(len(WAV)))
    assert answer.status_code == 204
    assert upload.record["receipt"]["source"]["bytes"] == len(WAV)


def test_a_length_once_told_holds(ann: Caller) -> None:
    upload = Upload(ann, None)
    assert upload.add(0, WAV[:HALF], upload_length=str(len(WAV))).status_code == 204
    assert upload.head().headers["upload-length"] == str(len(WAV))
    answer = upload.add(HALF, WAV[HALF:], upload_length=str(len(WAV) + 1))
    assert_problem(answer, 422, "invalid_request")
    assert_problem(upload.add(HALF, pieces(WAV[HALF:] + b"more")), 413, "too_large")
    offset = upload.offset
    assert HALF <= offset < len(WAV)
    assert upload.add(offset, WAV[offset:]).status_code == 204
    assert upload.record["receipt"]["source"]["bytes"] == len(WAV)


def test_a_forgotten_request_ends_no_upload_that_another_goes_on_with(
    ann: Caller, server: Server
) -> None:
    short = sound.wav(sound.tone(1, RATE), RATE)
    upload = Upload(ann, len(short))
    with upload.sending(server, 0, len(short), b"no") as forgotten:
        wait_for(lambda: holder(server, upload), "it to begin")
        assert upload.add(0, short[:100]).status_code == 204
        forgotten.sendall(bytes(len(short) - 2))
        assert b"415" in forgotten.recv(1000).split(b"\r\n")[0]
    assert upload.add(100, short[100:]).status_code == 204
    assert upload.record["receipt"]["source"]["bytes"] == len(short)


def test_nobody_takes_over_what_is_being_converted(ann: Caller, server: Server) -> None:
    long = sound.wav(sound.speech_like(300, RATE), RATE)
    upload = Upload(ann, len(long))
    answers = []
    sending = threading.Thread(target=lambda: answers.append(upload.add(0, pieces(long))))
    sending.start()
    wait_for(lambda: converting(server), "the conversion")
    answer = upload.head()
    assert (answer.status_code, answer.headers["retry-after"]) == (423, "2")
    assert_problem(upload.add(0, b""), 423, "upload_locked")
    sending.join()
    assert answers[0].status_code == 204
    assert upload.offset == len(long)


def test_where_no_converter_is_free_the_end_is_sent_again(database_url: str, tmp_path) -> None:
    settings = {"converters": "1", "converter_queue": "0", "converter_wait_seconds": "0.1"}
    with running(tmp_path / "log", database_url=database_url, **settings) as server:
        ann, bob = Caller(server), Caller(server, "Bob")
        upload = Upload(ann, len(WAV))
        assert upload.add(0, WAV[:HALF]).status_code == 204
        held = Upload(bob, len(WAV))
        with held.sending(server, 0, len(WAV), WAV[:HALF]):
            wait_for(lambda: converting(server), "the converter to be taken")
            assert_problem(upload.add(HALF, pieces(WAV[HALF:])), 503, "busy")
        offset = upload.offset
        assert HALF < offset < len(WAV)
        wait_for(lambda: not converting(server), "the converter to be free")
        assert upload.add(offset, WAV[offset:]).status_code == 204
        assert upload.record["receipt"]["source"]["bytes"] == len(WAV)


def test_a_key_finds_the_upload_again(ann: Caller, bob: Caller) -> None:
    upload = Upload(ann, len(WAV), key="content")
    upload.add(0, WAV[:HALF])
    again = Upload(ann, len(WAV), key="content")
    assert again.answer.status_code == 200
    assert (again.path, again.answer.headers["upload-offset"]) == (upload.path, str(HALF))
    assert Upload(bob, len(WAV), key="content").path != upload.path
    for other in (
        Upload(ann, len(WAV) + 1, key="content"),
        Upload(ann, len(WAV), "content", bitrate=64),
    ):
        assert_problem(other.answer, 422, "idempotency_conflict")
    assert again.add(HALF, WAV[HALF:]).status_code == 204
    done = Upload(ann, len(WAV), key="content")
    assert done.answer.headers["upload-offset"] == str(len(WAV))
    assert done.record == upload.record
    ann.delete(f"/records/{done.record['id']}")
    assert Upload(ann, len(WAV), key="content").answer.status_code == 201


def test_it_can_be_given_up_and_its_record_stays(ann: Caller) -> None:
    upload = Upload(ann, len(WAV))
    upload.add(0, WAV[:HALF])
    assert upload.give_up().status_code == 204
    assert upload.give_up().status_code == upload.head().status_code == 404
    done = Upload(ann, len(WAV), body=WAV)
    record = done.record
    assert done.give_up().status_code == 204
    assert ann.get(f"/records/{record['id']}").status_code == 200


def test_what_a_client_asks_first(server: Server) -> None:
    answer = server.client.options("/uploads")
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert "creation" in answer.headers["tus-extension"].split(",")
    limits = server.client.get("/limits").json()
    assert answer.headers["tus-max-size"] == str(limits["max_upload_bytes"])


def test_methods_that_a_network_lets_not_through_may_be_overridden(ann: Caller) -> None:
    upload = Upload(ann, len(WAV))
    headers = {"Upload-Offset": "0", "Content-Type": PIECE_TYPE, **TUS, **ann.bearer}
    patch, delete = ({**headers, "X-HTTP-Method-Override": name} for name in ("PATCH", "DELETE"))
    answer = ann.server.client.post(upload.path, content=WAV[:HALF], headers=patch)
    assert (answer.status_code, upload.offset) == (204, HALF)
    assert ann.server.client.post(upload.path, headers=delete).status_code == 204
    answer = ann.server.client.post(upload.path, headers=headers)
    assert_problem(answer, 422, "invalid_request")


def test_recordings_are_found_by_the_hash_of_their_wav(ann: Caller, bob: Caller) -> None:
    record = ann.post(WAV).json()
    ann.record()
    sha256 = record["receipt"]["source"]["sha256"]
    assert ann.get("/records", params={"sha256": sha256}).json()["records"] == [record]
    assert bob.get("/records", params={"sha256": sha256}).json()["records"] == []
    wrong = ann.get("/records", params={"sha256": sha256.upper()})
    assert_problem(wrong, 422, "invalid_request")
