"""A machine that sends: a folder of its own, a spool, a token, and the document's lines."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import sound
from tests.service import Caller, environment
from tests.telephony.document import SCRIPT, block

RATE = 8_000
TONE = sound.tone(1, RATE)
WAV = sound.wav(TONE, RATE)


@dataclass(frozen=True)
class Sender:
    """A machine that sends.

    Attributes:
        caller: the user it sends for.
        folder: where it works.
        url: where it takes wavepost to be.
    """

    caller: Caller
    folder: Path
    url: str

    @property
    def spool(self) -> Path:
        """Where the script keeps what it sends."""
        return self.folder / "spool"

    @property
    def environment(self) -> dict[str, str]:
        """Where the script finds everything; `arecord` gets its sound from a file."""
        settings = {
            "server": self.url,
            "token_file": str(self.folder / "token"),
            "spool": str(self.spool),
        }
        return environment(settings) | {"HOME": str(self.folder), "TOKEN": self.caller.token}

    def shell(self, script: str) -> subprocess.CompletedProcess[str]:
        """A script of bash, in the folder."""
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", script],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def run_block(self, containing: str) -> str:
        """Run the document's block of shell with this text; what it prints."""
        script = block("sh", containing).replace("http://127.0.0.1:8000", self.url)
        done = self.shell(script)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def upload(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `wavepost-upload`."""
        return subprocess.run(
            [SCRIPT, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def write(self, name: str, wav: bytes = WAV) -> str:
        """A recording that has just ended."""
        (self.folder / name).write_bytes(wav)
        return name

    def files(self, folder: str) -> list[str]:
        """The names in a folder of the spool."""
        return sorted(path.name for path in (self.spool / folder).iterdir())

    def heard(self, link: str) -> tuple[sound.Samples, int]:
        """What a link gives to anybody, and its rate in Hz."""
        answer = self.caller.server.client.get(link)
        assert answer.status_code == 200
        return sound.decode(answer.content)

    def records(self) -> list[dict[str, Any]]:
        """What wavepost keeps of this user, the oldest first."""
        found: list[dict[str, Any]] = self.caller.get("/records").json()["records"]
        return found[::-1]
