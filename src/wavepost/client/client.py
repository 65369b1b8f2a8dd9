"""What can be asked of a server."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO, Any, Self, TypeVar, cast

from wavepost.client import downloading, kept, sending
from wavepost.client.answers import Account, Limits, Malformed, NewUser, Record
from wavepost.client.connection import Answered, Connection
from wavepost.client.errors import NotFound, NotWavepost
from wavepost.client.patience import OnRetry, Patience
from wavepost.client.resuming import LEAST_PIECE_BYTES, NotOffered, Resuming
from wavepost.client.source import (
    Openable,
    Options,
    Progress,
    Source,
    name_of,
    opened,
    read_from,
    sendable,
)
from wavepost.client.turns import Turns

RESUMABLE_BYTES = 16 * 1024**2
"""Files from this size on are sent so that a line that breaks costs little."""

TIMEOUT_SECONDS = 600.0
"""For one answer. A day of sound that came in pieces is converted in a few minutes."""

PATIENCE_SECONDS = 300.0
PAGE = 100

Sendable = Openable | Iterable[bytes]
Read = TypeVar("Read")


class Client:
    """A wavepost server, in the name of who has the token. Threads may share one.

    Whatever may pass by itself (no connection, a line that breaks, a server that is busy) is
    tried again for `patience_seconds`, without making a recording twice. Every method raises
    `ClientError`.
    """

    def __init__(
        self,
        server: str,
        token: str | None = None,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        on_retry: OnRetry | None = None,
    ) -> None:
        """`server` is an address such as https://post.example.org; `token`, of `create_user`.

        `timeout_seconds` is how long one answer may take, and `patience_seconds` how long it may
        fail before it gives up: 0 tries everything once. `on_retry` is told of each failure that
        is tried again, and in how many seconds. Raises ValueError.
        """
        self._connection = Connection(server, token, timeout_seconds)
        self._patience_seconds = patience_seconds
        self._on_retry = on_retry
        self._turns = Turns()

    def __repr__(self) -> str:
        return f"<Client {self.server}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def server(self) -> str:
        """The server's address."""
        return self._connection.server

    def close(self) -> None:
        """Let go of the connections."""
        self._connection.close()

    def create_user(self, name: str, *, signup_key: str | None = None) -> NewUser:
        """Register; keep `access_token`, which is shown this once. `signup_key`: if one is needed.

        It is tried once: nobody could tell a second user from a repeat.
        """
        answered = self._connection.ask(
            "POST",
            "/users",
            headers={"Content-Type": "application/json"},
            content=json.dumps({"name": name}).encode(),
            token=signup_key,
        )
        return _read(NewUser.read, answered)

    def me(self) -> Account:
        """Who has the token, and what they keep."""
        return _read(Account.read, self._get("/users/me"))

    def limits(self) -> Limits:
        """What the server takes."""
        return _read(Limits.read, self._get("/limits"))

    def push(
        self,
        source: Sendable,
        *,
        name: str | None = None,
        bitrate: int | None = None,
        quality: int | None = None,
        expires_in: int | None = None,
        key: str | None = None,
        unless_kept: bool = False,
        progress: Progress | None = None,
    ) -> Record:
        """Send a WAV; the recording, once it is kept.

        A path, or a file that is open and can be read again, is sent until it is there. `key`
        follows from its bytes and options unless it is given, so for a day the same file gives the
        same recording, also after this program was killed. From `RESUMABLE_BYTES` on, what arrived
        before a line broke is not sent again. An iterator of bytes, or a pipe, can be read but
        once: it is sent once, and nothing is tried again.

        `unless_kept` sends no file of which the user has a recording already that was made with
        these options and goes no sooner than others: that one is given.

        `name` is the file's own unless it is given; `bitrate` is in kbit/s, constant; `quality` is
        0 (best) to 9, variable; after `expires_in` seconds it is gone. `progress` is told how many
        bytes have been sent, and may stop it by raising. Raises OSError where the source can't be
        read, SourceChanged where it was written to meanwhile, Refused and Unreachable.
        """
        name = sendable(name) if name is not None else name_of(source)
        options = Options(name, bitrate, quality, expires_in)
        if not isinstance(source, str | os.PathLike) and not hasattr(source, "read"):
            return sending.send_once(self._connection, source, options, key, progress)
        with opened(cast(Openable, source)) as file:
            if not file.seekable():
                pieces = read_from(file)
                return sending.send_once(self._connection, pieces, options, key, progress)
            there = Source(file)
            with self._turns.of(there.sha256):
                if unless_kept and (found := self._kept(there, options)):
                    return found
                return self._push(there, options, key, progress)

    def record(self, record_id: str) -> Record:
        """One recording. Raises NotFound."""
        return _read(Record.read, self._get(_path(record_id)))

    def records(self, *, name: str = "", sha256: str = "") -> Iterator[Record]:
        """The recordings, newest first, fetched page by page as they are wanted.

        Only those whose name contains `name`, and that were made of exactly the WAV with `sha256`
        (in hexadecimal).
        """
        query = {"limit": str(PAGE)} | {
            field: value for field, value in {"name": name, "sha256": sha256}.items() if value
        }
        while True:
            answered = self._get("/records", query)
            answer = answered.json()
            for found in _read(lambda page: list(page["records"]), answered):
                record = sending.read_record(found, answered.status)
                # An older server knows no such filter, and leaves nothing out.
                if not sha256 or record.source_sha256 == sha256.lower():
                    yield record
            cursor = answer.get("next")
            if not isinstance(cursor, str) or cursor == query.get("cursor"):
                return
            query["cursor"] = cursor

    def download(
        self,
        record: Record | str,
        to: str | os.PathLike[str] | IO[bytes],
        *,
        progress: Progress | None = None,
    ) -> int:
        """Write a recording's MP3, or what a link leads to, `to` a path; how many bytes it has.

        A download that is cut off is gone on with. The path has it once it is whole and its
        SHA-256 is the receipt's; what it held before stays until then. A file that is given open
        gets the bytes as they come. Raises Damaged, NotFound, and OSError where it can't be kept.
        """
        link, sha256 = (record, "") if isinstance(record, str) else (record.url, record.mp3_sha256)
        with downloading.created(to) as file:
            download = downloading.Download(self._connection, link, file, sha256, progress)
            return download.run(self._patience())

    def delete(self, record: Record | str) -> None:
        """Remove a recording, given itself or its id; its link stops at once. Raises NotFound."""
        patience = self._patience()
        path = _path(record if isinstance(record, str) else record.id)
        try:
            patience.call(lambda: self._connection.ask("DELETE", path))
        except NotFound:
            # The answer to an earlier try may have been lost, but not what it did.
            if not patience.has_failed:
                raise

    def _kept(self, source: Source, options: Options) -> Record | None:
        return kept.suitable(self.records(sha256=source.sha256), options, self.limits())

    def _push(
        self, source: Source, options: Options, key: str | None, progress: Progress | None
    ) -> Record:
        what = (self._connection, source, options, key or source.key(options), self._patience())
        if source.size >= RESUMABLE_BYTES:
            try:
                return Resuming(*what, progress).send()
            except NotOffered:
                return sending.send(*what, progress)
        try:
            return sending.send(*what, progress)
        except NotWavepost as error:
            if error.status != 413 or source.size <= LEAST_PIECE_BYTES:
                raise
            refusal = error
        try:
            return Resuming(*what, progress).send()
        except NotOffered:
            raise refusal from None

    def _get(self, path: str, query: Mapping[str, str] | None = None) -> Answered:
        return self._patience().call(lambda: self._connection.ask("GET", path, query=query))

    def _patience(self) -> Patience:
        return Patience(self._patience_seconds, self._on_retry)


def _path(record_id: str) -> str:
    """Raises ValueError for what can be no id, lest it be another path."""
    if not record_id or not all(letter.isalnum() or letter in "-_" for letter in record_id):
        raise ValueError("That is no recording's id.")
    return f"/records/{record_id}"


def _read(read: Callable[[dict[str, Any]], Read], answered: Answered) -> Read:
    try:
        return read(answered.json())
    except (Malformed, KeyError, TypeError):
        sentence = "The server's answer is not understood: is it a wavepost, and newer than this?"
        raise NotWavepost(sentence, answered.status) from None
