r"""Intervals that hold: each quantile's distance from the median is stretched until it covers what it promises.

For a level $q > 0.5$ and every step of every held-back origin, $r = (y - \hat y) / (\hat y_q - \hat y)$ says how far
the actual value lies on the way to the quantile. Stretching that way by the $\lceil (n + 1) q \rceil$-th smallest $r$
makes the quantile cover a share of at least $q$ of those steps, whatever the network believed. Levels below the median
likewise.

Source: Y. Romano, E. Patterson and E. Candès, "Conformalized quantile regression", NeurIPS 2019, with the score taken
relative to the interval so that one factor serves series of every size. Steps of one origin, and of neighbouring ones,
are not independent: the coverage is what the held-back origins had, and is measured again on the test part.
"""

from __future__ import annotations

import math

import numpy as np

from gatework.forecasting.metrics import LEVELS, MEDIAN

_FEWEST = 10
_WIDEST = 20.0


def stretches(quantiles: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The factor of every level.

    Args:
        quantiles: Forecasts for held-back origins, shape (origins, horizon, levels).
        y: What came to pass, NaN where nothing was observed, shape (origins, horizon).

    Returns:
        Shape (levels,), at least 0; 1 for the median, and throughout where there is too little to judge by.
    """
    found = np.ones(len(LEVELS))
    seen = ~np.isnan(y)
    if seen.sum() < _FEWEST:
        return found
    median, actual = quantiles[..., MEDIAN][seen].astype(np.float64), y[seen]
    for k, level in enumerate(LEVELS):
        if k == MEDIAN:
            continue
        way = quantiles[..., k][seen] - median
        ratios = np.sort((actual - median) / np.where(way == 0, np.finfo(np.float64).eps, way))
        rank = math.ceil((len(ratios) + 1) * max(level, 1 - level))
        found[k] = min(max(float(ratios[min(rank, len(ratios)) - 1]), 0.0), _WIDEST)
    return found
