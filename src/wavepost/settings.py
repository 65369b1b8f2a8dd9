"""The only reader of the environment: one class, built once, passed down as plain values."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from wavepost.machine import cores

MIB, GIB = 1024**2, 1024**3


class Settings(BaseSettings):
    """Every setting has a default that works. Names in the environment begin with `WAVEPOST_`."""

    model_config = SettingsConfigDict(env_prefix="WAVEPOST_", extra="ignore", frozen=True)

    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="The port to listen on; 0 picks one.")
    data: Path = Field(Path("data"), description="The folder of SQLite's database.")
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
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Origins, separated by commas, whose pages may use the API, such as "
        "`https://app.example.org`; `*` means any.",
    )
    signup: Literal["open", "key", "closed"] = Field(
        "open",
        description="Who may register: anyone (`open`), those who send the sign-up key (`key`), "
        "or nobody (`closed`).",
    )
    signup_key: SecretStr = Field(
        SecretStr(""), description="What to send as `Authorization: Bearer` to register."
    )
    rate_limit: int = Field(
        0, ge=0, description="How many uploads a minute a user may begin; 0 means no limit."
    )
    signup_rate_limit: int = Field(
        600,
        ge=0,
        description="How many users a minute may register from one address; 0 means no limit.",
    )
    failure_rate_limit: int = Field(
        60,
        ge=0,
        description="How many wrong tokens and keys a minute one address may send; 0 means no "
        "limit. The right one is taken even then.",
    )
    quota_bytes: int = Field(
        0, ge=0, description="How many bytes of recordings a user may keep; 0 means no limit."
    )
    retention_days: float = Field(
        0,
        ge=0,
        le=36_500,
        description="How many days a recording is kept, older ones too once this is set; "
        "0 means until it is removed.",
    )
    max_upload_bytes: int = Field(4 * GIB, gt=0, description="The largest WAV taken, in bytes.")
    unfinished_bytes: int = Field(
        16 * GIB,
        gt=0,
        description="How many bytes a user's unfinished resumable uploads may take.",
    )
    resumable_hours: float = Field(
        24,
        gt=0,
        le=8760,
        description="How long a resumable upload waits for its next piece.",
    )
    max_seconds: float = Field(86_400, gt=0, description="The longest recording taken, in seconds.")
    keep_wav: bool = Field(False, description="Keep the uploaded WAV too, byte for byte.")
    cache_bytes: int = Field(
        64 * MIB,
        ge=0,
        description="Memory for what was downloaded last, in bytes.",
    )
    converters: int = Field(
        0,
        ge=0,
        description="How many conversions run at once; 0 means four for each core, at least eight: "
        "most of them wait for their sender.",
    )
    threads: int = Field(
        0,
        ge=0,
        description="How many cores one conversion may use; 0 means all there are, at most eight.",
    )
    converter_queue: int = Field(
        256, ge=0, description="How many uploads may wait for a converter; the rest hear `busy`."
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

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _are_origins(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        origins = tuple(part.strip() for part in value.split(",") if part.strip())
        for origin in origins:
            if origin != "*" and not re.fullmatch(r"https?://[^/\s?#@]+", origin):
                raise ValueError("write https://host, without a path, or *")
        return origins

    @field_validator("public_url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        url = urlsplit(value)
        if value and not (url.scheme in ("http", "https") and url.hostname):
            raise ValueError("write http://host or https://host, with a port or a path if need be")
        if url.query or url.fragment or url.username is not None:
            raise ValueError("leave user, password, ? and # out")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _is_known(cls, value: SecretStr) -> SecretStr:
        # The message must not repeat the value: it holds a password.
        url = value.get_secret_value()
        if url and not (_is_postgresql(url) or _is_sqlite_file(url)):
            raise ValueError("write postgresql://user:password@host/name or sqlite:///path")
        return value

    @model_validator(mode="after")
    def _has_signup_key(self) -> Self:
        if (self.signup == "key") != bool(self.signup_key.get_secret_value()):
            raise ValueError("set both WAVEPOST_SIGNUP=key and WAVEPOST_SIGNUP_KEY, or neither")
        if not re.fullmatch(r"([!-~]([ -~]*[!-~])?)?", self.signup_key.get_secret_value()):
            raise ValueError("write WAVEPOST_SIGNUP_KEY in ASCII, without a space at either end")
        return self

    @property
    def database(self) -> str:
        """The database's URL."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.data / 'wavepost.db'}"

    @property
    def sqlite_file(self) -> Path | None:
        """SQLite's file, or None where the database is a server's."""
        if _is_sqlite_file(self.database):
            return Path(self.database.partition(":///")[2]).absolute()
        return None

    @property
    def database_shown(self) -> str:
        """The database's address for people: a file's path, or a URL without what is secret."""
        if self.sqlite_file:
            return str(self.sqlite_file)
        url = urlsplit(self.database)
        host = url.netloc.rpartition("@")[2]
        user = f"{url.username}@" if url.username else ""
        return f"postgresql://{user}{host}{url.path}"

    @property
    def converter_slots(self) -> int:
        """How many conversions run at once."""
        return self.converters or max(8, 4 * cores())

    @property
    def conversion_threads(self) -> int:
        """How many cores one conversion may use."""
        return self.threads or min(8, cores())


def _is_postgresql(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return False
    return parts.scheme in ("postgresql", "postgres")


def _is_sqlite_file(url: str) -> bool:
    scheme, _, path = url.partition(":///")
    return scheme == "sqlite" and path not in ("", ":memory:")
