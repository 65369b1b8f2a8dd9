"""An Asterisk and a wavepost in Docker Compose, with the dialplan that the document has."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import sound
from tests.telephony.document import ROOT, block

URL = f"http://127.0.0.1:{os.environ.get('TELEPHONY_PORT', '8099')}"
MOUNTED = ROOT / "build" / "telephony"
SAID_SECONDS, SAID_HERTZ, SAID_LEVEL = 3.0, 440.0, 0.5
IN_THE_CALLS_CONTEXT = "; In the context of the call:\n"


class Pbx:
    """Runs Asterisk's commands, and looks at its files."""

    def __init__(self) -> None:
        command = shlex.split(os.environ.get("COMPOSE", "docker compose"))
        if not shutil.which(command[0]):
            raise SystemExit(f"This needs Docker Compose, and there is no {command[0]}.")
        self._compose = [*command, "-f", str(Path(__file__).with_name("compose.yaml"))]

    def compose(self, *arguments: str, stdin: str = "") -> str:
        """What Compose prints."""
        done = subprocess.run(
            [*self._compose, *arguments], input=stdin, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def shell(self, script: str, stdin: str = "", user: str = "asterisk") -> str:
        """What a script prints in Asterisk's container, in a folder with the project's `deploy`."""
        options = ("-T", "--workdir", "/wavepost", "--user", user)
        return self.compose("exec", *options, "asterisk", "sh", "-ec", script, stdin=stdin)

    def command(self, command: str) -> str:
        """What Asterisk says to a command of its own."""
        return self.shell(f"asterisk -rx {shlex.quote(command)}")

    def lines(self, path: str) -> list[str]:
        """A file's lines; none where there is no file."""
        return self.shell(f"cat {path} 2>/dev/null || :").splitlines()

    def call(self, extension: str, context: str) -> None:
        """Let somebody be called; the one who calls hangs up when nobody speaks any more."""
        self.command(f"channel originate Local/{extension}@{context} application Wait 60")


def write_what_is_mounted() -> None:
    """The document's dialplan, and the sound that is played."""
    MOUNTED.mkdir(parents=True, exist_ok=True)
    links, _, calls_context = block("ini", "[wavepost-link]").partition(IN_THE_CALLS_CONTEXT)
    (MOUNTED / "recipe.conf").write_text(block("ini", "[wavepost]") + links)
    (MOUNTED / "calls-context.conf").write_text(calls_context)
    setting = block("text", "FILTER").strip()
    (MOUNTED / "freepbx-globals.conf").write_text(f"MIXMON_POST = {setting}\n")
    said = sound.tone(SAID_SECONDS, 8_000, (SAID_HERTZ,), SAID_LEVEL)
    (MOUNTED / "said.wav").write_bytes(sound.wav(said, 8_000))


@contextmanager
def running_pbx() -> Iterator[Pbx]:
    """Both for as long as the context lasts; what they kept goes with them."""
    write_what_is_mounted()
    pbx = Pbx()
    try:
        pbx.compose("up", "--build", "--detach", "--wait")
        yield pbx
    finally:
        pbx.compose("down", "--volumes")
