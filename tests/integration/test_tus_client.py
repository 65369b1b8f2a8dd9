"""A client that others wrote (tuspy) uploads here, and goes on where it was."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError
from tusclient.storage.filestorage import FileStorage
from tusclient.uploader import Uploader

from tests import sound
from tests.relay import Relay
from tests.service import Caller, Server

# It leaves the file open that it sends.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

RATE = 16_000
WAV = sound.wav(sound.speech_like(100, RATE), RATE)


@pytest.fixture(autouse=True)
def no_file_left_open() -> Iterator[None]:
    """Else the warning would come in another test."""
    yield
    gc.collect()


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    path = tmp_path / "long call.wav"
    path.write_bytes(WAV)
    return path


@contextmanager
def uploader(ann: Caller, url: str, wav: Path, store: Path) -> Iterator[Uploader]:
    """As its documentation has it; where it stands is remembered in `store`."""
    client = TusClient(f"{url}/uploads", headers=ann.bearer)
    storage = FileStorage(str(store))
    yield client.uploader(
        str(wav),
        chunk_size=1_000_000,
        metadata={"filename": wav.name},
        store_url=True,
        url_storage=storage,
    )
    storage.close()


def assert_is_there(ann: Caller, server: Server) -> None:
    [record] = ann.get("/records").json()["records"]
    assert record["name"] == "long call.wav"
    assert record["receipt"]["source"]["bytes"] == len(WAV)
    samples, rate = sound.decode(server.client.get(record["url"]).content)
    assert len(samples) / rate == pytest.approx(100)


def test_it_uploads_in_pieces(ann: Caller, server: Server, wav: Path, tmp_path: Path) -> None:
    with uploader(ann, server.url, wav, tmp_path / "store") as sender:
        sender.upload()
    assert_is_there(ann, server)


def test_another_one_goes_on_after_the_line_was_cut(
    ann: Caller, server: Server, wav: Path, tmp_path: Path
) -> None:
    relay = Relay(server.port)
    url = f"http://127.0.0.1:{relay.port}"
    with uploader(ann, url, wav, tmp_path / "store") as first:
        first.upload(stop_at=2_000_000)
        relay.cut()
        with pytest.raises(TusCommunicationError):
            first.upload()
    relay.mend()
    with uploader(ann, url, wav, tmp_path / "store") as second:
        assert second.offset >= 2_000_000
        second.upload()
    relay.close()
    assert_is_there(ann, server)
