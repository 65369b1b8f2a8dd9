"""The systemd unit of `wavepost watch`, as systemd itself judges it."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.players import tool
from tests.service import WAVEPOST

UNIT = Path(__file__).parents[2] / "deploy" / "wavepost-watch.service"
MOST_EXPOSED = 2.0
"""Of 10; below 3 systemd calls it OK."""


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """With the command where it is here."""
    path = tmp_path / UNIT.name
    path.write_text(UNIT.read_text().replace("/opt/wavepost/bin/wavepost", str(WAVEPOST)))
    return path


def test_systemd_understands_the_unit(unit: Path) -> None:
    done = subprocess.run(
        [tool("systemd-analyze", "systemd"), "verify", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_may_do_little(unit: Path) -> None:
    done = subprocess.run(
        [tool("systemd-analyze", "systemd"), "security", "--offline=true", "--no-pager", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    (level,) = re.findall(r"exposure level for .*: ([0-9.]+)", done.stdout)
    assert float(level) <= MOST_EXPOSED


def test_the_units_command_is_one_that_there_is() -> None:
    (line,) = re.findall(r"^ExecStart=\S+/wavepost (.*)$", UNIT.read_text(), re.M)
    done = subprocess.run(
        [WAVEPOST, *line.split()], capture_output=True, text=True, check=False, env={}
    )
    # Its folder is not there; a wrong option would end with 2.
    assert done.returncode == 1, done.stderr
