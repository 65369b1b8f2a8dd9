"""`wavepost ls`, `get` and `rm`: what a user keeps on a server."""

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO
from urllib.parse import SplitResult, parse_qs, urlsplit

import click
from rich.filesize import decimal

from wavepost.client import Client, ClientError, Record, Unauthorized
from wavepost.commands.session import Session
from wavepost.commands.terminal import one_line, progress_bar

PIPE = Path("-")
ANSWER_SECONDS = 60
RETRY_SECONDS = 10


class CannotDo(Exception):
    """What keeps a command from its end, as a sentence for whoever gave it."""


def connected(session: Session) -> Client:
    """A client that does not keep people waiting for long. Raises CannotDo."""
    try:
        return Client(
            session.server,
            session.token or None,
            timeout_seconds=ANSWER_SECONDS,
            patience_seconds=RETRY_SECONDS,
        )
    except ValueError as error:
        raise CannotDo(str(error)) from error


def list_all(session: Session, name: str, *, as_json: bool) -> None:
    """Print what is kept, newest first. Raises CannotDo."""
    with connected(session) as client:
        try:
            records = client.records(name=name)
            if as_json:
                for record in records:
                    click.echo(json.dumps(dict(record.answer)))
            elif sys.stdout.isatty():
                _show(records)
            else:
                for record in records:
                    click.echo("\t".join(_fields(record)))
        except Unauthorized:
            raise CannotDo(session.unknown) from None
        except ClientError as error:
            raise CannotDo(one_line(str(error))) from error


def get(session: Session | None, wanted: str, target: Path | None) -> None:
    """Write an MP3 to a file. Raises CannotDo."""
    is_link = wanted.startswith(("http://", "https://"))
    if not is_link and session is None:
        raise CannotDo("Log in first, or give the link: wavepost login https://your.server")
    nobody = Session(_origin(wanted) if is_link else "", "", "")
    with connected(nobody if is_link or session is None else session) as client:
        try:
            record = wanted if is_link else client.record(wanted)
            file_name = _file_name(record)
            to = target or _free(file_name)
            _download(client, record, to)
        except Unauthorized as error:
            raise CannotDo(session.unknown if session else one_line(str(error))) from None
        except (ClientError, ValueError) as error:
            raise CannotDo(one_line(str(error))) from error
        except OSError as error:
            raise CannotDo(f"{target or 'The MP3'}: {error.strerror or error}.") from error
    if to != PIPE:
        click.echo(one_line(str(to)), err=True)


def remove(session: Session, wanted: tuple[str, ...], *, asks: bool) -> bool:
    """Remove recordings; whether all are gone that were to go. Raises CannotDo."""
    all_gone = True
    with connected(session) as client:
        for one in wanted:
            try:
                record = client.record(_id(one))
                if not asks or click.confirm(f"Remove {_described(record)} for good?", err=True):
                    client.delete(record)
            except Unauthorized:
                # For each of the others it would be one more wrong token.
                raise CannotDo(session.unknown) from None
            except (ClientError, ValueError) as error:
                all_gone = False
                click.echo(f"{one_line(one)}: {one_line(str(error))}", err=True)
    return all_gone


def _download(client: Client, record: Record | str, to: Path) -> None:
    if to == PIPE and sys.stdout.isatty():
        raise CannotDo("An MP3 is not for reading: name a file, or send it to a pipe.")
    target: Path | IO[bytes] = sys.stdout.buffer if to == PIPE else to
    total = record.bytes if isinstance(record, Record) else None
    with progress_bar(total) as bar:
        before = 0

        def told(got: int) -> None:
            nonlocal before
            bar.advance(got - before)
            before = got

        client.download(record, target, progress=told)
    if to == PIPE:
        sys.stdout.buffer.flush()


def _file_name(record: Record | str) -> str:
    """A name for the MP3. The server's name is no path and no option, whatever it holds."""
    if isinstance(record, str):
        return f"{_id(record)}.mp3"
    name = re.split(r"[/\\]", record.name)[-1]
    name = "".join(letter for letter in name if letter.isprintable()).strip(" .-")
    return f"{Path(name).stem[:200] or record.id}.mp3"


def _free(name: str) -> Path:
    path = Path(name)
    if path.exists():
        raise CannotDo(f"{one_line(name)} is there already: name the file with -o.")
    return path


def _id(wanted: str) -> str:
    """The id, also of a link. Raises ValueError."""
    if not wanted.startswith(("http://", "https://")):
        return wanted
    ids = parse_qs(_parts(wanted).query).get("id", [])
    if len(ids) != 1 or not re.fullmatch(r"[A-Za-z0-9_-]{1,128}", ids[0]):
        raise ValueError("That is no link to a recording.")
    return ids[0]


def _origin(link: str) -> str:
    """Raises CannotDo."""
    try:
        parts = _parts(link)
    except ValueError as error:
        raise CannotDo(str(error)) from error
    return f"{parts.scheme}://{parts.netloc}"


def _parts(link: str) -> SplitResult:
    """Raises ValueError."""
    try:
        return urlsplit(link)
    except ValueError:  # brackets that don't close
        raise ValueError("That is no link to a recording.") from None


def _fields(record: Record) -> tuple[str, ...]:
    """One line's: the moment in UTC, seconds, bytes of MP3, name, link."""
    return (
        record.created_at.isoformat(),
        f"{record.duration:.15g}",
        str(record.bytes),
        one_line(record.name),
        record.url,
    )


def _show(records: Iterable[Record]) -> None:
    """For people: the link is below its recording, for a terminal is narrower than both."""
    nothing = True
    for record in records:
        nothing = False
        moment = f"{record.created_at.astimezone():%Y-%m-%d %H:%M}"
        length, size = _length(record.duration), decimal(record.bytes)
        click.echo(
            f"{moment}  {length:>8}  {size:>8}  {click.style(one_line(record.name), bold=True)}"
        )
        click.echo(f"  {record.url}")
    if nothing:
        click.echo("No recordings.")


def _length(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _described(record: Record) -> str:
    moment = f"{record.created_at.astimezone():%Y-%m-%d %H:%M}"
    return f"{one_line(record.name)} ({_length(record.duration)}, {moment})"
