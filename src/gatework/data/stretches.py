"""Stretches of rows that lie one after the other: as a view, so that several of them are one gather."""

from __future__ import annotations

import numpy as np


def stretches(values: np.ndarray, steps: int, axis: int = 0) -> np.ndarray:
    """The so many values from each place on, which are not copied before some are asked for.

    Args:
        values: One row for each step, or one column, shape (steps, ...) or (..., steps) by the axis.
        steps: How many are looked at together.
        axis: The axis of steps, which becomes two: places, and the steps from there on.
    """
    shape = (*values.shape[:axis], max(values.shape[axis] - steps + 1, 0), steps, *values.shape[axis + 1 :])
    strides = (*values.strides[: axis + 1], *values.strides[axis:])
    return np.lib.stride_tricks.as_strided(values, shape, strides, writeable=False)
