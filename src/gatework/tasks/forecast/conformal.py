r"""Intervals that hold: each one is stretched about the median until it covers what it promises, and goes on learning.

For an interval between the quantiles $q$ and $1 - q$ and every step of every held-back origin,

$$ r = \max\Big( \frac{y - \hat y}{\hat y_{1-q} - \hat y},\; \frac{\hat y - y}{\hat y - \hat y_q} \Big) $$

says how far out the actual value lies, 1 being the interval's end. Stretching both ends by the
$\lceil (n + 1)(1 - \alpha) \rceil$-th smallest of the $n$ scores $r$ seen so far makes it cover a share of at least
$1 - \alpha$ of those steps, whatever the network believed. At first $\alpha = 2q$. Then, whenever a further step
comes to pass, its scores join the others, and with $m_t$, the share of the intervals once issued for it that missed it,

$$ \alpha \leftarrow \alpha + \gamma (2q - m_t), $$

so that coverage returns to what was promised even where the future is unlike the held-back origins. A forecast is
stretched by what was known when it was made.

Sources: Y. Romano, E. Patterson and E. Candès, "Conformalized quantile regression", NeurIPS 2019, with the score taken
relative to the interval so that one factor serves series of every size; I. Gibbs and E. Candès, "Adaptive conformal
inference under distribution shift", NeurIPS 2021, whose bound on the long-run share of misses asks nothing of the data.
Where $\alpha$ falls below 0 they answer the whole line; here the largest score is enlarged by $1 - \alpha / 2q$.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gatework.tasks.forecast.metrics import LEVELS, MEDIAN

PROMISED = np.array([2 * level for level in LEVELS[:MEDIAN]])
"""The share of misses that each interval promises, the widest interval first, shape (intervals,)."""
MOST_SCORES = 4096
"""Of more scores than these, so many are kept, evenly spread over their order."""

_RATE = 0.05
_FEWEST = 10
_WIDEST = 20.0


@dataclass(frozen=True, eq=False)
class Calibration:
    """What is known of the intervals at one moment.

    Attributes:
        alpha: The share of misses aimed at by each interval, shape (intervals,).
        scores: The scores of each interval in rising order, shape (intervals, kept).
        count: How many scores the kept ones stand for.
    """

    alpha: np.ndarray
    scores: np.ndarray
    count: int

    @classmethod
    def held_back(cls, quantiles: np.ndarray, y: np.ndarray) -> Calibration:
        """Learns from forecasts for held-back origins.

        Args:
            quantiles: Shape (origins, horizon, levels), not stretched.
            y: What came to pass, NaN where nothing was observed, shape (origins, horizon).
        """
        nothing = cls(PROMISED.copy(), np.zeros((len(PROMISED), 0)), 0)
        return nothing._joined(_scores(quantiles, y)[~np.isnan(y)])

    def stretch(self) -> np.ndarray:
        """The factor of every level, shape (levels,); 1 for the median, and throughout where there is too little."""
        found = np.ones(len(LEVELS))
        kept = self.scores.shape[1]
        if self.count < _FEWEST:
            return found
        for k, (alpha, scores) in enumerate(zip(self.alpha, self.scores, strict=True)):
            rank = min(max(math.ceil((kept + 1) * (1 - max(alpha, 0.0))), 1), kept)
            factor = float(scores[rank - 1]) * (1 - min(alpha, 0.0) / PROMISED[k])
            found[[k, -1 - k]] = min(max(factor, 0.0), _WIDEST)
        return found

    def follow(self, quantiles: np.ndarray, y: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, Calibration]:
        """Goes through origins in the order of time, learning from each step once it has come to pass.

        Args:
            quantiles: Forecasts, shape (origins, horizon, levels), not stretched.
            y: What came to pass, NaN where nothing was observed, shape (origins, horizon).
            times: The first step that each origin forecasts, as a position on the grid, shape (origins,).

        Returns:
            The factors of each origin, shape (origins, levels), and what is known after the last step.
        """
        now, scores = self, _scores(quantiles, y)
        due = times[:, None] + np.arange(y.shape[1])
        origin, ahead = np.nonzero(~np.isnan(y))
        order = np.argsort(due[origin, ahead], kind="stable")
        origin, ahead = origin[order], ahead[order]
        moments, starts = np.unique(due[origin, ahead], return_index=True)
        steps = np.split(np.arange(len(origin)), starts[1:]) if len(origin) else []
        factors = np.ones((len(times), len(LEVELS)))
        at = 0
        for time in np.unique(times):
            while at < len(moments) and moments[at] < time:
                now, at = now._after(scores, factors, origin[steps[at]], ahead[steps[at]]), at + 1
            factors[times == time] = now.stretch()
        for rest in steps[at:]:
            now = now._after(scores, factors, origin[rest], ahead[rest])
        return factors, now

    def _after(self, scores: np.ndarray, factors: np.ndarray, origin: np.ndarray, ahead: np.ndarray) -> Calibration:
        """What is known once one step came to pass, which these origins had forecast so many steps ahead."""
        seen = scores[origin, ahead]
        missed = (seen > factors[origin, :MEDIAN]).mean(axis=0)
        alpha = np.clip(self.alpha + _RATE * (PROMISED - missed), -1.0, 1.0)
        return Calibration(alpha, self.scores, self.count)._joined(seen)

    def _joined(self, seen: np.ndarray) -> Calibration:
        """With further scores, shape (steps, intervals); each of those kept stands for as many as the others do."""
        stands_for = self.count / self.scores.shape[1] if self.count else 1.0
        new = _thinned(np.sort(seen.T, axis=1), max(1, round(len(seen) / stands_for)))
        scores = np.sort(np.concatenate([self.scores, new], axis=1), axis=1)
        return Calibration(self.alpha, _thinned(scores, MOST_SCORES), self.count + len(seen))


def _thinned(scores: np.ndarray, most: int) -> np.ndarray:
    count = scores.shape[1]
    return scores if count <= most else scores[:, ((np.arange(most) + 0.5) * count / most).astype(np.int64)]


def _scores(quantiles: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How far out each actual value lies of each interval, shape (origins, horizon, intervals)."""
    said = quantiles.astype(np.float64)
    median, tiny = said[..., MEDIAN : MEDIAN + 1], np.finfo(np.float64).tiny
    error = y[..., None] - median
    above = error / np.maximum(said[..., :MEDIAN:-1] - median, tiny)
    below = -error / np.maximum(median - said[..., :MEDIAN], tiny)
    found: np.ndarray = np.maximum(above, below)
    return found
