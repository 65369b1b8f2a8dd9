"""`wavepost push` through what happens to people: Ctrl-C, a killed server, a proxy's limits."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proxies import proxied
from tests.pushing import kept, long_wav, started, wav_of, wavepost, whereabouts
from tests.relay import Relay
from tests.service import Caller, Server, running, wait_for

HALF = 8 * 1024**2
ON_THE_WAY = 6 * 1024**2
"""What may be in buffers between here and the server when something breaks, with room to spare."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where a user's temporary files and configuration go."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    """A long file to send."""
    path = tmp_path / "long.wav"
    path.write_bytes(long_wav())
    return path


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """Of a server that can be started again at its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return {"data": str(tmp_path / "data"), "port": str(free.getsockname()[1])}


@pytest.fixture
def server(tmp_path: Path, settings: dict[str, str]) -> Iterator[Server]:
    """One for each test, which may be killed."""
    with running(tmp_path / "log", **settings) as server:
        yield server


@pytest.fixture
def relay(server: Server) -> Iterator[Relay]:
    """A line that stalls in the middle of the file."""
    relay = Relay(server.port)
    relay.stalls_at = HALF
    yield relay
    relay.close()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "a kill"])
def test_after_a_stop_the_same_command_goes_on(
    ann: Caller, relay: Relay, home: Path, wav: Path, tmp_path: Path, stop: signal.Signals
) -> None:
    (tmp_path / "a.wav").write_bytes(wav_of())
    command = ["push", "--at-once", "1", tmp_path / "a.wav", wav]
    env = whereabouts(ann, home, f"http://127.0.0.1:{relay.port}")
    with started(*command, env=env) as pushing:
        wait_for(lambda: relay.passed >= HALF, "half of it to pass")
        pushing.send_signal(stop)
        out, said = pushing.communicate()
    assert pushing.returncode == 130
    assert b"Stopped: 1 of 2 not sent" in said
    assert out.count(b"/record?id=") == 1
    relay.mend()
    done = wavepost(*command, env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(out)
    assert kept(ann) == ["long.wav", "a.wav"]
    assert relay.passed < wav.stat().st_size + ON_THE_WAY


def test_a_server_that_is_killed_in_the_middle_gets_the_rest(
    ann: Caller,
    server: Server,
    relay: Relay,
    settings: dict[str, str],
    home: Path,
    wav: Path,
    tmp_path: Path,
) -> None:
    env = whereabouts(ann, home, f"http://127.0.0.1:{relay.port}")
    with started("push", wav, env=env) as pushing:
        wait_for(lambda: relay.passed >= HALF, "half of it to pass")
        server.stop(signal.SIGKILL)
        relay.mend()
        with running(tmp_path / "log", **settings) as again:
            out, said = pushing.communicate()
            assert pushing.returncode == 0, said
            assert b"Trying again" in said
            listed = again.client.get("/records", headers=ann.bearer).json()["records"]
    assert [record["name"] for record in listed] == ["long.wav"]
    assert out.decode().rstrip().endswith(listed[0]["url"].partition("/record")[2])
    assert relay.passed < wav.stat().st_size + ON_THE_WAY


def test_a_file_comes_through_a_proxy_that_takes_less_at_once(
    home: Path, tmp_path: Path, wav: Path
) -> None:
    (tmp_path / "3 MB.wav").write_bytes(wav_of(200))
    with proxied(tmp_path) as (server, url):
        ann = Caller(server)
        done = wavepost("push", wav, tmp_path / "3 MB.wav", env=whereabouts(ann, home, url))
        assert (done.returncode, done.stderr) == (0, b"")
        assert sorted(kept(ann)) == ["3 MB.wav", "long.wav"]


def test_a_proxy_without_a_server_is_explained(home: Path, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav_of())
    with proxied(tmp_path) as (server, url):
        ann = Caller(server)
        server.stop()
        arguments = ["push", "--retry-for", "1", tmp_path / "a.wav"]
        done = wavepost(*arguments, env=whereabouts(ann, home, url))
    assert done.returncode == 1
    assert b"Something in front of the server can't reach it (502)" in done.stderr
