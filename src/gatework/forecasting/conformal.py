r"""Intervals that hold: each one is stretched about the median until it covers what it promises.

For an interval between the quantiles $q$ and $1 - q$ and every step of every held-back origin,

$$ r = \max\Big( \frac{y - \hat y}{\hat y_{1-q} - \hat y},\; \frac{\hat y - y}{\hat y - \hat y_q} \Big) $$

says how far out the actual value lies, 1 being the interval's end. Stretching both ends by the
$\lceil (n + 1)(1 - 2q) \rceil$-th smallest $r$ makes it cover a share of at least $1 - 2q$ of those steps, whatever the
network believed.

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
    said, actual = quantiles[seen].astype(np.float64), y[seen]
    tiny = np.finfo(np.float64).tiny
    for low in range(MEDIAN):
        high = len(LEVELS) - 1 - low
        above = (actual - said[:, MEDIAN]) / np.maximum(said[:, high] - said[:, MEDIAN], tiny)
        below = (said[:, MEDIAN] - actual) / np.maximum(said[:, MEDIAN] - said[:, low], tiny)
        ratios = np.sort(np.maximum(above, below))
        rank = min(math.ceil((len(ratios) + 1) * (LEVELS[high] - LEVELS[low])), len(ratios))
        found[[low, high]] = min(max(float(ratios[rank - 1]), 0.0), _WIDEST)
    return found
