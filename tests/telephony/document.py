"""docs/telephony.md, taken apart: what it tells people to write is what is tested."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "deploy" / "wavepost-upload"
INSTALLED = "/usr/local/bin/wavepost-upload"
"""Where the document has the script."""


def blocks(language: str, containing: str = "") -> list[str]:
    """Its blocks of code, in order."""
    document = (ROOT / "docs" / "telephony.md").read_text()
    found = re.findall(rf"```{language}\n(.*?)```", document, re.S)
    return [block for block in found if containing in block]


def block(language: str, containing: str) -> str:
    """The one with this text."""
    (found,) = blocks(language, containing)
    return found
