"""Recordings from elsewhere, through HTTP on both databases (`tests/corpus.py`)."""

import pytest

from tests.corpus import Sample, outcome, samples
from tests.service import Caller, Server


@pytest.fixture(scope="module")
def sender(server: Server) -> Caller:
    return Caller(server, "Corpus")


@pytest.mark.parametrize("sample", [*samples()], ids=lambda sample: sample.name)
def test_a_recording_from_elsewhere(sample: Sample, sender: Caller) -> None:
    found = outcome(sample, sender)
    assert not found.wrong, found.got
