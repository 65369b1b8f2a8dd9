"""The README's own lines, run as they stand."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import sound
from tests.service import running

ROOT = Path(__file__).parents[2]
READMES = ["README.md", "README.ru.md"]


def shell_blocks(readme: str) -> list[str]:
    """The blocks of shell that a reader is to paste, in order."""
    return re.findall(r"```sh\n(.*?)```", (ROOT / readme).read_text(), re.S)


def curl_blocks(readme: str) -> list[str]:
    """Those that call the service."""
    return [block for block in shell_blocks(readme) if "curl" in block or "$ME" in block]


@pytest.mark.parametrize("readme", READMES)
def test_the_readmes_calls_give_an_mp3_that_plays(readme: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    with running(tmp_path / "log", data=str(tmp_path / "data")) as server:
        script = "\n".join(["set -euo pipefail", *curl_blocks(readme)])
        assert script.count("http://127.0.0.1:8000") >= 3
        done = subprocess.run(
            ["bash", "-c", script.replace("http://127.0.0.1:8000", server.url)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert '"access_token":"' in done.stdout
        assert done.stdout.strip().rpartition("\n")[2].startswith(f"{server.url}/record?id=")
    heard, rate = sound.decode((tmp_path / "hello.mp3").read_bytes())
    assert (rate, heard.shape) == (8_000, (53_627, 1))
    assert sound.loudness_db(heard[:, 0]) > -30


def test_both_languages_show_the_same_lines() -> None:
    english, russian = (curl_blocks(readme) for readme in READMES)
    assert english == russian


@pytest.mark.parametrize("readme", READMES)
def test_the_readmes_conversions_give_an_mp3_that_plays(readme: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    (block,) = [block for block in shell_blocks(readme) if "wavepost convert" in block]
    script = "set -e\n" + block.replace(".venv/bin/wavepost", f"{sys.executable} -m wavepost")
    subprocess.run(["bash", "-c", script], cwd=tmp_path, check=True)
    made = (tmp_path / "hello.mp3").read_bytes()
    receipt = json.loads((tmp_path / "receipt.json").read_text())
    assert (receipt["bitrate"], receipt["bytes"]) == (32, len(made))
    assert sound.decode(made)[0].shape == (53_627, 1)


@pytest.mark.parametrize("readme", READMES)
def test_every_link_in_the_readme_leads_somewhere(readme: str) -> None:
    for target in re.findall(r"\]\(([^):#]+)\)", (ROOT / readme).read_text()):
        assert (ROOT / target).exists(), target
