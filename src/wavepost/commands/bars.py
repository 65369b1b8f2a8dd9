"""What people see of several files at once: a bar each, and one for all of them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from wavepost.client.source import Progress as Told
from wavepost.commands.terminal import one_line

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

NAME_CHARACTERS, BAR_CHARACTERS = 32, 24
AMOUNT_CHARACTERS = len("100 %  of 999.9 MB  999.9 MB/s  10:00 left")


class Bars:
    """Bars on standard error; where that is no terminal, nothing at all. Threads may share it."""

    def __init__(self, progress: "Progress | None" = None, files: int = 0) -> None:
        self._progress = progress
        self._all = None
        if progress and files > 1:
            self._all = progress.add_task("all files", total=files, is_count=True)

    @contextmanager
    def of(self, name: str, size: int | None) -> Iterator[Told]:
        """A bar for one file; what it gives is told how many of its bytes are sent."""
        if not self._progress:
            yield lambda _: None
            return
        progress = self._progress
        shown = _shortened(name, _room(progress.console.width)[0])
        bar = progress.add_task(shown, total=size, is_count=False)
        try:
            yield lambda sent: self._show(bar, sent)
        finally:
            progress.remove_task(bar)

    def done(self) -> None:
        """One more file is through, or has failed."""
        if self._progress and self._all is not None:
            self._progress.advance(self._all)

    def say(self, line: str, *, err: bool = False) -> None:
        """Print a line, above the bars where they are in its way."""
        if self._progress and (err or sys.stdout.isatty()):
            self._progress.console.print(
                line, markup=False, highlight=False, emoji=False, soft_wrap=True
            )
        else:
            click.echo(line, err=err)

    def _show(self, bar: "TaskID", sent: int) -> None:
        if self._progress:
            self._progress.update(bar, completed=sent)


@contextmanager
def bars(files: int) -> Iterator[Bars]:
    """Bars for so many files, gone when the context ends."""
    if not sys.stderr.isatty():
        yield Bars()
        return
    from rich.console import Console

    # Rich would send standard output to the terminal, also where it is a pipe.
    console = Console(stderr=True)
    progress = _progress(console)
    with progress:
        yield Bars(progress, files)


def _progress(console: object) -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
    from rich.text import Text

    class Amount(ProgressColumn):
        """Files of files, or bytes of bytes with the time that is left."""

        def render(self, task: Task) -> Text:
            if task.fields["is_count"]:
                return Text(f"{task.completed:.0f} of {task.total:.0f}")
            return Text(_amount(task))

    assert isinstance(console, Console)
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=_room(console.width)[1]),
        Amount(),
        console=console,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )


def _amount(task: object) -> str:
    from rich import filesize
    from rich.progress import Task

    assert isinstance(task, Task)
    if task.total is None:
        return "reading"
    if not task.completed:
        return "waiting"
    if task.completed >= task.total:
        return "converting"
    parts = [f"{task.percentage:.0f} %", f"of {filesize.decimal(int(task.total))}"]
    if task.speed:
        parts.append(f"{filesize.decimal(int(task.speed))}/s")
    if task.time_remaining:
        minutes, seconds = divmod(int(task.time_remaining), 60)
        parts.append(f"{minutes}:{seconds:02} left")
    return "  ".join(parts)


def _room(width: int) -> tuple[int, int]:
    """The characters of a name and of a bar, so that both and the amount are one line."""
    left = width - AMOUNT_CHARACTERS - 2
    bar = max(4, min(BAR_CHARACTERS, left // 3))
    return max(8, min(NAME_CHARACTERS, left - bar)), bar


def _shortened(name: str, longest: int) -> str:
    shown = one_line(name)
    if len(shown) > longest:
        half = (longest - 1) // 2
        shown = f"{shown[:half]}…{shown[-half:]}"
    return shown
