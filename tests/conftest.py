"""What the tests share: both databases, and a server on each."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos import SEED
from tests.postgres import Postgres, running_postgres
from tests.service import Caller, Server, count_unfinished, running, wait_for


def pytest_configure() -> None:
    """Have Ctrl-C reach the commands under test, also where a shell that began us ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header() -> str:
    """What the faults of test_faults.py follow from."""
    return f"WAVEPOST_CHAOS_SEED={SEED}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Everything that uses it runs once on each."""
    kind: str = request.param
    return kind


def new_database_url(kind: str, folder: Path, request: pytest.FixtureRequest) -> str:
    """The URL of a fresh database with every table."""
    if kind == "sqlite":
        return f"sqlite:///{folder / 'wavepost.db'}"
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.migrated()


@pytest.fixture
def database_url(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """A fresh database for one test."""
    return new_database_url(database_kind, tmp_path, request)


@pytest.fixture(scope="session")
def server(
    database_kind: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Server]:
    """A server with default settings but two, shared by all tests that only need one."""
    folder = tmp_path_factory.mktemp(database_kind)
    url = new_database_url(database_kind, folder, request)
    # All tests have one address.
    limits = {"signup_rate_limit": "0", "failure_rate_limit": "0"}
    with running(folder / "log", database_url=url, **limits) as server:
        yield server
        assert "Traceback" not in server.log, "no test may make the server stumble"


@pytest.fixture
def ann(server: Server) -> Caller:
    """A user who is new in each test."""
    return Caller(server, "Ann")


@pytest.fixture
def nothing_left_behind(server: Server) -> Iterator[None]:
    """After the test, the database holds no half recording."""
    yield
    url = server.settings["database_url"]
    wait_for(lambda: count_unfinished(url) == 0, "unfinished records to go")


@pytest.fixture
def bob(server: Server) -> Caller:
    """Another one."""
    return Caller(server, "Bob")
