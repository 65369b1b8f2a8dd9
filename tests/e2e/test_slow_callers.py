"""Callers who trickle, stall or stop reading hold nothing that others need."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from threading import Event, Thread

import pytest
from starlette.types import Message

from tests import sound
from tests.service import Caller, Server, connected, converting, running, sending, wait_for
from wavepost.web.problems import CutOff
from wavepost.web.routes import record

WAV = sound.wav(sound.tone(10, 16_000), 16_000)
HEAD = b"GET /healthz HTTP/1.1\r\nHost: a\r\n"
CONVERTERS = 2


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("slow")
    few = {"converters": str(CONVERTERS), "converter_wait_seconds": "2"}
    with running(folder / "log", data=str(folder), idle_seconds="1", **few) as server:
        yield server
        assert "Traceback" not in server.log


def opened(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=30)


def all_that_comes(connection: socket.socket) -> bytes:
    answer = b""
    with suppress(ConnectionError):
        while piece := connection.recv(65_536):
            answer += piece
    return answer


def ask(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"\r\n")
    answer = connection.recv(65_536)
    while not answer.endswith(b"}"):
        answer += connection.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 200 ")


class Trickle:
    """Sends on, a byte at a time, for as long as the context lasts."""

    def __init__(self, connection: socket.socket, pause_seconds: float) -> None:
        self._connection = connection
        self._pause_seconds = pause_seconds
        self._over = Event()
        self._thread = Thread(target=self._send)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _send(self) -> None:
        with suppress(OSError):
            while not self._over.wait(self._pause_seconds):
                self._connection.sendall(b"a")


def test_a_connection_that_says_nothing_is_closed(server: Server) -> None:
    with opened(server) as connection:
        assert all_that_comes(connection) == b""


def test_headers_that_trickle_are_given_up(server: Server) -> None:
    with opened(server) as connection:
        connection.sendall(HEAD + b"X: ")
        with Trickle(connection, 0.05):
            answer = all_that_comes(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"invalid_request" in answer


def test_so_are_those_of_a_second_request(server: Server) -> None:
    with opened(server) as connection:
        ask(connection)
        connection.sendall(HEAD + b"X: ")
        with Trickle(connection, 0.05):
            assert all_that_comes(connection).startswith(b"HTTP/1.1 408 ")


def test_a_connection_in_use_lives_on(server: Server) -> None:
    with opened(server) as connection:
        until = time.monotonic() + 2.5
        while time.monotonic() < until:
            ask(connection)


def test_who_sends_on_after_a_refusal_is_cut_off(server: Server) -> None:
    with connected(server, "no-token", 1_000_000_000) as connection, Trickle(connection, 0.05):
        assert all_that_comes(connection).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("sent", [100, 100_000], ids=["before a converter", "with a converter"])
def test_a_body_that_trickles_is_given_up(server: Server, sent: int) -> None:
    ann = Caller(server)
    with sending(server, ann, WAV, sent) as connection, Trickle(connection, 0.05):
        assert all_that_comes(connection).startswith(b"HTTP/1.1 408 ")
    assert ann.get("/records").json()["records"] == []


def test_a_slow_sender_who_sends_enough_is_served(server: Server) -> None:
    """Half of what the smallest recorder makes."""
    ann = Caller(server)
    wav = sound.wav(sound.tone(0.3, 8_000), 8_000)
    with sending(server, ann, wav, 400) as connection:
        for start in range(400, len(wav), 80):
            time.sleep(0.1)
            connection.sendall(wav[start : start + 80])
        assert connection.recv(65_536).startswith(b"HTTP/1.1 201 ")


def test_slow_senders_hold_no_converter_and_one_user_not_all_of_them(server: Server) -> None:
    greedy, ann = Caller(server, "greedy"), Caller(server)
    slow = [sending(server, greedy, WAV, 1_000) for _ in range(2 * CONVERTERS)]
    assert ann.post(WAV).status_code == 201
    assert not converting(server)
    fast = [sending(server, greedy, WAV, 100_000) for _ in range(2 * CONVERTERS)]
    wait_for(lambda: converting(server), "the greedy one's converter")
    assert ann.post(WAV).status_code == 201
    for connection in slow + fast:
        connection.close()
    wait_for(lambda: not converting(server), "the greedy one's converter to end")


async def test_a_caller_who_stops_reading_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "STALLED_SECONDS", 0.01)

    async def pieces():
        yield b"some"

    async def never(message: Message) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    answer = record._Pieces(pieces(), 4, 200, {})
    with pytest.raises(CutOff, match="took nothing"):
        await answer({}, never, never)
