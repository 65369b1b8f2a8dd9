"""The documents keep up with the code."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from wavepost import errors
from wavepost.audio.encoder import DEFAULT_KBPS
from wavepost.commands.doctor.examination import NAMES
from wavepost.settings import Settings
from wavepost.web.problems import CODES

ROOT = Path(__file__).parents[2]
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()
API = (ROOT / "docs" / "api.md").read_text()
DOCTOR = (ROOT / "docs" / "doctor.md").read_text()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    row = f"| `WAVEPOST_{name.upper()}` |"
    assert row in CONFIGURATION
    field = Settings.model_fields[name]
    assert field.description in CONFIGURATION
    assert f"{row} {shown(field.default)} |" in CONFIGURATION
    assert re.search(rf"^#? ?WAVEPOST_{name.upper()}=", (ROOT / ".env.example").read_text(), re.M)


def shown(default: object) -> str:
    """A default as the table writes it."""
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    if isinstance(default, bool):
        default = int(default)
    return "" if default in ("", ()) else f"`{default}`"


def test_no_setting_is_documented_that_is_none() -> None:
    documented = set(re.findall(r"^\| `WAVEPOST_(\w+)` \|", CONFIGURATION, re.M))
    assert documented == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("code", CODES)
def test_every_error_is_documented(code: str) -> None:
    assert f"| `{code}` |" in API


def test_every_error_has_a_place_in_the_tree() -> None:
    assert errors.__doc__ is not None
    for code, error in CODES.items():
        assert re.search(rf"─ {error.__name__} +{code} ", errors.__doc__)


@pytest.mark.parametrize("rate", DEFAULT_KBPS)
def test_the_default_bitrates_are_documented(rate: int) -> None:
    mono, stereo = DEFAULT_KBPS[rate]
    assert re.search(rf"^\| [\d ,]*\b{rate}\b[\d ,]* \| {mono} \| {stereo} \|$", API, re.M)


@pytest.mark.parametrize("name", NAMES)
def test_every_check_of_the_doctor_is_documented(name: str) -> None:
    assert re.search(rf"^\| .*`{name}`.* \|", DOCTOR, re.M)
    assert re.search(rf"^[✓✗] {name} ", DOCTOR, re.M), "in the example too"
