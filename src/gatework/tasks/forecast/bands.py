r"""The intervals of an answer: a weighted mean of several methods' bands about one median.

Every method offers its band, moved to the answer's median, twice: as it is, and stretched by what the plain mean of all
these bands got wrong (`conformal.py`). About one median all err alike, so that one factor is known better than one for
each method, and leaves the methods' bands as different as they are. What they reach below and above is averaged,
interval by interval, with the weights

$$ w_k \propto s_k^{-8} , $$

where $s_k$ is the interval score that the band has had lately: that of every step that came to pass, of which each
counts once and whose weight falls by half in `_HALF_LIFE` blocks. So what a crisis made too wide is given up once a
narrower band does as well, and a band that is too narrow once it misses: weights that follow the loss of each forecast
so far need no law that holds (V. V'yugin and V. Trunov, "Online learning with continuous ranked probability score",
COPA 2019).

Scores are divided by how large they all were about that time: by the bands' mean score of the narrowest interval, half
of which is forgotten in `_LEVEL_HALF_LIFE` blocks. So a crisis counts for as long as it lasts and not for as hard as it
hits; else it alone would decide for years, in which a narrower band does better every day. The narrowest interval is
missed so often that no single miss moves that level much: weighed by the very scores that it adds, a band that is too
narrow would gain from each step without a miss and pay little for the rare ones.

The answer itself, the network and AutoETS, AutoTheta and AutoARIMA offer bands. Those of the simplest methods are the
quantiles of their errors on the validation part, where they look better than they are: they have a part in the
answer's alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gatework.tasks.forecast.conformal import PROMISED, Calibration, in_order, stretched
from gatework.tasks.forecast.metrics import LEVELS, MEDIAN, interval_score
from gatework.tasks.forecast.shares import ANSWER, Passed, Said, Shares, width

# Chosen on the built-in tables cut before their test parts, on other tables and on generated series;
# docs/benchmarks-forecast.md.
_POWER, _HALF_LIFE, _LEVEL_HALF_LIFE = 8.0, 2.0, 0.25
# No level is below this, in widths of the answer's widest interval; a third is that of a normal law.
_LEAST_LEVEL = 0.1
_TINY = 1e-12
# A band beyond so many times the answer's width, or below one in so many of it, is none.
_MOST_APART = 1e3


@dataclass(frozen=True, eq=False)
class Bands:
    """What is known of every band, and of who has a share in the median, at one moment.

    Attributes:
        methods: Who offers bands, `ANSWER` first.
        calibration: What is known of the mean of their intervals.
        scores: The interval score that each band has had, faded: those of the methods as they are, then stretched,
            shape (bands, intervals).
        level: The bands' mean score of the narrowest interval and how many steps it is of, faded faster, shape (2,).
        moment: The step up to which both are faded, a position on the grid.
        shares: What is known of the candidates for the median, faded likewise.
    """

    methods: tuple[str, ...]
    calibration: Calibration
    scores: np.ndarray
    level: np.ndarray
    moment: int
    shares: Shares = field(default_factory=Shares)

    @classmethod
    def unknown(cls, methods: Iterable[str], series: int, horizon: int, least_side: float = 0.0) -> Bands:
        """Before the first step: every band counts alike.

        Args:
            methods: Who offers bands.
            series: How many series have intervals of their own.
            horizon: The steps of a forecast.
            least_side: No side of an interval is measured as shorter than this.
        """
        known, named = Calibration.unknown(series, horizon, least_side), tuple(methods)
        return cls(named, known, np.zeros((2 * len(named), len(PROMISED))), np.zeros(2), 0)

    def state(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        kept = {"scores": self.scores.tolist(), "level": self.level.tolist(), "moment": self.moment}
        known = {"methods": list(self.methods), "calibration": self.calibration.state()}
        return {**known, **kept, "shares": self.shares.state()}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Bands:
        """What was known, from `state()`.

        Raises:
            ValueError: The numbers do not fit together.
        """
        methods, calibration = tuple(map(str, state["methods"])), Calibration.from_state(state["calibration"])
        scores = np.array(state["scores"], dtype=np.float64)
        if methods[:1] != (ANSWER,) or scores.shape != (2 * len(methods), len(PROMISED)) or not (scores >= 0).all():
            raise ValueError(f"scores of bands of the shape {scores.shape}, expected {2 * len(methods)} rows")
        level = np.array(state["level"], dtype=np.float64)
        if level.shape != (2,) or not (level >= 0).all():
            raise ValueError(f"a level of scores of {level.tolist()}")
        return cls(methods, calibration, scores, level, int(state["moment"]), Shares.from_state(state["shares"]))

    def held_back(self, said: Said, y: np.ndarray, times: np.ndarray, keys: np.ndarray, least: float) -> Bands:
        """With what forecasts for held-back origins teach; arguments as for `follow()`."""
        after = self._banded(said, y, times, keys, least)[1]
        known = self.calibration.held_back(self._moved(said).mean(axis=0), y, times, keys)
        return dataclasses.replace(after, calibration=known)

    def follow(
        self, said: Said, y: np.ndarray, times: np.ndarray, keys: np.ndarray, least: float
    ) -> tuple[np.ndarray, Bands]:
        """Goes through origins in the order of time, learning from each step once it has come to pass.

        Args:
            said: What those say who offer bands, or are candidates for the median, not stretched.
            y: What came to pass, NaN where nothing was observed, shape (origins, horizon).
            times: The first step that each origin forecasts, as a position on the grid, shape (origins,).
            keys: Which series each origin is of; below 0 for one that was never seen. Shape (origins,).
            least: No band reaches below this.

        Returns:
            The answer with its bands, shape (origins, horizon, levels), and what is known after the last step.
        """
        said, shares = self.shares.follow(said, y, times, keys, self.moment, self.block)
        quantiles, after = self._banded(said, y, times, keys, least)
        return quantiles, dataclasses.replace(after, shares=shares)

    @property
    def block(self) -> int:
        """The steps that are one piece of evidence."""
        return self.calibration.block

    def _banded(
        self, said: Said, y: np.ndarray, times: np.ndarray, keys: np.ndarray, least: float
    ) -> tuple[np.ndarray, Bands]:
        """As `follow()`, about the median as it is said."""
        moved = self._moved(said)
        factors, known = self.calibration.follow(moved.mean(axis=0), y, times, keys)
        offered = np.maximum(np.concatenate([moved, stretched(moved, factors)]), least)
        weights, learnt = self._weighed(offered, y, times, keys)
        # The answer's own as it is.
        median = offered[0, ..., MEDIAN : MEDIAN + 1]
        gaps = np.einsum("bol,bohl->ohl", weights, offered - median)
        return in_order(median, gaps), dataclasses.replace(learnt, calibration=known)

    def _moved(self, said: Said) -> np.ndarray:
        """Every method's quantiles about the answer's median, shape (methods, origins, horizon, levels)."""
        return np.stack([_about(said[ANSWER].astype(np.float64), said[name]) for name in self.methods])

    def _weighed(
        self, offered: np.ndarray, y: np.ndarray, times: np.ndarray, keys: np.ndarray
    ) -> tuple[np.ndarray, Bands]:
        """The share of each band at every origin, shape (bands, origins, levels), and what is known in the end."""
        passed, gained = _gained(offered, y, times, keys)
        now, at = self, 0
        weights = np.full((len(offered), len(times), len(LEVELS)), 1 / len(offered))
        for time in [*np.unique(times), np.inf]:
            while at < len(passed.moments) and passed.moments[at] < time:
                now, at = now._after(int(passed.moments[at]), gained[:, at], passed.counts[at]), at + 1
            shares = _shares(now.scores)
            here = times == time
            weights[:, here, :MEDIAN] = shares[:, None]
            weights[:, here, :MEDIAN:-1] = shares[:, None]
        return weights, now

    def _after(self, moment: int, gained: np.ndarray, steps: float) -> Bands:
        """With the scores, shape (bands, intervals), of the steps that came to pass at one moment."""
        blocks = max(0, moment - self.moment) / self.block
        level = self.level * 0.5 ** (blocks / _LEVEL_HALF_LIFE) + (gained[:, -1].mean(), steps)
        added = gained / max(level[0] / level[1], _LEAST_LEVEL)
        scores = self.scores * 0.5 ** (blocks / _HALF_LIFE) + added
        return dataclasses.replace(self, scores=scores, level=level, moment=moment)


def _shares(scores: np.ndarray) -> np.ndarray:
    """The weight of each band in the mean, by interval, shape (bands, intervals)."""
    counted = np.maximum(scores, _TINY)
    raw = (counted.min(axis=0) / counted) ** _POWER
    shares: np.ndarray = raw / raw.sum(axis=0)
    return shares


def _about(answer: np.ndarray, said: np.ndarray) -> np.ndarray:
    """A method's quantiles about the answer's median; the answer's own where the method cannot answer.

    It cannot where it is sure, as of a series that never changed, since about another median its band says nothing;
    nor where it knows nothing, as a model of years does at an early origin of a newer table.
    """
    gaps = said - said[..., MEDIAN : MEDIAN + 1]
    offered, answered = width(said), width(answer)
    # An answer that is sure itself needs whoever is not.
    is_like = (offered * _MOST_APART >= answered) & ((offered <= answered * _MOST_APART) | (answered == 0))
    can = np.isfinite(gaps).all(axis=(1, 2)) & is_like
    about: np.ndarray = np.where(can[:, None, None], answer[..., MEDIAN : MEDIAN + 1] + gaps, answer)
    return about


def _gained(offered: np.ndarray, y: np.ndarray, times: np.ndarray, keys: np.ndarray) -> tuple[Passed, np.ndarray]:
    """The steps that come to pass, and the scores of each moment, shape (bands, moments, intervals).

    Errors are measured by the width of the answer's widest band, so that every series counts alike; each step of a
    series counts once, however many origins forecast it.
    """
    passed = Passed.of(width(offered[0]), y, times, keys)
    at = (passed.origin, passed.ahead)
    gained = np.zeros((len(offered), len(passed.moments), len(PROMISED)))
    for interval, misses in enumerate(PROMISED):
        low, high = offered[:, *at, interval], offered[:, *at, -1 - interval]
        for band, values in enumerate(interval_score(low, high, y[at], misses)):
            gained[band, :, interval] = passed.added(values)
    return passed, gained
