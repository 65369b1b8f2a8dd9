"""One file on its way to the server: opened, looked at, sent."""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from wavepost.client import Client, ClientError, Record
from wavepost.client.source import Options
from wavepost.commands.door import Door
from wavepost.commands.session import NoSession, Session
from wavepost.commands.watch.lease import is_being_written
from wavepost.commands.watch.tree import Found, Look, NotAFile, Tree

OnRetry = Callable[[ClientError, float], None]


class StillWritten(Exception):
    """Somebody has the file open for writing, or it looks otherwise than it did."""


@dataclass(frozen=True)
class Outcome:
    """What became of a file: its record, or what went wrong; `at_door`: before it was its turn."""

    found: Found
    record: Record | None = None
    error: Exception | None = None
    at_door: bool = False


class Delivery:
    """Sends files in the name of whoever is logged in. Threads may share it."""

    def __init__(
        self,
        tree: Tree,
        session_now: Callable[[], Session],
        options: Options,
        patience_seconds: float,
        on_retry: OnRetry,
    ) -> None:
        """Raises ValueError for a server or a token that can be none."""
        self._tree = tree
        self._session_now = session_now
        self._options = options
        self._patience_seconds = patience_seconds
        self._on_retry = on_retry
        self._changing = threading.Lock()
        self._session: Session | None = None
        self._take(session_now())

    def deliver(self, found: Found) -> Outcome:
        """Send a file, if nobody writes to it; whatever goes wrong is in the outcome.

        Whatever: a thread that ended otherwise would keep its place for ever.
        """
        try:
            client, door = self._client, self._door
            door.go_through()
        except Exception as error:
            return Outcome(found, error=error, at_door=True)
        try:
            with self._tree.opened(found.path) as file:
                return Outcome(found, self._push(client, found, file))
        except NotAFile:
            return Outcome(found, error=StillWritten())
        except Exception as error:
            return Outcome(found, error=error)

    def renew(self) -> None:
        """Ask anew who has the token, and take the one of a new login. Raises NoSession."""
        try:
            self._take(self._session_now())
        except ValueError as error:
            raise NoSession(str(error)) from error

    def _take(self, session: Session) -> None:
        if session != self._session:
            self._client = Client(
                session.server,
                session.token,
                patience_seconds=self._patience_seconds,
                on_retry=self._on_retry,
            )
            self._session = session
        self._door = Door(self._client, session)

    def _push(self, client: Client, found: Found, file: IO[bytes]) -> Record:
        if is_being_written(file):
            raise StillWritten
        self._check(found, file)
        record = client.push(
            file,
            name=os.path.basename(found.path),
            bitrate=self._options.bitrate,
            quality=self._options.quality,
            expires_in=self._options.expires_in,
            unless_kept=True,
        )
        self._check(found, file)
        return record

    def _check(self, found: Found, file: IO[bytes]) -> None:
        if Look.of(os.fstat(file.fileno())) != found.look:
            raise StillWritten
