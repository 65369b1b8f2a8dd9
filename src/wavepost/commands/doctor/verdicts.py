"""What a check is, and what it can end with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wavepost.commands.doctor.visit import Visit


class Verdict(StrEnum):
    """What became of a check."""

    WELL = "well"
    FAULT = "fault"
    NOT_TRIED = "not_tried"


class Fault(Exception):
    """Something is wrong; the advice has a line for each thing that may be changed."""

    def __init__(self, sentence: str, *advice: str) -> None:
        super().__init__(sentence, *advice)
        self.sentence = sentence
        self.advice = advice


class Hopeless(Fault):
    """So wrong that no other check could say more."""


class NotTried(Exception):
    """The check can't be made here, and why; the advice says how it could be."""

    def __init__(self, sentence: str, *advice: str) -> None:
        super().__init__(sentence, *advice)
        self.sentence = sentence
        self.advice = advice


@dataclass(frozen=True)
class Check:
    """One thing to look at.

    Attributes:
        name: what it is called in the report and by `--only`.
        about: what happens meanwhile, for people who wait.
        run: returns a sentence where all is well, or raises Fault or NotTried.
        needs: the checks that must have found all well before.
    """

    name: str
    about: str
    run: "Callable[[Visit], Awaitable[str]]"
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What came of a check."""

    name: str
    verdict: Verdict
    sentence: str
    advice: tuple[str, ...] = ()
    seconds: float = 0.0
