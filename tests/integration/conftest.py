"""What the tests of the client share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import sound
from tests.relay import Relay
from tests.service import Caller, Server
from wavepost.client import Client

WAV = sound.wav(sound.tone(0.5, 8_000), 8_000)


@pytest.fixture
def client(ann: Caller) -> Iterator[Client]:
    """Ann's, who tries everything once."""
    with Client(ann.server.url, ann.token, patience_seconds=0) as client:
        yield client


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    """A file to send."""
    path = tmp_path / "call.wav"
    path.write_bytes(WAV)
    return path


@pytest.fixture
def relay(server: Server) -> Iterator[Relay]:
    """A line to the server that can be cut."""
    relay = Relay(server.port)
    yield relay
    relay.close()
