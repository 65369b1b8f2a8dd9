"""Programs that real listeners and operators use. They may be missing, but not in CI."""

import os
import shutil
from pathlib import Path

import pytest


def tool(name: str, package: str = "") -> str:
    """The program's path; `package` is Debian's, where its name is another one."""
    path = shutil.which(name)
    missing = f"{name} is not installed: apt-get install {package or name}"
    if path is None and "CI" not in os.environ:
        pytest.skip(missing)
    assert path, missing
    return path


BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")

QUIET = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
"""What keeps a browser from calling anybody by itself."""


def browser() -> str:
    """The path of a browser of the Chromium family."""
    return tool(next(filter(shutil.which, BROWSERS), BROWSERS[0]))


def chromium(profile: Path) -> list[str]:
    """The command of a browser without a window."""
    return [browser(), "--headless", *QUIET, f"--user-data-dir={profile}"]
