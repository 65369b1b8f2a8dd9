"""Bars on terminals of any width."""

import io

import pytest
from rich.console import Console

from wavepost.commands import bars


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_a_file_is_one_line(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    amount = "100 %  of 999.9 MB  999.9 MB/s  10:00 left"
    monkeypatch.setattr(bars, "_amount", lambda _: amount)
    console = Console(file=io.StringIO(), width=width)
    progress = bars._progress(console)
    with bars.Bars(progress).of("a name that is rather long.wav", 10), console.capture() as shown:
        console.print(progress.get_renderable())
    (line,) = shown.get().splitlines()
    assert amount in line
