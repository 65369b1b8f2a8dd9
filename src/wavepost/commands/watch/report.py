"""What the command says: links on standard output, a line each; all else on standard error."""

import errno
import json
import os
import sys
from contextlib import suppress
from datetime import datetime

import click

from wavepost.client import Record
from wavepost.commands.terminal import one_line


class Report:
    """Says what lasts once, not each time that it is met.

    Attributes:
        complaints: how often something was not as it should be.
    """

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        # systemd writes the time itself.
        self._has_times = "JOURNAL_STREAM" not in os.environ
        self._said: dict[str, str] = {}
        self.complaints = 0

    def say(self, sentence: str) -> None:
        """A line on standard error. A log on a full disk is no reason to end."""
        time = f"{datetime.now().astimezone().isoformat(timespec='seconds')} "
        with suppress(OSError):
            click.echo(f"{time if self._has_times else ''}{one_line(sentence)}", err=True)

    def say_once(self, about: str, sentence: str, kind: str = "") -> bool:
        """The same, unless the last that was said about it was this, or of that kind."""
        kind = kind or sentence
        if self._said.get(about) == kind:
            return False
        self._said[about] = kind
        self.say(sentence)
        return True

    def complain(self, sentence: str) -> None:
        """Say what was not as it should be."""
        self.complaints += 1
        self.say(sentence)

    def complain_once(self, about: str, sentence: str, kind: str = "") -> bool:
        """The same, as `say_once`."""
        is_said = self.say_once(about, sentence, kind)
        self.complaints += is_said
        return is_said

    def is_over(self, about: str) -> bool:
        """It can be said anew; whether it was said at all."""
        return self._said.pop(about, None) is not None

    def link(self, file: str, record: Record) -> None:
        """A recording, and of which file it is. Raises BrokenPipeError where nobody reads on."""
        line = f"{record.url}\t{one_line(file)}"
        if self._as_json:
            line = json.dumps({"file": file, **record.answer})
        try:
            click.echo(line)
            sys.stdout.flush()
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            self.complain_once("links", f"The links can't be written: {error.strerror}.")
