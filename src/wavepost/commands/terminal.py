"""What people see while a command runs: a progress bar, and names that can't do mischief."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


class Bar:
    """A progress bar on standard error; where that is no terminal, nothing at all."""

    def __init__(self, progress: "Progress | None" = None) -> None:
        self._progress = progress

    def advance(self, count: int) -> None:
        """So many bytes more are done."""
        if self._progress:
            self._progress.advance(self._progress.task_ids[0], count)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Take the bar away for as long as something else is printed."""
        if not self._progress:
            yield
            return
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()


@contextmanager
def progress_bar(total_bytes: int | None, doing: str = "") -> Iterator[Bar]:
    """A bar up to `total_bytes`, if they are known, which is gone when the context ends."""
    if not sys.stderr.isatty():
        yield Bar()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    label = (TextColumn("{task.description}"),) if doing else ()
    columns = (*label, BarColumn(), TaskProgressColumn(), DownloadColumn(), TimeRemainingColumn())
    # Rich would send standard output to the terminal, also where it is a pipe.
    with Progress(
        *columns, console=Console(stderr=True), transient=True, redirect_stdout=False
    ) as progress:
        progress.add_task(doing, total=total_bytes)
        yield Bar(progress)


def quoted(text: str) -> str:
    """`text` in quotes, with escapes for what moves the cursor, is invisible, or turns the line."""
    return repr(text)


def one_line(text: str) -> str:
    """`text` as it is where it can be shown, else in quotes with escapes: see `quoted`."""
    return text if text.isprintable() else quoted(text)
