"""Peak and clipping of samples of any kind."""

from typing import Any

import numpy as np
import numpy.typing as npt

from wavepost.audio.levels import Levels

Samples = npt.NDArray[Any]


def measured(samples: Samples, levels: Levels) -> Samples:
    """Take `samples` (any shape; u8, s16, s32 or float) into account.

    Gives them back, with 0 for floats that are not finite, and none beyond full scale: FFmpeg makes
    the largest negative integer of those beyond 65,536, whatever their sign.
    """
    if samples.dtype.kind == "f":
        return _measured_float(samples, levels)
    middle = 128 if samples.dtype == np.uint8 else 0
    info = np.iinfo(samples.dtype)
    lowest, highest = int(samples.min()), int(samples.max())
    levels.peak = max(
        levels.peak, (middle - lowest) / (middle - info.min), (highest - middle) / info.max
    )
    if lowest == info.min or highest == info.max:
        levels.clipped += int(np.count_nonzero((samples == info.min) | (samples == info.max)))
    return samples


def _measured_float(samples: Samples, levels: Levels) -> Samples:
    finite = np.isfinite(samples)
    if not finite.all():
        levels.not_finite += int(finite.size - np.count_nonzero(finite))
        samples = np.where(finite, samples, samples.dtype.type(0))
    size = np.abs(samples)
    peak = float(size.max())
    levels.peak = max(levels.peak, peak)
    if peak >= 1.0:
        levels.clipped += int(np.count_nonzero(size >= 1.0))
        samples = np.clip(samples, -1, 1)
    return samples
