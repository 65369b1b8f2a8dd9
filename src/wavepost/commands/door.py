"""Whether a push may begin: asked once, before any file, and what is said while nobody answers."""

import threading

from wavepost.client import Client, ClientError, Unauthorized
from wavepost.commands.bars import Bars
from wavepost.commands.session import Session
from wavepost.commands.terminal import one_line


class Shut(Exception):
    """Why nothing can be sent, as a sentence."""


class Door:
    """Asks the server once who has the token, before any file: many would be many wrong tokens."""

    def __init__(self, client: Client, session: Session) -> None:
        self._client = client
        self._session = session
        self._one_at_a_time = threading.Lock()
        self._is_open = False
        self._refusal: Exception | None = None

    def go_through(self) -> None:
        """Raises Shut or ClientError, for all who come after too."""
        with self._one_at_a_time:
            if self._refusal:
                raise self._refusal
            if not self._is_open:
                try:
                    self._ask()
                except (ClientError, Shut) as error:
                    self._refusal = error
                    raise
                self._is_open = True

    def _ask(self) -> None:
        try:
            user = self._client.me()
        except Unauthorized:
            raise Shut(self._session.unknown) from None
        if self._session.user and self._session.user != user.id:
            raise Shut("The token is of another user than WAVEPOST_USER names.")


class Retelling:
    """Says once that something is tried again."""

    def __init__(self, seconds: float, shown: Bars) -> None:
        self._seconds = seconds
        self._shown = shown
        self._said = threading.Event()

    def hear(self, error: ClientError, _: float) -> None:
        """Called by whichever thread failed."""
        if not self._said.is_set():
            self._said.set()
            sentence = f"{one_line(str(error))} Trying again for {self._seconds:g} seconds."
            self._shown.say(sentence, err=True)
