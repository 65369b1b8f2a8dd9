"""`wavepost doctor`: one run of it, which Ctrl-C or a signal ends early, but not untidily."""

import asyncio
import signal
from collections.abc import Sequence

from wavepost.commands.doctor.examination import examine
from wavepost.commands.doctor.report import Report
from wavepost.commands.doctor.target import Target
from wavepost.commands.doctor.visit import Plan, Visit


class Stopped(Exception):
    """Somebody wanted it to end; what was made is removed already."""


def doctor(target: Target, plan: Plan, token: str, only: Sequence[str], *, as_json: bool) -> bool:
    """Look at the service and print what was found; whether all is well. Raises Stopped."""
    report = Report(as_json=as_json)
    try:
        return asyncio.run(_run(Visit(target, plan, token), only, report))
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise Stopped from None
    finally:
        report.pause()


async def _run(visit: Visit, only: Sequence[str], report: Report) -> bool:
    task = asyncio.current_task()
    assert task is not None
    for stop in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(stop, task.cancel)
    async with visit:
        findings = await examine(visit, only, report.starting, report.found)
    report.end(visit.target.url, findings)
    return findings.all_is_well
