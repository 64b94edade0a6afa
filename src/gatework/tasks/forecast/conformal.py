r"""Intervals that hold: each one is stretched about the median by what the forecasts before it got wrong.

For an interval between the quantiles $q$ and $1 - q$ and every step of every held-back origin,

$$ r = \max\Big( \frac{y - \hat y}{\hat y_{1-q} - \hat y},\; \frac{\hat y - y}{\hat y - \hat y_q} \Big) $$

says how far out the actual value lies, 1 being the interval's end. Stretching both ends by the $1 - \alpha$ quantile of
these scores makes the interval cover a share of $1 - \alpha$ of those steps, whatever the network believed. A step
counts once, however many overlapping origins forecast it.

The scores are those of the series itself, with `_POOL` blocks' worth of those of all series, a block being a horizon
and at least ten steps: a long series goes by its own, a short one by the others'. A series whose typical score is far
from theirs has no part in that pool, so that one that nobody can forecast does not widen the rest. `_PRIOR` blocks'
worth of a normal law, for which the network's intervals are right, stand with them: two days do not overrule what was
learnt from years.

At first $\alpha = 2q$. Then, with every step that comes to pass, its scores join the others, whose weight falls by half
in `_HALF_LIFE` blocks, and with $m_t$, the share of the intervals once issued for it that missed it, and $b$ the
steps of a block,

$$ \alpha \leftarrow \min\big(1, \max(0, \alpha + \gamma\, 2q\, (2q - m_t) / b)\big), $$

so that coverage returns to what was promised where the future is unlike the held-back origins. The rate falls with the
horizon, because the answer to a change comes that much later, and with the promise, so that a single miss of a 95 %
interval moves it no more than it can know. No interval is stretched beyond the largest score seen. A forecast is
stretched by what was known when it was made.

Sources: Y. Romano, E. Patterson and E. Candès, "Conformalized quantile regression", NeurIPS 2019, with the score taken
relative to the interval so that one factor serves series of every size; I. Gibbs and E. Candès, "Adaptive conformal
inference under distribution shift", NeurIPS 2021.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from gatework.tasks.forecast.metrics import LEVELS, MEDIAN

MOST_SERIES = 4096
"""Of more series than these, none has scores of its own: all go by the pool."""
PROMISED = np.array([2 * level for level in LEVELS[:MEDIAN]])
"""The share of misses that each interval promises, the widest interval first, shape (intervals,)."""

# Scores are counted in classes of equal ratio: 32 of them to a power of ten, 7 % wide.
_SMALLEST, _DECADES, _BY_DECADE = 1e-2, 6, 32
CLASSES = _DECADES * _BY_DECADE
"""The classes in which scores are counted."""
_EDGES = _SMALLEST * 10 ** (np.arange(CLASSES + 1) / _BY_DECADE)

# Chosen on the built-in tables cut before their test parts and on generated series; docs/benchmarks-forecast.md.
_RATE, _HALF_LIFE, _PRIOR, _POOL = 0.75, 2.0, 1.0, 6.0
# A side that 0 cut short is measured as at least this share of its interval, so that one value beyond it is no reason
# to stretch the other side without end.
_LEAST_SIDE = 0.25
# Errors are alike over a horizon, so that a horizon is the unit of evidence; so many steps are the least.
_LEAST_BLOCK = 10
# A series whose median score is so many times the median series' is no part of the pool of all series, if there are
# enough to tell.
_FAR, _FEWEST_SERIES = 4.0, 3
# Nor is one of which nearly all scores are below one in so many, where half are above 1 if the intervals are right: one
# that is always 0 would make those of all others too narrow.
_NEARLY_ALL = 0.99


@dataclass(frozen=True, eq=False)
class Calibration:
    """What is known of the intervals at one moment.

    Attributes:
        alpha: The share of misses aimed at, shape (series, intervals); a pair of series and target is one series here.
        counts: In how many steps a score fell into each class, shape (series, intervals, classes).
        horizon: The steps of a forecast.
        least_side: No side of an interval is measured as shorter than this: of whole numbers many have none.
    """

    alpha: np.ndarray
    counts: np.ndarray
    horizon: int
    least_side: float = 0.0

    @classmethod
    def unknown(cls, series: int, horizon: int, least_side: float = 0.0) -> Calibration:
        """Before the first score: the intervals as the network gives them."""
        intervals = len(PROMISED)
        return cls(np.tile(PROMISED, (series, 1)), np.zeros((series, intervals, CLASSES)), horizon, least_side)

    def state(self) -> dict[str, Any]:
        """Values that JSON can hold; of the counts those that are not 0, with their places in the flat array."""
        places = np.flatnonzero(self.counts)
        counts = {"places": places.tolist(), "values": self.counts.reshape(-1)[places].tolist()}
        return {"alpha": self.alpha.tolist(), "counts": counts, "horizon": self.horizon, "least_side": self.least_side}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Calibration:
        """What was known, from `state()`.

        Raises:
            ValueError: The numbers do not fit together.
        """
        alpha = np.array(state["alpha"], dtype=np.float64)
        if alpha.ndim != 2 or alpha.shape[1] != len(PROMISED):
            raise ValueError(f"shares of misses of the shape {alpha.shape}")
        counts = np.zeros((*alpha.shape, CLASSES))
        places, values = np.array(state["counts"]["places"], dtype=np.int64), state["counts"]["values"]
        if len(places) and not 0 <= places.min() <= places.max() < counts.size:
            raise ValueError("counts of classes that there are not")
        counts.reshape(-1)[places] = np.array(values, dtype=np.float64)
        return cls(alpha, counts, int(state["horizon"]), float(state["least_side"]))

    def held_back(self, quantiles: np.ndarray, y: np.ndarray, times: np.ndarray, keys: np.ndarray) -> Calibration:
        """With what forecasts for held-back origins teach.

        Args:
            quantiles: Shape (origins, horizon, levels), not stretched.
            y: What came to pass, NaN where nothing was observed, shape (origins, horizon).
            times: The first step that each origin forecasts, as a position on the grid, shape (origins,).
            keys: Which series each origin is of, shape (origins,).
        """
        steps = _Steps.of(quantiles, y, times, keys, self.least_side)
        return self._counted(steps, np.ones(len(steps.key), dtype=bool))

    def stretch(self, keys: np.ndarray) -> np.ndarray:
        """The factor of every level, 1 for the median, shape (origins, levels).

        Args:
            keys: Which series each origin is of; below 0 for one that was never seen. Shape (origins,).
        """
        kinds, place = np.unique(keys, return_inverse=True)
        pool, is_far = self._pool()
        counts, alpha = self.counts[kinds], self.alpha[kinds]
        counts[kinds < 0], alpha[kinds < 0] = 0, PROMISED
        size = pool.sum(axis=1, keepdims=True)
        # Of few scores there is no more to borrow than there are.
        share = np.minimum(_POOL * self.block / np.maximum(size, 1e-12), 1.0) * ~is_far[kinds, None, None]
        factors = _quantile(counts + share * pool + _PRIOR * self.block * _NORMAL, 1 - alpha)
        levels = np.ones((len(kinds), len(LEVELS)))
        levels[:, :MEDIAN], levels[:, :MEDIAN:-1] = factors, factors
        stretches: np.ndarray = levels[place.reshape(-1)]
        return stretches

    def follow(
        self, quantiles: np.ndarray, y: np.ndarray, times: np.ndarray, keys: np.ndarray
    ) -> tuple[np.ndarray, Calibration]:
        """Goes through origins in the order of time, learning from each step once it has come to pass.

        Args:
            quantiles: Forecasts, shape (origins, horizon, levels), not stretched.
            y: What came to pass, NaN where nothing was observed, shape (origins, horizon).
            times: The first step that each origin forecasts, as a position on the grid, shape (origins,).
            keys: Which series each origin is of; below 0 for one that was never seen. Shape (origins,).

        Returns:
            The factors of each origin, shape (origins, levels), and what is known after the last step.
        """
        now, steps = self, _Steps.of(quantiles, y, times, keys, self.least_side)
        factors = np.ones((len(times), len(LEVELS)))
        moments = np.unique(steps.due)
        at = 0
        for time in np.unique(times):
            while at < len(moments) and moments[at] < time:
                now, at = now._after(steps, steps.due == moments[at], factors), at + 1
            here = times == time
            factors[here] = now.stretch(keys[here])
        for moment in moments[at:]:
            now = now._after(steps, steps.due == moment, factors)
        return factors, now

    @property
    def block(self) -> int:
        """The steps that are one piece of evidence."""
        return max(self.horizon, _LEAST_BLOCK)

    def _after(self, steps: _Steps, due: np.ndarray, factors: np.ndarray) -> Calibration:
        """What is known once the steps of one moment came to pass, given the factors that their origins had."""
        known = np.flatnonzero(due & (steps.key >= 0))
        series, place, times = np.unique(steps.key[known], return_inverse=True, return_counts=True)
        missed = np.zeros((len(series), len(PROMISED)))
        np.add.at(missed, place.reshape(-1), steps.score[known] > factors[steps.origin[known], :MEDIAN])
        moved = PROMISED * (PROMISED - missed / times[:, None]) * _RATE / self.block
        alpha = self.alpha.copy()
        alpha[series] = np.clip(alpha[series] + moved, 0.0, 1.0)
        faded = self.counts * 0.5 ** (1 / (_HALF_LIFE * self.block))
        return dataclasses.replace(self, alpha=alpha, counts=faded)._counted(steps, due)

    def _counted(self, steps: _Steps, chosen: np.ndarray) -> Calibration:
        """With the scores of further steps, each step of a series counting once."""
        of = np.flatnonzero(chosen & (steps.key >= 0))
        pairs = np.stack([steps.key[of], steps.due[of]], axis=1)
        _, place, times = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
        place = place.reshape(-1)
        counts = self.counts.copy()
        scaled = np.log10(np.maximum(steps.score[of], _SMALLEST) / _SMALLEST) * _BY_DECADE
        bins = np.minimum(scaled.astype(np.int64), CLASSES - 1)
        np.add.at(counts, (steps.key[of][:, None], np.arange(len(PROMISED)), bins), 1 / times[place][:, None])
        return dataclasses.replace(self, counts=counts)

    def _pool(self) -> tuple[np.ndarray, np.ndarray]:
        """The scores of all series but those far from the others', shape (intervals, classes), and which are far."""
        is_far = np.zeros(len(self.counts) + 1, dtype=bool)
        seen = np.flatnonzero(self.counts[:, -1].sum(axis=1) > 0)
        if len(seen) >= _FEWEST_SERIES:
            is_still = _quantile(self.counts[seen, -1], np.full(len(seen), _NEARLY_ALL)) * _FAR < 1
            typical = _quantile(self.counts[seen, -1], np.full(len(seen), 0.5))
            if not is_still.all():
                is_far[seen] = is_still | (typical > _FAR * np.median(typical[~is_still]))
        # The last entry stands for a series that was never seen, whose key is below 0.
        return self.counts[~is_far[:-1]].sum(axis=0), is_far


def stretched(quantiles: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Bands widened or narrowed level by level about the median, and kept from crossing.

    Args:
        quantiles: Shape (..., origins, horizon, levels).
        factors: The factor of every level, shape (origins, levels).
    """
    median = quantiles[..., MEDIAN : MEDIAN + 1]
    return in_order(median, factors[:, None] * (quantiles - median))


def in_order(median: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """Quantiles that do not cross, of shape (..., horizon, levels).

    Args:
        median: Shape (..., horizon, 1).
        gaps: What each level is away from it, shape (..., horizon, levels).
    """
    above = np.maximum.accumulate(gaps[..., MEDIAN + 1 :], axis=-1)
    below = np.minimum.accumulate(gaps[..., MEDIAN - 1 :: -1], axis=-1)[..., ::-1]
    return np.concatenate([median + below, median, median + above], axis=-1)


@dataclass(frozen=True, eq=False)
class _Steps:
    """Every observed step of every origin: its origin, series, position on the grid, and scores by interval."""

    origin: np.ndarray
    key: np.ndarray
    due: np.ndarray
    score: np.ndarray

    @classmethod
    def of(cls, quantiles: np.ndarray, y: np.ndarray, times: np.ndarray, keys: np.ndarray, least_side: float) -> _Steps:
        origin, ahead = np.nonzero(~np.isnan(y))
        return cls(origin, keys[origin], times[origin] + ahead, _scores(quantiles, y, least_side)[origin, ahead])


def _scores(quantiles: np.ndarray, y: np.ndarray, least_side: float) -> np.ndarray:
    """How far out each actual value lies of each interval, shape (origins, horizon, intervals)."""
    said = quantiles.astype(np.float64)
    median, tiny = said[..., MEDIAN : MEDIAN + 1], np.finfo(np.float64).tiny
    error = y[..., None] - median
    with np.errstate(over="ignore"):  # of an interval without width
        up, down = said[..., :MEDIAN:-1] - median, median - said[..., :MEDIAN]
        least = np.maximum(_LEAST_SIDE * (up + down), max(least_side, tiny))
        above, below = error / np.maximum(up, least), -error / np.maximum(down, least)
    # Beyond the last class every score is alike, and none is so large that it cannot be counted.
    scores: np.ndarray = np.minimum(np.maximum(above, below), 2 * _EDGES[-1])
    return scores


def _quantile(counts: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The score below which a share of the counted ones lies, shape of `share`; scores fill their class evenly.

    Args:
        counts: Shape (..., classes).
        share: Shape (...).
    """
    total = counts.cumsum(axis=-1)
    wanted = np.clip(share, 0, 1) * total[..., -1]
    # The first class that reaches it; rounding must not ask for more than there is.
    at = np.minimum((total < wanted[..., None] * (1 - 1e-12)).sum(axis=-1), CLASSES - 1)[..., None]
    inside = np.take_along_axis(counts, at, -1)[..., 0]
    before = np.take_along_axis(total, at, -1)[..., 0] - inside
    part = np.where(inside > 0, (wanted - before) / np.where(inside > 0, inside, 1), 1.0)
    scores: np.ndarray = _EDGES[at[..., 0]] * 10 ** (np.clip(part, 0, 1) / _BY_DECADE)
    return scores


def _normal() -> np.ndarray:
    """The scores' law where forecasts are normal and the intervals right, by class, shape (intervals, classes)."""
    below = np.vectorize(math.erf)(_ends()[:, None] * _EDGES / math.sqrt(2))
    mass = np.diff(below, axis=1, prepend=0.0)[:, 1:]
    mass[:, 0] += below[:, 0]
    # What lies beyond four standard deviations would be the largest score seen.
    mass[_ends()[:, None] * _EDGES[:-1] > 4] = 0
    normal: np.ndarray = mass / mass.sum(axis=1, keepdims=True)
    return normal


def _ends() -> np.ndarray:
    """The ends of the intervals of a standard normal law, shape (intervals,)."""
    return np.array([NormalDist().inv_cdf(1 - level) for level in LEVELS[:MEDIAN]])


_NORMAL = _normal()
