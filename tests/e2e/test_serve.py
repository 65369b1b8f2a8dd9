"""The process itself: under way, killed and stopped."""

import os
import signal
import threading
from pathlib import Path

import httpx2
import pytest

from tests import sound
from tests.conftest import new_database_url
from tests.service import (
    Caller,
    assert_problem,
    connected,
    converting,
    count_unfinished,
    run,
    running,
    sending,
    wait_for,
)

WAV = sound.wav(sound.tone(6, 16_000), 16_000)


def test_a_restart_loses_nothing(
    database_kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    settings = {"database_url": new_database_url(database_kind, tmp_path, request)}
    with running(tmp_path / "log", **settings) as server:
        ann = Caller(server)
        record = ann.record()
        link = record["url"].removeprefix(server.url)
        mp3 = server.client.get(link).content
        assert server.stop() == 0
    with running(tmp_path / "log", **settings) as server:
        ann.server = server
        assert server.client.get(link).content == mp3
        assert ann.get(f"/records/{record['id']}").json()["receipt"] == record["receipt"]


def test_an_upload_under_way_ends_well_when_the_server_is_told_to_stop(tmp_path: Path) -> None:
    with running(tmp_path / "log", data=str(tmp_path / "data")) as server:
        ann = Caller(server)
        with sending(server, ann, WAV, len(WAV) // 2) as connection:
            wait_for(lambda: converting(server), "the converter to start")
            server.process.send_signal(signal.SIGTERM)
            connection.sendall(WAV[len(WAV) // 2 :])
            assert connection.recv(100).startswith(b"HTTP/1.1 201 ")
        assert server.process.wait(60) == 0


def test_an_upload_under_way_ends_well_when_every_process_is_told_to_stop(tmp_path: Path) -> None:
    """As systemd does; a converter that died of it had the recording refused as damaged."""
    with running(tmp_path / "log", data=str(tmp_path / "data")) as server:
        ann = Caller(server)
        with sending(server, ann, WAV, len(WAV) // 2) as connection:
            wait_for(lambda: converting(server), "the converter to start")
            os.killpg(server.process.pid, signal.SIGTERM)
            connection.sendall(WAV[len(WAV) // 2 :])
            assert connection.recv(100).startswith(b"HTTP/1.1 201 ")
        assert server.process.wait(60) == 0


def test_an_upload_too_slow_for_the_stop_is_told_so_and_leaves_nothing(tmp_path: Path) -> None:
    settings = {"data": str(tmp_path / "data"), "shutdown_seconds": "1"}
    with running(tmp_path / "log", **settings) as server:
        ann = Caller(server)
        with sending(server, ann, WAV, len(WAV) // 2) as connection:
            wait_for(lambda: converting(server), "the converter to start")
            server.process.send_signal(signal.SIGTERM)
            assert connection.recv(100).startswith(b"HTTP/1.1 503 ")
        assert server.process.wait(60) == 0
        assert "Traceback" not in server.log
    assert count_unfinished(f"sqlite:///{tmp_path}/data/wavepost.db") == 0


def test_killed_in_the_middle_of_an_upload_nothing_half_is_seen_and_all_else_is_there(
    database_kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = new_database_url(database_kind, tmp_path, request)
    settings = {"database_url": url, "abandoned_seconds": "1", "keep_wav": "1"}
    wav = sound.wav(sound.speech_like(120, 44_100))
    with running(tmp_path / "log", **settings) as server:
        ann = Caller(server)
        whole = ann.record()
        link = whole["url"].removeprefix(server.url)
        with sending(server, ann, wav, len(wav) * 3 // 4):
            wait_for(lambda: count_unfinished(url), "the first chunk")
            server.stop(signal.SIGKILL)
    with running(tmp_path / "log", **settings) as server:
        ann.server = server
        assert [record["id"] for record in ann.get("/records").json()["records"]] == [whole["id"]]
        wait_for(lambda: "swept 1 unfinished upload" in server.log, "the sweep")
        assert server.client.get(link).status_code == 200


def test_a_converter_that_is_killed_fails_its_own_upload_only(tmp_path: Path) -> None:
    with running(tmp_path / "log", data=str(tmp_path / "data")) as server:
        ann = Caller(server)
        with sending(server, ann, WAV, len(WAV) // 2) as connection:
            for pid in wait_for(lambda: converting(server), "the converter to start"):
                os.kill(pid, signal.SIGKILL)
            assert connection.recv(100).startswith(b"HTTP/1.1 503 ")
        assert [ann.record()["status"], len(ann.get("/records").json()["records"])] == ["ready", 1]


def test_when_all_that_converts_is_killed_uploads_hear_busy_and_the_next_one_works(
    tmp_path: Path,
) -> None:
    with running(tmp_path / "log", data=str(tmp_path / "data")) as server:
        ann = Caller(server)
        with sending(server, ann, WAV, len(WAV) // 2) as connection:
            (pid,) = wait_for(lambda: converting(server), "the converter to start")
            forkserver = int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])
            os.kill(forkserver, signal.SIGKILL)
            os.kill(pid, signal.SIGKILL)
            assert connection.recv(100).startswith(b"HTTP/1.1 503 ")
        assert ann.record()["status"] == "ready"


def test_the_uploaded_wav_is_kept_byte_for_byte_when_asked(
    database_kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = new_database_url(database_kind, tmp_path, request)
    with running(tmp_path / "log", database_url=url, keep_wav="1") as server:
        ann = Caller(server)
        wav = sound.wav(sound.speech_like(20, 44_100)) + sound.chunk(b"LIST", b"INFO")
        record = ann.upload(wav, "take 1.wav").json()
        answer = server.client.get(record["url"] + "&format=wav")
        assert answer.headers["content-type"] == "audio/wav"
        assert answer.headers["etag"] == f'"{record["receipt"]["source"]["sha256"]}"'
        assert 'filename="take 1.wav"' in answer.headers["content-disposition"]
        assert answer.content == wav
        part = server.client.get(
            record["url"] + "&format=wav", headers={"Range": "bytes=262100-800000"}
        )
        assert part.content == wav[262100:800001]
        assert ann.get("/users/me").json()["bytes"] == record["bytes"] + len(wav)
        assert sound.decode(server.client.get(record["url"]).content)[0].shape == (882_000, 1)


def test_limits_in_bytes_and_seconds(tmp_path: Path) -> None:
    limits = {"max_upload_bytes": "100000", "max_seconds": "2"}
    with running(tmp_path / "log", data=str(tmp_path / "data"), **limits) as server:
        ann = Caller(server)
        told = server.client.get("/limits").json()
        assert (told["max_upload_bytes"], told["max_seconds"]) == (100_000, 2)
        large = sound.wav(sound.tone(1, 48_000, (440.0, 440.0)), 48_000)
        assert_problem(ann.post(large), 413, "too_large")
        assert_problem(ann.upload(large), 413, "too_large")
        pieces = (large[at : at + 5000] for at in range(0, len(large), 5000))
        assert_problem(ann.post(pieces), 413, "too_large")
        assert_problem(ann.upload(sound.wav(sound.tone(3, 8_000), 8_000)), 413, "too_long")
        assert ann.get("/records").json()["records"] == []
        assert ann.record(2)["duration"] == 2


def test_too_long_is_said_however_much_is_on_its_way(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    slow = sound.riff(
        sound.chunk(b"fmt ", sound.fmt_chunk(1, 1, 1_000, 8)),
        sound.chunk(b"data", bytes(8_000_000)),
    )
    with running(tmp_path / "log", data=data, max_seconds="1000") as server:
        ann = Caller(server)
        for _ in range(10):
            assert_problem(ann.post(slow), 413, "too_long")


def test_a_download_is_cut_off_when_its_recording_is_removed(tmp_path: Path) -> None:
    with running(tmp_path / "log", data=str(tmp_path / "data"), keep_wav="1") as server:
        ann = Caller(server)
        wav = sound.riff(
            sound.chunk(b"fmt ", sound.fmt_chunk(1, 32, 192_000, 32)),
            sound.chunk(b"data", bytes(64_000_000)),
        )
        record = ann.post(wav).json()
        with server.client.stream("GET", record["url"] + "&format=wav") as answer:
            pieces = answer.iter_raw()
            next(pieces)
            assert ann.delete(f"/records/{record['id']}").status_code == 204
            with pytest.raises(httpx2.RemoteProtocolError):
                for _ in pieces:
                    pass
        assert "while it was answered: There is no such recording" in server.log
        assert "Traceback" not in server.log


def test_too_large_is_said_before_the_body_is_sent(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with running(tmp_path / "log", data=data, max_upload_bytes="1000") as server:
        ann = Caller(server)
        with connected(server, ann.token, 99_999_999, "Expect: 100-continue") as connection:
            assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_sender_who_falls_silent_is_given_up(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with running(tmp_path / "log", data=data, idle_seconds="0.3") as server:
        ann = Caller(server)
        with sending(server, ann, WAV, len(WAV) // 2) as connection:
            assert connection.recv(100).startswith(b"HTTP/1.1 408 ")
        assert ann.get("/records").json()["records"] == []


def test_when_every_converter_is_taken_the_rest_hear_busy(tmp_path: Path) -> None:
    gate = {"converters": "1", "converter_queue": "0"}
    with running(tmp_path / "log", data=str(tmp_path / "data"), **gate) as server:
        ann = Caller(server)
        with sending(server, ann, WAV, len(WAV) // 2) as connection:
            wait_for(lambda: converting(server), "the converter to start")
            answer = ann.post(WAV)
            assert_problem(answer, 503, "busy")
            assert int(answer.headers["retry-after"]) > 0
            connection.sendall(WAV[len(WAV) // 2 :])
            assert connection.recv(100).startswith(b"HTTP/1.1 201 ")
        assert ann.post(WAV).status_code == 201


def test_an_upload_waits_its_turn(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with running(tmp_path / "log", data=data, converters="1") as server:
        ann = Caller(server)
        statuses: list[int] = []

        def upload() -> None:
            with httpx2.Client(base_url=server.url, timeout=60) as client:
                answer = client.post("/records", content=WAV, headers=ann.bearer)
                statuses.append(answer.status_code)

        threads = [threading.Thread(target=upload) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses == [201] * 6


def test_public_url_and_trusted_proxies_shape_the_link(tmp_path: Path) -> None:
    proxy = {"X-Forwarded-Host": "calls.example.org", "X-Forwarded-Proto": "https"}
    data = str(tmp_path / "data")
    with running(tmp_path / "log", data=data, trusted_proxies="127.0.0.0/8") as server:
        url = Caller(server).post(WAV, proxy).json()["url"]
        assert url.startswith("https://calls.example.org/record?")
    with running(tmp_path / "log", data=data, public_url="https://a.example/calls/") as server:
        ann = Caller(server)
        assert ann.post(WAV, proxy).json()["url"].startswith("https://a.example/calls/record?")


def test_health_and_readiness(tmp_path: Path) -> None:
    with running(tmp_path / "log", data=str(tmp_path / "data")) as server:
        assert server.client.get("/healthz").json() == {"status": "ok"}
        assert server.client.get("/readyz").json() == {
            "status": "ok",
            "checks": {"database": "ok", "converter": "ok"},
        }
        healthy = run("health", port=str(server.port))
        assert healthy.returncode == 0
    sick = run("health", port=str(server.port))
    assert sick.returncode == 1
    assert "does not answer" in sick.stderr


def test_the_documentation_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    with running(tmp_path / "log", data=str(tmp_path / "data")) as server:
        assert "https://" not in server.client.get("/docs").text
        document = server.client.get("/openapi.json").json()
        assert document == server.client.get("/openapi.json").json()
        paths = document["paths"]
        assert {"/users", "/users/me", "/users/me/token", "/records", "/record"} <= set(paths)
        upload = paths["/records"]["post"]["requestBody"]["content"]
        assert set(upload) == {"multipart/form-data", "audio/wav"}
        refused = paths["/records"]["post"]["responses"]["415"]
        assert set(refused["content"]) == {"application/problem+json"}
        assert "HTTPValidationError" not in str(document)


def test_tokens_and_links_stay_out_of_the_log(tmp_path: Path) -> None:
    with running(tmp_path / "log", data=str(tmp_path / "data")) as server:
        ann = Caller(server)
        record = ann.record()
        server.client.get(record["url"])
        for mangled in ("/record%3F{}", "/record&{}", "/record;{}", "/" + "x" * 5_000 + "{}"):
            server.client.get(mangled.format(f"id={record['id']}&user={ann.id}"))
        server.client.get("/nothing%0Aforged line")
        wait_for(lambda: "GET /nothing%0Aforged%20line 404" in server.log, "the log")
        assert "GET /record 200" in server.log
        for secret in (ann.token, record["id"], ann.id):
            assert secret not in server.log
        assert max(map(len, server.log.splitlines())) < 400
