"""Programs that real listeners use. They may be missing, but not in CI."""

import os
import shutil
from pathlib import Path

import pytest


def tool(name: str) -> str:
    """The program's path."""
    path = shutil.which(name)
    if path is None and "CI" not in os.environ:
        pytest.skip(f"{name} is not installed")
    assert path, f"{name} is not installed"
    return path


def chromium(profile: Path) -> list[str]:
    """The command of a browser without a window, which calls nobody by itself."""
    return [
        *(tool("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        f"--user-data-dir={profile}",
    ]
