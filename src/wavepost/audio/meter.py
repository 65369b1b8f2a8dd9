"""Peak and clipping, measured on the samples as they were recorded."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

SILENCE_DBFS = -150.0
"""What stands for the peak of digital silence: JSON has no minus infinity."""

Samples = npt.NDArray[Any]


class Meter:
    """Sees every decoded sample once.

    Attributes:
        clipped: samples at or beyond full scale.
        not_finite: float samples that were NaN or infinite; `measure` gives them back as 0.
    """

    def __init__(self) -> None:
        self.clipped = 0
        self.not_finite = 0
        self._peak = 0.0

    @property
    def peak_dbfs(self) -> float:
        """The largest sample against full scale in dB, to a hundredth."""
        if self._peak <= 0.0:
            return SILENCE_DBFS
        return max(round(20.0 * math.log10(self._peak), 2), SILENCE_DBFS)

    def measure(self, samples: Samples) -> Samples:
        """Take `samples` (any shape; u8, s16, s32, s64 or float) into account."""
        if samples.dtype.kind == "f":
            return self._measure_float(samples)
        middle = 128 if samples.dtype == np.uint8 else 0
        info = np.iinfo(samples.dtype)
        lowest, highest = int(samples.min()), int(samples.max())
        self._peak = max(
            self._peak, (middle - lowest) / (middle - info.min), (highest - middle) / info.max
        )
        if lowest == info.min or highest == info.max:
            self.clipped += int(np.count_nonzero((samples == info.min) | (samples == info.max)))
        return samples

    def _measure_float(self, samples: Samples) -> Samples:
        finite = np.isfinite(samples)
        if not finite.all():
            self.not_finite += int(finite.size - np.count_nonzero(finite))
            samples = np.where(finite, samples, samples.dtype.type(0))
        size = np.abs(samples)
        peak = float(size.max())
        if peak >= 1.0:
            self.clipped += int(np.count_nonzero(size >= 1.0))
        self._peak = max(self._peak, peak)
        return samples
