"""Missing values filled by the last one that was known: the one rule that never looks ahead."""

from __future__ import annotations

import numpy as np


def forward_filled(values: np.ndarray, start: float | np.ndarray = 0.0) -> np.ndarray:
    """Each missing value becomes the one before it.

    Args:
        values: NaN where missing, shape (steps, variables).
        start: What stands before the first value that is known, one number or one for each variable.

    Returns:
        The same shape; the very array where nothing is missing.
    """
    is_known = ~np.isnan(values)
    if is_known.all():
        return values
    last = np.maximum.accumulate(np.where(is_known, np.arange(len(values))[:, None], -1), axis=0)
    filled = np.take_along_axis(values, np.maximum(last, 0), axis=0)
    return np.where(last < 0, start, filled)
