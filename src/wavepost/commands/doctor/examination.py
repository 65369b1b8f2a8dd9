"""Runs the checks, one after the other, and leaves nothing behind."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from wavepost.commands.doctor import fetching, reaching, resuming, sending, streaming
from wavepost.commands.doctor.account import leave
from wavepost.commands.doctor.verdicts import Check, Fault, Finding, Hopeless, NotTried, Verdict
from wavepost.commands.doctor.visit import Visit

CHECKS = (
    *reaching.CHECKS,
    *sending.CHECKS,
    *streaming.CHECKS,
    *resuming.CHECKS,
    *fetching.CHECKS,
    reaching.CLOCK,
)
NAMES = tuple(check.name for check in CHECKS)
FIRST = CHECKS[0].name
CLEANING = "removing what was made"


@dataclass
class Findings:
    """What came of all checks.

    Attributes:
        left_behind: a sentence where something that was made could not be removed.
    """

    checks: list[Finding] = field(default_factory=list)
    left_behind: str = ""

    def count(self, verdict: Verdict) -> int:
        """How many checks ended with it."""
        return sum(finding.verdict is verdict for finding in self.checks)

    @property
    def all_is_well(self) -> bool:
        """Whether no fault was found."""
        return not self.count(Verdict.FAULT)


async def examine(
    visit: Visit,
    only: Iterable[str],
    starting: Callable[[str], None],
    found: Callable[[Finding], None],
) -> Findings:
    """Run the checks that `only` names, with those that they need, or all; then clean up.

    `starting` hears what happens, `found` what came of each check.
    """
    findings = Findings()
    try:
        for check in _chosen(set(only)):
            starting(check.about)
            finding, is_hopeless = await _tried(check, visit, findings)
            findings.checks.append(finding)
            found(finding)
            if is_hopeless:
                break
    finally:
        starting(CLEANING)
        findings.left_behind = _without_token(await leave(visit), visit)
    return findings


def _chosen(only: set[str]) -> list[Check]:
    if not only:
        return list(CHECKS)
    wanted = {FIRST, *only}
    for check in reversed(CHECKS):
        if check.name in wanted:
            wanted |= set(check.needs)
    return [check for check in CHECKS if check.name in wanted]


async def _tried(check: Check, visit: Visit, findings: Findings) -> tuple[Finding, bool]:
    """What came of it, and whether all others are hopeless then."""
    well = {finding.name for finding in findings.checks if finding.verdict is Verdict.WELL}
    lacking = next((name for name in check.needs if name not in well), None)
    if lacking:
        sentence = f"Not tried, for it needs what {lacking!r} lacks."
        return Finding(check.name, Verdict.NOT_TRIED, sentence), False
    started = time.monotonic()
    is_hopeless = False
    try:
        finding = Finding(check.name, Verdict.WELL, await check.run(visit))
    except Fault as fault:
        finding = Finding(check.name, Verdict.FAULT, fault.sentence, fault.advice)
        is_hopeless = isinstance(fault, Hopeless)
    except NotTried as reason:
        finding = Finding(check.name, Verdict.NOT_TRIED, reason.sentence, reason.advice)
    return replace(
        finding,
        sentence=_without_token(finding.sentence, visit),
        seconds=round(time.monotonic() - started, 2),
    ), is_hopeless


def _without_token(sentence: str, visit: Visit) -> str:
    """Somebody may answer with the token that was sent; sentences quote answers."""
    for token in (visit.given_token, visit.account.token if visit.account else ""):
        sentence = sentence.replace(token, "…") if token else sentence
    return sentence
