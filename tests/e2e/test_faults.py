"""201 is a promise, whatever befalls the machine: each fault once, on both databases.

`make chaos` throws them for longer, and at other moments.
"""

import functools
import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.chaos import SEED
from tests.chaos.databases import KINDS
from tests.chaos.disk import command_that_can_mount
from tests.chaos.faults import FAULTS, Fault
from tests.chaos.findings import in_words
from tests.chaos.world import QUICK, World, new_folder, running_world

CASES = [
    (kind, list(faults))
    for kind in KINDS
    for _, faults in itertools.groupby(
        (fault for fault in FAULTS if kind in fault.databases),
        key=lambda fault: fault.group or fault.name,
    )
]


@pytest.fixture(scope="module")
def world_on() -> Iterator[Callable[[str], World]]:
    """A server under load on that database; one at a time."""
    with ExitStack() as stack:
        running: dict[str, World] = {}

        def world_on(kind: str) -> World:
            if kind not in running:
                stack.close()
                running.clear()
                folder = stack.enter_context(new_folder())
                running[kind] = stack.enter_context(running_world(kind, folder, SEED, QUICK))
            return running[kind]

        yield world_on


@pytest.mark.parametrize(
    ("kind", "faults"),
    CASES,
    ids=[f"{faults[0].group or faults[0].name}-{kind}" for kind, faults in CASES],
)
def test_nothing_acknowledged_is_lost_and_nothing_half_done_is_seen(
    kind: str, faults: list[Fault], world_on: Callable[[str], World]
) -> None:
    if prefix := mounting_prefix():
        chaos = [sys.executable, "-m", "tests.chaos", "--minutes=0", "--quick", f"--seed={SEED}"]
        for fault in faults:
            one = [f"--database={kind}", f"--fault={fault.name}"]
            subprocess.run([*prefix, *chaos, *one], check=True)
        return
    world = world_on(kind)
    world.endure(*faults)
    found = world.findings.take()
    assert not found, f"WAVEPOST_CHAOS_SEED={SEED}\n{in_words(found)}"


@functools.cache
def mounting_prefix() -> list[str]:
    """Where we may not mount, each fault gets a process that may."""
    return command_that_can_mount()
