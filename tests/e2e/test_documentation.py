"""`/docs` in a real browser, under its policy."""

import subprocess
from pathlib import Path

from tests.players import chromium
from tests.service import running


def test_the_documentation_works_under_its_policy(tmp_path: Path) -> None:
    """Chromium prints what the policy stops, and every other error of a page, as CONSOLE."""
    with running(tmp_path / "log", data=str(tmp_path)) as server:
        paths = server.client.get("/openapi.json").json()["paths"]
        operations = sum(len(path) for path in paths.values())
        page = ["--virtual-time-budget=10000", "--dump-dom", f"{server.url}/docs"]
        done = subprocess.run(
            [*chromium(tmp_path / "profile"), "--enable-logging=stderr", *page],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        assert done.stdout.count('class="opblock-summary-path"') == operations
        assert "CONSOLE" not in done.stderr
