"""The only reader of the environment: one class, built once, passed down as plain values."""

import os
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

GIB = 1024**3


class Settings(BaseSettings):
    """Every setting has a default that works. Names in the environment begin with `WAVEPOST_`."""

    model_config = SettingsConfigDict(env_prefix="WAVEPOST_", extra="ignore", frozen=True)

    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="The port to listen on; 0 picks one.")
    data: Path = Field(
        Path("data"), description="The folder for SQLite's database and for temporary files."
    )
    database_url: SecretStr = Field(
        SecretStr(""),
        description="`postgresql://user:password@host/name` or `sqlite:///path`; "
        "empty means SQLite in the data folder.",
    )
    public_url: str = Field(
        "", description="What links begin with; empty means the address that the request came to."
    )
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (),
        description="Addresses or networks, separated by commas, whose `X-Forwarded-For`, "
        "`X-Forwarded-Proto` and `X-Forwarded-Host` count.",
    )
    max_upload_bytes: int = Field(4 * GIB, gt=0, description="The largest WAV taken, in bytes.")
    max_seconds: float = Field(86_400, gt=0, description="The longest recording taken, in seconds.")
    keep_wav: bool = Field(False, description="Keep the uploaded WAV too, byte for byte.")
    converters: int = Field(
        0,
        ge=0,
        description="How many conversions run at once; 0 means four for each core, at least eight: "
        "most of them wait for their sender.",
    )
    converter_queue: int = Field(
        64, ge=0, description="How many uploads may wait for a converter; the rest hear `busy`."
    )
    converter_wait_seconds: float = Field(
        30, gt=0, description="How long an upload waits for a converter before it hears `busy`."
    )
    idle_seconds: float = Field(
        60, gt=0, description="How long a sender may be silent before its upload is given up."
    )
    abandoned_seconds: float = Field(
        600,
        gt=0,
        description="How long after its last sign of life an unfinished upload, which a crash "
        "left behind, is swept away.",
    )
    shutdown_seconds: int = Field(
        30, ge=0, description="How long uploads under way may go on after a request to stop."
    )

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
        return value

    @field_validator("public_url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("begin it with http:// or https://")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _is_known(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value():
            _parse_database_url(value.get_secret_value())
        return value

    @cached_property
    def database(self) -> URL:
        """The database's address with SQLAlchemy's name of the driver."""
        if self.database_url.get_secret_value():
            return _parse_database_url(self.database_url.get_secret_value())
        return URL.create("sqlite+aiosqlite", database=str(self.data / "wavepost.db"))

    @property
    def database_shown(self) -> str:
        """The database's address for people: a file's path, or a URL without its password."""
        if self.database.get_backend_name() == "sqlite":
            return os.path.abspath(self.database.database or "")
        return self.database.set(drivername="postgresql").render_as_string(hide_password=True)

    @property
    def converter_slots(self) -> int:
        """How many conversions run at once."""
        return self.converters or max(8, 4 * (os.cpu_count() or 1))


def _parse_database_url(value: str) -> URL:
    # The message must not repeat the value: it holds a password.
    try:
        url = make_url(value)
    except ArgumentError:
        raise ValueError("write postgresql://user:password@host/name or sqlite:///path") from None
    kind = url.drivername.partition("+")[0]
    if kind in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if kind == "sqlite" and url.database not in (None, "", ":memory:"):
        return url.set(drivername="sqlite+aiosqlite")
    raise ValueError("write postgresql://user:password@host/name or sqlite:///path")
