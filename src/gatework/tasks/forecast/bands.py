r"""The intervals of an answer: a weighted mean of several methods' bands about one median.

Every method offers its band, moved to the answer's median, twice: as it is, and stretched by what such bands got wrong
(`conformal.py`). What they reach below and above is averaged, interval by interval, with the weights

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
from types import MappingProxyType
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
        calibrations: What is known of each method's intervals, by method.
        scores: The interval score that each band has had, faded: of every method as it is, then stretched, shape
            (bands, intervals).
        level: The bands' mean score of the narrowest interval and how many steps it is of, faded faster, shape (2,).
        moment: The step up to which both are faded, a position on the grid.
        shares: What is known of the candidates for the median, faded likewise.
    """

    calibrations: Mapping[str, Calibration]
    scores: np.ndarray
    level: np.ndarray
    moment: int
    shares: Shares = field(default_factory=Shares)

    @classmethod
    def unknown(
        cls, methods: Iterable[str], series: int, horizon: int, least_sides: Mapping[str, float] = MappingProxyType({})
    ) -> Bands:
        """Before the first step: every band counts alike.

        Args:
            methods: Who offers bands.
            series: How many series have intervals of their own.
            horizon: The steps of a forecast.
            least_sides: The shortest side of the intervals of methods, where they have one, by method.
        """
        known = {name: Calibration.unknown(series, horizon, least_sides.get(name, 0.0)) for name in methods}
        return cls(known, np.zeros((2 * len(known), len(PROMISED))), np.zeros(2), 0)

    def state(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        known = {name: calibration.state() for name, calibration in self.calibrations.items()}
        kept = {"scores": self.scores.tolist(), "level": self.level.tolist(), "moment": self.moment}
        return {"calibrations": known, **kept, "shares": self.shares.state()}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Bands:
        """What was known, from `state()`.

        Raises:
            ValueError: The numbers do not fit together.
        """
        known = {str(name): Calibration.from_state(kept) for name, kept in state["calibrations"].items()}
        scores = np.array(state["scores"], dtype=np.float64)
        if ANSWER not in known or scores.shape != (2 * len(known), len(PROMISED)) or not (scores >= 0).all():
            raise ValueError(f"scores of bands of the shape {scores.shape}, expected {2 * len(known)} rows")
        level = np.array(state["level"], dtype=np.float64)
        if level.shape != (2,) or not (level >= 0).all():
            raise ValueError(f"a level of scores of {level.tolist()}")
        return cls(known, scores, level, int(state["moment"]), Shares.from_state(state["shares"]))

    def held_back(self, said: Said, y: np.ndarray, times: np.ndarray, keys: np.ndarray, least: float) -> Bands:
        """With what forecasts for held-back origins teach; arguments as for `follow()`."""
        after = self._banded(said, y, times, keys, least)[1]
        moved, can = self._moved(said)
        known = {
            name: kept.held_back(moved[name], np.where(can[name], y, np.nan), times, keys)
            for name, kept in self.calibrations.items()
        }
        return dataclasses.replace(after, calibrations=known)

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
        return next(iter(self.calibrations.values())).block

    def _banded(
        self, said: Said, y: np.ndarray, times: np.ndarray, keys: np.ndarray, least: float
    ) -> tuple[np.ndarray, Bands]:
        """As `follow()`, about the median as it is said."""
        moved, can = self._moved(said)
        followed = {
            name: calibration.follow(moved[name], np.where(can[name], y, np.nan), times, keys)
            for name, calibration in self.calibrations.items()
        }
        bands, known = [], {}
        for name, (factors, known[name]) in followed.items():
            # The answer's band in place of a method's is stretched as the answer's.
            bands += [moved[name], stretched(moved[name], np.where(can[name], factors, followed[ANSWER][0]))]
        offered = np.maximum(np.stack(bands), least)
        weights, learnt = self._weighed(offered, y, times, keys)
        median = np.maximum(moved[ANSWER][..., MEDIAN : MEDIAN + 1], least)
        gaps = np.einsum("bol,bohl->ohl", weights, offered - median)
        return in_order(median, gaps), dataclasses.replace(learnt, calibrations=known)

    def _moved(self, said: Said) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        return _moved({name: said[name] for name in self.calibrations})

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


def _moved(said: Said) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Every method's quantiles about the answer's median, and where it can answer; where it cannot, the answer's own.

    It cannot where it is sure, as of a series that never changed, since about another median its band says nothing;
    nor where it knows nothing, as a model of years does at an early origin of a newer table.
    """
    answer = said[ANSWER].astype(np.float64)
    median = answer[..., MEDIAN : MEDIAN + 1]
    answered = width(answer)
    moved, can = {}, {}
    for name, quantiles in said.items():
        gaps = quantiles - quantiles[..., MEDIAN : MEDIAN + 1]
        offered = width(quantiles)
        # An answer that is sure itself needs whoever is not.
        is_like = (offered * _MOST_APART >= answered) & ((offered <= answered * _MOST_APART) | (answered == 0))
        can[name] = (np.isfinite(gaps).all(axis=(1, 2)) & is_like)[:, None] | (name == ANSWER)
        moved[name] = answer if name == ANSWER else np.where(can[name][..., None], median + gaps, answer)
    return moved, can


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
