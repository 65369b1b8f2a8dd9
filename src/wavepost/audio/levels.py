"""How loud the samples are, as they were recorded."""

import math
from dataclasses import dataclass

from wavepost.audio import warnings

SILENCE_DBFS = -150.0
"""What stands for the peak of digital silence: JSON has no minus infinity."""


@dataclass
class Levels:
    """What was seen so far.

    Attributes:
        peak: the largest sample, full scale is 1.
        clipped: samples at or beyond full scale.
        not_finite: float samples that were NaN or infinite.
    """

    peak: float = 0.0
    clipped: int = 0
    not_finite: int = 0

    @property
    def peak_dbfs(self) -> float:
        """The peak against full scale in dB, to a hundredth."""
        if self.peak <= 0.0:
            return SILENCE_DBFS
        return max(round(20.0 * math.log10(self.peak), 2), SILENCE_DBFS)

    @property
    def warnings(self) -> list[warnings.Entry]:
        """What is wrong with the samples."""
        found = []
        if self.not_finite:
            found.append(warnings.not_finite(self.not_finite))
        if self.clipped:
            found.append(warnings.clipped(self.clipped))
        return found
