"""The lines of docs/client.md, run as they stand."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests import sound
from tests.service import WAVEPOST, environment, running

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "client.md").read_text()


def blocks(language: str) -> list[str]:
    """What a reader is to paste, in order."""
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.S)


def test_the_documents_python_sends_and_downloads(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    (script,) = blocks("python")
    with running(tmp_path / "log", data=str(tmp_path / "data")) as server:
        done = subprocess.run(
            [sys.executable, "-c", script.replace("http://127.0.0.1:8000", server.url)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.startswith(f"{server.url}/record?id=")
    assert sound.decode((tmp_path / "hello.mp3").read_bytes())[0].shape == (53_627, 1)


def test_the_documents_commands_send_and_download(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    script, *_ = blocks("sh")
    mine = {"XDG_CONFIG_HOME": str(tmp_path), "PATH": f"{WAVEPOST.parent}:{os.environ['PATH']}"}
    with running(tmp_path / "log", data=str(tmp_path / "data")) as server:
        script = script.replace("http://127.0.0.1:8000", server.url)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path,
            env=environment({}) | mine,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.count(f"{server.url}/record?id=") == 4
    assert json.loads((tmp_path / "wavepost" / "session.json").read_text())["token"]
    assert sound.decode((tmp_path / "hello.mp3").read_bytes())[0].shape == (53_627, 1)
