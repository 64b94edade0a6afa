r"""Dynamic time warping: how far two series lie apart once their steps are matched in order.

With $d(i, j)$ the squared distance of step $i$ of one series and step $j$ of the other, over all variables together,

$$ D(i, j) = d(i, j) + \min(D(i - 1, j), D(i, j - 1), D(i - 1, j - 1)) . $$

The distance of two series is the last entry of $D$; of recordings it is divided by the sum of their steps, since what
is longer would else be farther away from all. One series is held against many at once, along the diagonals of
$D$, whose entries do not depend on each other.

Source: M. Shokoohi-Yekta, B. Hu, H. Jin, J. Wang and E. Keogh, "Generalizing DTW to the multi-dimensional case requires
an adaptive approach", Data Mining and Knowledge Discovery 31, 2017 (there DTW-D, the dependent form).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gatework.data.dataset import Split
from gatework.data.inputs import RaggedSeries
from gatework.data.series import Scale

_MOST_NUMBERS = 2**22
"""Entries of D that are held at once."""


def nearest_scores(train: Split, inputs: Any, classes: int, *, is_by_step: bool = False) -> np.ndarray:
    """Scores by the distance to the nearest training series of each class, shape (examples, classes).

    Args:
        train: The training part.
        inputs: The series to be answered.
        classes: How many classes there are.
        is_by_step: Whether a distance is divided by the steps of both series.
    """
    series = train.inputs
    if not isinstance(series, RaggedSeries):
        raise TypeError(f"expected series of several lengths, not {type(series).__name__}")
    scale = Scale.fit(series.values)
    known = RaggedSeries(scale.apply(series.values).astype(np.float64), series.ends)
    nearest = np.full((len(inputs), classes), np.inf)
    for row, place in zip(nearest, range(len(inputs)), strict=True):
        one = scale.apply(inputs[place]).astype(np.float64)
        apart = distances(one, known)
        np.minimum.at(row, train.targets, apart / (len(one) + known.lengths) if is_by_step else apart)
    # A class without a training series is as far away as can be; one that is met exactly has all the others far.
    nearest = np.minimum(nearest, 1e9)
    return -nearest / np.maximum(nearest.mean(axis=1, keepdims=True), 1e-9)


def distances(one: np.ndarray, others: RaggedSeries) -> np.ndarray:
    """The distance of one series to each of several, shape (others,), float64.

    Args:
        one: Shape (steps, variables).
        others: Of the same variables.
    """
    longest = int(others.lengths.max())
    size = max(_MOST_NUMBERS // (len(one) * longest), 1)
    parts = [others[np.arange(k, min(k + size, len(others)))] for k in range(0, len(others), size)]
    return np.concatenate([_of_some(one, part) for part in parts])


def _of_some(one: np.ndarray, others: RaggedSeries) -> np.ndarray:
    rows, columns = len(one), int(others.lengths.max())
    apart = ((one**2).sum(1)[:, None] + (others.values**2).sum(1) - 2 * one @ others.values.T).clip(0)
    # Entry (i, j) stands in the diagonal i + j, at its row i; what lies outside D is never the least.
    leaning = np.full((rows + columns - 1, len(others), rows), np.inf, dtype=apart.dtype)
    lengths = others.lengths
    which = np.repeat(np.arange(len(others)), lengths)
    at = np.arange(len(others.values)) - np.repeat(others.ends - lengths, lengths)
    for i in range(rows):
        leaning[i + at, which, i] = apart[i]
    before = np.full((len(others), rows + 1), np.inf)
    last = before.copy()
    ends = np.empty(len(others))
    for diagonal, cost in enumerate(leaning):
        now = np.full_like(last, np.inf)
        if diagonal == 0:
            now[:, 1] = cost[:, 0]
        else:
            now[:, 1:] = cost + np.minimum(np.minimum(last[:, :-1], last[:, 1:]), before[:, :-1])
        is_end = lengths - 1 + rows - 1 == diagonal
        ends[is_end] = now[is_end, -1]
        before, last = last, now
    return ends
