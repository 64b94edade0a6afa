"""The weights in an answer's median, which go on learning from each step that comes to pass.

The validation part says who answers, but it may hold two quiet years, or a crisis. So the errors of the candidates go
on counting: each step adds how far every candidate's median was off, once, however many origins forecast it, measured
by the answer's widest interval at that origin, so that every series counts alike. What was added has half its weight
after `_HALF_LIFE` blocks, and the weights at an origin follow from what was known there by the rule that the
validation part is read by (`tasks/_blend.py`). They stay until more than a block has come to pass, since a few errors
of the nearest steps tell little.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from gatework._stored import Stored
from gatework.tasks._blend import NETWORK, weights_by_error
from gatework.tasks.forecast.metrics import MEDIAN

ANSWER = "answer"
"""The weighted mean among what methods say."""

# Within half a percent of 5, 10 and no forgetting on cut tables and generated series; docs/benchmarks-forecast.md.
_HALF_LIFE = 20.0

Said = Mapping[str, np.ndarray]
"""Quantiles by method, shape (origins, horizon, levels), NaN where one cannot answer; `ANSWER` among them."""


class Passed(NamedTuple):
    """The steps of some origins that came to pass.

    Attributes:
        origin: Which origin forecast each, shape (steps,).
        ahead: How many steps ahead it was, counted from 0, shape (steps,).
        weight: What it counts: each step of a series once in all, by the inverse of the width at its origin.
        moments: The moments at which steps came to pass, ascending.
        moment: Which of these each step belongs to, shape (steps,).
        counts: How many series were observed at each moment, shape (moments,).
    """

    origin: np.ndarray
    ahead: np.ndarray
    weight: np.ndarray
    moments: np.ndarray
    moment: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, width: np.ndarray, y: np.ndarray, times: np.ndarray, keys: np.ndarray) -> Passed:
        """The steps that were observed, of series that are known and origins whose width is above 0.

        Args:
            width: The width that errors are measured by, shape (origins,).
            y: What came to pass, NaN where nothing was observed, shape (origins, horizon).
            times: The first step that each origin forecasts, as a position on the grid, shape (origins,).
            keys: Which series each origin is of; below 0 for one that was never seen. Shape (origins,).
        """
        origin, ahead = np.nonzero(~np.isnan(y) & (keys >= 0)[:, None] & (width > 0)[:, None])
        due = times[origin] + ahead
        pairs = np.stack([keys[origin], due], axis=1)
        _, place, times_forecast = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
        moments, moment = np.unique(due, return_inverse=True)
        share = 1 / times_forecast[place.reshape(-1)]
        counts = np.bincount(moment.reshape(-1), share, len(moments))
        return cls(origin, ahead, share / width[origin], moments, moment.reshape(-1), counts)

    def added(self, values: np.ndarray) -> np.ndarray:
        """What a value for each step adds up to at each moment, shape (moments,)."""
        return np.bincount(self.moment, values * self.weight, len(self.moments))


@dataclass(frozen=True)
class Shares(Stored):
    """What is known of the candidates for the median at one moment.

    Attributes:
        errors: The error of each, faded; of none, the weights stay.
        begins: The weights stay up to this first step of a forecast, a position on the grid.
    """

    errors: Mapping[str, float] = field(default_factory=dict)
    begins: int = 0

    def __post_init__(self) -> None:
        if not all(0 <= error < math.inf for error in self.errors.values()):
            raise ValueError("an error of a candidate that is no number of 0 or more")

    @classmethod
    def chosen(
        cls, errors: Mapping[str, float], said: Said, y: np.ndarray, times: np.ndarray, keys: np.ndarray, block: int
    ) -> Shares:
        """After a choice on held-back origins: errors in the ratios of the choice, as large as the best one's there.

        Args:
            errors: The errors that the choice was made by.
            said: What each says of these origins.
            y: What came to pass, NaN where nothing was observed, shape (origins, horizon).
            times: The first step that each origin forecasts, as a position on the grid, shape (origins,).
            keys: Which series each origin is of, shape (origins,).
            block: The steps that are one piece of evidence.
        """
        best = min(errors, key=lambda name: errors[name])
        passed = Passed.of(width(said[ANSWER]), y, times, keys)
        if len(errors) == 1 or errors[best] == 0 or not len(passed.moments):
            return cls()
        unit = float(passed.added(_off(said[best], said[ANSWER], y, passed)).sum()) / errors[best]
        return cls({name: unit * error for name, error in errors.items()}, int(passed.moments[-1]) + block + 1)

    def follow(
        self, said: Said, y: np.ndarray, times: np.ndarray, keys: np.ndarray, since: int, block: int
    ) -> tuple[Said, Shares]:
        """What methods say, with the answer weighed anew at every origin, and the candidates' errors in the end.

        Args:
            said: What each says; `ANSWER` by the weights of the choice.
            y: What came to pass, NaN where nothing was observed, shape (origins, horizon).
            times: The first step that each origin forecasts, as a position on the grid, shape (origins,).
            keys: Which series each origin is of; below 0 for one that was never seen. Shape (origins,).
            since: The step up to which the errors have faded.
            block: The steps that are one piece of evidence.
        """
        if not self.errors:
            return said, self
        first, names = said[ANSWER], list(self.errors)
        passed = Passed.of(width(first), y, times, keys)
        gained = np.stack([passed.added(_off(said[name], first, y, passed)) for name in names])
        known, answer, at = np.array(list(self.errors.values())), first.astype(np.float64), 0
        for time in [*np.unique(times), np.inf]:
            while at < len(passed.moments) and passed.moments[at] < time:
                now = int(passed.moments[at])
                known = known * 0.5 ** (max(0, now - since) / (_HALF_LIFE * block)) + gained[:, at]
                since, at = now, at + 1
            here = np.flatnonzero(times == time)
            if len(here) and time > self.begins and known.any():
                weights = weights_by_error(dict(zip(names, known, strict=True)))
                answer[here] = mean(weights, {name: said[name][here] for name in {*names, NETWORK}})
        errors = dict(zip(names, known.tolist(), strict=True))
        return {**said, ANSWER: answer}, dataclasses.replace(self, errors=errors)

    def weights(self, time: int) -> dict[str, float]:
        """The shares at a forecast whose first step this is; none while those of the choice stay."""
        return weights_by_error(self.errors) if time > self.begins and any(self.errors.values()) else {}


def _off(said: np.ndarray, answer: np.ndarray, y: np.ndarray, passed: Passed) -> np.ndarray:
    """How far a method's median was off at each step; the answer's where it cannot answer. Shape (steps,)."""
    at = (passed.origin, passed.ahead)
    median = np.where(np.isfinite(said[..., MEDIAN]), said[..., MEDIAN], answer[..., MEDIAN])
    off: np.ndarray = np.abs(y[at] - median[at])
    return off


def width(quantiles: np.ndarray) -> np.ndarray:
    """The mean width of the widest interval of each origin, shape (origins,)."""
    with np.errstate(invalid="ignore"):
        width: np.ndarray = (quantiles[..., -1] - quantiles[..., 0]).mean(axis=1)
    return width


def mean(weights: Mapping[str, float], said: Mapping[str, np.ndarray]) -> np.ndarray:
    """The weighted mean of quantiles; who cannot answer a series has no part in it, and the network always can.

    Args:
        weights: The share of each.
        said: What each says, shape (origins, horizon, levels), NaN where it cannot answer; NETWORK among them.
    """
    if set(weights) == {NETWORK}:
        return said[NETWORK]
    total, share = np.zeros(said[NETWORK].shape), np.zeros((len(said[NETWORK]), 1, 1))
    for name, weight in weights.items():
        can = np.isfinite(said[name]).all(axis=(1, 2), keepdims=True)
        total += weight * np.where(can, said[name], 0.0)
        share += weight * can
    mean: np.ndarray = np.where(share > 0, total / np.where(share > 0, share, 1.0), said[NETWORK])
    return mean
