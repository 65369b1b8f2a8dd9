"""Two hundred callers at once: `make load` is the long version."""

from pathlib import Path

import pytest

from tests.conftest import new_database_url
from tests.load import BUSY, CREATED, MIB, burden
from tests.service import count_unfinished, running

SECONDS = 4
MOST_MIB = 600


def test_two_hundred_callers_get_a_record_or_hear_busy(
    database_kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = new_database_url(database_kind, tmp_path, request)
    # So few places that some of the callers find none.
    with running(tmp_path / "log", database_url=url, converter_queue="100") as server:
        load = burden(server, SECONDS)
        assert load.others == []
        assert load.lost == []
        assert set(load.answers) == {CREATED, BUSY}
        assert load.answers[CREATED] == len(load.acknowledged) > 0
        assert load.most_bytes < MOST_MIB * MIB
        assert count_unfinished(url) == 0
        assert "Traceback" not in server.log
