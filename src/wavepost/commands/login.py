"""`wavepost login` and `logout`: a token is checked, kept for later commands, and removed again."""

import sys
from pathlib import Path

import click

from wavepost.client import Client, ClientError, Unauthorized
from wavepost.client.answers import User
from wavepost.commands import session
from wavepost.commands.session import NoSession, Session
from wavepost.commands.terminal import one_line

PIPE = Path("-")
MAX_TOKEN_CHARACTERS = 1000
ANSWER_SECONDS = 30


class CannotLogIn(Exception):
    """What keeps somebody from logging in, as a sentence for them."""


def log_in(server: str, token_file: Path | None) -> None:
    """Check a token, and keep it. Raises CannotLogIn."""
    _check_nobody_is_logged_in()
    if token_file is None:
        token = click.prompt("Token", hide_input=True, err=True).strip()
    else:
        token = _first_line(token_file)
    try:
        with Client(server, token, timeout_seconds=ANSWER_SECONDS, patience_seconds=0) as client:
            user = client.me()
            _keep(Session(client.server, user.id, token), user)
    except Unauthorized:
        raise CannotLogIn(f"{server} knows no such token. Copy it again.") from None
    except (ClientError, ValueError) as error:
        raise CannotLogIn(one_line(str(error))) from error


def register(server: str, name: str, key_file: Path | None) -> None:
    """Make a new user, and keep their token. Raises CannotLogIn."""
    _check_nobody_is_logged_in()
    key = _first_line(key_file) if key_file else None
    try:
        # Before there is a token that could be lost.
        session.ready_folder()
        with Client(server, timeout_seconds=ANSWER_SECONDS, patience_seconds=0) as client:
            user = client.create_user(name, signup_key=key)
            _keep(Session(client.server, user.id, user.access_token), user)
    except OSError as error:
        raise CannotLogIn(f"{session.file().parent}: {error.strerror}.") from error
    except (ClientError, ValueError) as error:
        raise CannotLogIn(one_line(str(error))) from error
    click.echo(f"The only copy of your token is in {session.file()}: keep another.", err=True)


def log_out() -> None:
    """Remove the token from this machine. Raises CannotLogIn."""
    try:
        if not session.forget():
            raise CannotLogIn("Nobody is logged in.")
    except OSError as error:
        raise CannotLogIn(f"{session.file()}: {error.strerror}.") from error


def _check_nobody_is_logged_in() -> None:
    """A token that is kept may be the only copy: it is not overwritten."""
    try:
        stored = session.read()
    except NoSession as error:
        raise CannotLogIn(str(error)) from error
    if stored:
        raise CannotLogIn(
            f"You are logged in at {stored.server}, and {session.file()} may hold the only copy "
            "of that token. Keep it if you need it, then: wavepost logout"
        )


def _keep(new: Session, user: User) -> None:
    try:
        session.save(new)
    except OSError as error:
        raise CannotLogIn(f"{session.file()}: {error.strerror}.") from error
    click.echo(f"Logged in at {new.server} as {one_line(user.name)}.", err=True)


def _first_line(path: Path) -> str:
    try:
        if path == PIPE:
            return sys.stdin.readline(MAX_TOKEN_CHARACTERS).strip()
        with path.open() as opened:
            return opened.readline(MAX_TOKEN_CHARACTERS).strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise CannotLogIn(f"{path}: {reason}.") from error
