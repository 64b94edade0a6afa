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
    return forward_filled_within(values, np.zeros(1, dtype=np.int64), start)


def forward_filled_within(values: np.ndarray, firsts: np.ndarray, start: float | np.ndarray = 0.0) -> np.ndarray:
    """Each missing value becomes the one before it in its series.

    Args:
        values: Series end to end, NaN where missing, shape (steps, variables).
        firsts: Where each series begins, shape (series,).
        start: What stands before the first value that is known: one number, one for each variable, or one for each
            series and variable.

    Returns:
        The same shape; the very array where nothing is missing.
    """
    is_known = ~np.isnan(values)
    if is_known.all():
        return values
    last = np.maximum.accumulate(np.where(is_known, np.arange(len(values))[:, None], -1), axis=0)
    filled = np.take_along_axis(values, np.maximum(last, 0), axis=0)
    number = np.repeat(np.arange(len(firsts)), np.diff(np.append(firsts, len(values))))
    starts = np.broadcast_to(start, (len(firsts), values.shape[1]))
    return np.where(last < firsts[number, None], starts[number], filled)
