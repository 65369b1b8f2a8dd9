"""Who is logged in where: a file for this user alone, and the environment, which goes before it."""

import json
import os
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import click

SERVER, USER, TOKEN = "WAVEPOST_SERVER", "WAVEPOST_USER", "WAVEPOST_TOKEN"
LOG_IN = "Log in first: wavepost login https://your.server"


class NoSession(Exception):
    """Why nobody is logged in, as a sentence for whoever is to do so."""


@dataclass(frozen=True)
class Session:
    """A server, the id of a user there or "", and the token."""

    server: str
    user: str
    token: str

    def __repr__(self) -> str:
        return f"<Session {self.user} at {self.server}>"

    @property
    def unknown(self) -> str:
        """What is said where the server knows no such token."""
        return f"{self.server} does not know your token: log in again."


def file() -> Path:
    """Where it is kept."""
    return Path(click.get_app_dir("wavepost")) / "session.json"


def current(environment: Mapping[str, str] = os.environ) -> Session:
    """Who is logged in, and where. Raises NoSession.

    The file's token goes to the file's server alone: another server would get to know it.
    """
    server, token = environment.get(SERVER, "").rstrip("/"), environment.get(TOKEN, "")
    user = environment.get(USER, "")
    if server and token:
        return Session(server, user, token)
    stored = read()
    if stored is None:
        missing = [name for name, value in ((SERVER, server), (TOKEN, token)) if not value]
        raise NoSession(f"{LOG_IN} (or set {' and '.join(missing)}).")
    if token:
        return Session(stored.server, user, token)
    if server and server != stored.server:
        raise NoSession(f"You are logged in at {stored.server}: for {server}, set {TOKEN} too.")
    return Session(stored.server, user or stored.user, stored.token)


def read() -> Session | None:
    """What the file holds, or None where there is none. Raises NoSession for one that is wrong."""
    path = file()
    try:
        with path.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            if stat.S_IMODE(mode) & 0o077:
                raise NoSession(
                    f"{path} can be read by others, and your token with it. Take it from them "
                    f"(chmod 600 {path}), and ask for a new token if you don't trust them."
                )
            stored = json.load(opened)
        return Session(*(_text(stored, name) for name in ("server", "user", "token")))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NoSession(f"{path}: {error.strerror}.") from error
    except (ValueError, TypeError, KeyError, RecursionError):
        raise NoSession(f"{path} is damaged: remove it, and log in again.") from None


def save(session: Session) -> None:
    """Write it, whole or not at all, for nobody else to read. Raises OSError."""
    folder = ready_folder()
    handle, name = tempfile.mkstemp(prefix=".session.", dir=folder)  # of mode 600
    try:
        with os.fdopen(handle, "w") as written:
            json.dump(asdict(session), written)
            written.flush()
            os.fsync(handle)
        os.replace(name, file())
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(name)
        raise


def ready_folder() -> Path:
    """The folder, made for nobody else. Raises OSError, also where nothing can be written there."""
    folder = file().parent
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    with tempfile.TemporaryFile(dir=folder):
        return folder


def forget() -> bool:
    """Remove it; whether there was one. Raises OSError."""
    try:
        file().unlink()
    except FileNotFoundError:
        return False
    return True


def _text(stored: dict[str, object], name: str) -> str:
    value = stored[name]
    if not isinstance(value, str):
        raise TypeError(name)
    return value
