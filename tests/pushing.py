"""`wavepost push` and its like, as people and scripts run them: real processes."""

import os
import pty
import subprocess
from pathlib import Path

from tests import sound
from tests.service import DEADLINE_SECONDS, WAVEPOST, Caller, Server, environment


def wav_of(seconds: float = 0.5, hertz: float = 440) -> bytes:
    """A WAV that another pitch or length makes another one."""
    return sound.wav(sound.tone(seconds, 8_000, (hertz,)), 8_000)


def long_wav() -> bytes:
    """One of 17 MiB, so long that it is sent in a way that can be gone on with."""
    second = sound.pcm_bytes(sound.tone(1, 44_100, (440, 660)), 16)
    fmt = sound.fmt_chunk(1, 2, 44_100, 16)
    return sound.riff(sound.chunk(b"fmt ", fmt), sound.chunk(b"data", second * 101))


def whereabouts(caller: Caller, home: Path, url: str = "") -> dict[str, str]:
    """The environment of somebody who is logged in by it."""
    settings = {"server": url or caller.server.url, "token": caller.token}
    return environment(settings) | {"XDG_CONFIG_HOME": str(home), "TMPDIR": str(home)}


def wavepost(
    *arguments: str | Path,
    env: dict[str, str],
    stdin: bytes | None = None,
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """A command, run to its end."""
    return subprocess.run(
        [WAVEPOST, *arguments],
        env=env,
        cwd=cwd,
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )


def started(*arguments: str | Path, env: dict[str, str]) -> subprocess.Popen[bytes]:
    """A command that goes on beside the test."""
    return subprocess.Popen(
        [WAVEPOST, *arguments],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def on_terminal(*arguments: str | Path, env: dict[str, str], typed: bytes = b"") -> tuple[str, int]:
    """A command on a terminal of its own, to which something is typed: what it showed, its end."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [WAVEPOST, *arguments],
        env=env | {"TERM": "xterm", "COLUMNS": "100"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        shown = b""
        while piece := _read(ours):
            shown += piece
            if typed and shown.rstrip().endswith((b":", b"]")):
                os.write(ours, typed)
                typed = b""
    os.close(ours)
    return shown.decode(), process.returncode


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # nobody has it open any more
        return b""


def kept(caller: Caller) -> list[str]:
    """The names of what is kept, newest first."""
    return [record["name"] for record in caller.get("/records").json()["records"]]


def wrong_tokens(server: Server) -> int:
    """How many requests it has refused for their token."""
    return server.log.count(" 401 ")
