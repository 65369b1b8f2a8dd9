"""Brings a database to the newest migration."""

from enum import Enum
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, text

from wavepost.storage.database import (
    CONNECT_SECONDS,
    configure_sqlite,
    is_sqlite,
    with_driver,
)

MIGRATIONS = Path(__file__).parent / "migrations"

MIGRATION_LOCK = 0x7761_7665
"""PostgreSQL's advisory lock while migrating, so that two at once take turns."""


def upgrade(url: str, to: str = "head") -> None:
    """Run all migrations up to `to` that the database has not seen. Raises SQLAlchemy's errors."""
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
                connection.commit()
            command.upgrade(_config(connection), to)
            connection.commit()
    finally:
        engine.dispose()


def is_current(url: str) -> bool:
    """Whether the database has seen every migration, and no newer one."""
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            return age(connection) is Age.CURRENT
    finally:
        engine.dispose()


class Age(Enum):
    """Which migrations a database has seen, compared with those that there are."""

    NONE = "none"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"


def age(connection: Connection) -> Age:
    """The database's. Changes nothing."""
    seen = set(MigrationContext.configure(connection).get_current_heads())
    scripts = ScriptDirectory(str(MIGRATIONS))
    if not seen:
        return Age.NONE
    if seen == set(scripts.get_heads()):
        return Age.CURRENT
    known = {script.revision for script in scripts.walk_revisions()}
    # Ours are in a line, so a database has seen one last.
    return Age.OLDER if len(seen) == 1 and seen <= known else Age.NEWER


def _engine(url: str) -> Engine:
    if is_sqlite(url):
        engine = create_engine(with_driver(url, "sqlite"), hide_parameters=True)
        event.listen(engine, "connect", configure_sqlite)
        event.listen(engine, "begin", _begin)
        return engine
    return create_engine(
        with_driver(url, "postgresql+psycopg"),
        hide_parameters=True,
        connect_args={"connect_timeout": CONNECT_SECONDS},
    )


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
