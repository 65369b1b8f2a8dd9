"""Damaged recordings: nothing false goes out, and the service goes on."""

import os
from pathlib import Path

import httpx2
import pytest

from tests.conftest import new_database_url
from tests.kept import HEAD_BYTES, change, keep_record, keep_user
from tests.service import assert_problem, running
from wavepost.storage.chunks import CHUNK_BYTES

MP3 = os.urandom(HEAD_BYTES + 2 * CHUNK_BYTES + 1000)


@pytest.mark.parametrize("size", [0, 10, CHUNK_BYTES + 1], ids=["empty", "short", "long"])
def test_a_chunk_of_the_wrong_size_ends_the_download(
    database_kind: str, tmp_path: Path, request: pytest.FixtureRequest, size: int
) -> None:
    url = new_database_url(database_kind, tmp_path, request)
    user_id = keep_user(url)
    record_id = keep_record(url, user_id, MP3)
    change(url, "UPDATE chunks SET data = :data WHERE number = 2", data=os.urandom(size))
    with running(tmp_path / "log", database_url=url) as server:
        link = f"/record?id={record_id}&user={user_id}"
        from_there = {"Range": f"bytes={HEAD_BYTES + CHUNK_BYTES + 5}-"}
        assert_problem(server.client.get(link, headers=from_there), 500, "internal")
        with pytest.raises(httpx2.RemoteProtocolError):
            server.client.get(link)
        assert server.client.get("/healthz").status_code == 200
        assert "wavepost fsck" in server.log
