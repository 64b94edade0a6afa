"""Forecasts along origins in the order of time: each with the intervals that were known to hold when it was made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from gatework.data.dataset import Split
from gatework.data.panel import Panel
from gatework.tasks._blend import Blend
from gatework.tasks.forecast.bands import Bands
from gatework.tasks.forecast.blend import weighing
from gatework.tasks.forecast.conformal import MOST_SERIES, Calibration, stretched
from gatework.tasks.forecast.options import ForecastOptions
from gatework.tasks.forecast.rests import Rests
from gatework.tasks.forecast.windows import Origins, origins_of


@dataclass(frozen=True, eq=False)
class Intervals:
    """How quantiles become forecasts: stretched, rounded where they are of counts, 0 where a series rests.

    Attributes:
        history: The series that have intervals of their own.
        plan: The horizon, and whether values may be below 0.
        rests: The steps at which series rest, which say nothing of the others.
    """

    history: Panel
    plan: ForecastOptions
    rests: Rests

    @property
    def pairs(self) -> int:
        """How many pairs of series and target have intervals of their own."""
        pairs = len(self.history.series) * len(self.history.columns.targets)
        return pairs if pairs <= MOST_SERIES else 1

    @property
    def least(self) -> float:
        """No forecast is below this."""
        return 0.0 if self.plan.non_negative else -np.inf

    def keys(self, origins: Origins) -> np.ndarray:
        """Which of the pairs each origin is of, below 0 where it is of none, shape (origins,)."""
        keys = origins.keys(self.history)
        return keys if self.pairs > 1 else np.minimum(keys, 0)

    def unknown(self, least_side: float) -> Calibration:
        """A network's intervals before anything has come to pass."""
        return Calibration.unknown(self.pairs, self.plan.horizon, least_side)

    def unknown_bands(self, methods: Iterable[str], least_side: float) -> Bands:
        """The intervals of an answer before anything has come to pass."""
        return Bands.unknown(methods, self.pairs, self.plan.horizon, least_side)

    def held_back(self, known: Calibration, raw: np.ndarray, split: Split) -> Calibration:
        """What is known with what a network's quantiles for held-back origins teach."""
        return known.held_back(raw, *self._passed(split))

    def taught(self, bands: Bands, said: Mapping[str, np.ndarray], origins: Origins) -> Bands:
        """What is known of bands with what these origins teach."""
        y = self._awake(origins.actuals()["value"], origins)
        return bands.held_back(said, y, origins.times(), self.keys(origins), self.least)

    def weighing(self, blend: Blend, bands: Bands, said: Mapping[str, np.ndarray], split: Split) -> Bands:
        """What is known of bands with what the validation part says of the candidates for the median."""
        return weighing(blend, bands, said, *self._passed(split))

    def factors(self, known: Calibration, raw: np.ndarray, split: Split) -> np.ndarray:
        """By how much a network's quantiles are stretched at each origin, shape (origins, levels)."""
        return known.follow(raw, *self._passed(split))[0]

    def followed(self, known: Calibration, raw: np.ndarray, split: Split) -> tuple[np.ndarray, Calibration]:
        """A network's quantiles, each stretched by what was known at its origin, and what is known in the end."""
        factors, after = known.follow(raw, *self._passed(split))
        quantiles = np.maximum(_whole(stretched(raw.astype(np.float64), factors), known), self.least)
        return self.resting(quantiles, origins_of(split)), after

    def banded(self, bands: Bands, said: Mapping[str, np.ndarray], split: Split) -> tuple[np.ndarray, Bands]:
        """Answers, each with bands by what was known at its origin, and what is known in the end."""
        quantiles, after = bands.follow(said, *self._passed(split), self.least)
        # Rounding errors of a mean of ends at 0 reach below it. A mean of quantiles of counts is none: an end of 0.1 in
        # place of 0 would miss every 0.
        quantiles = np.maximum(_whole(quantiles, bands.calibration), self.least)
        return self.resting(quantiles, origins_of(split)), after

    def resting(self, quantiles: np.ndarray, origins: Origins) -> np.ndarray:
        """Quantiles that are 0 where nothing ever happens."""
        return self.rests.applied(quantiles, origins, self.history)

    def _awake(self, values: np.ndarray, origins: Origins) -> np.ndarray:
        return self.rests.awake(values, origins, self.history)

    def _passed(self, split: Split) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What came to pass, NaN where nothing else was to be expected; when; and of which series."""
        origins = origins_of(split)
        return self._awake(split.targets["value"], origins), origins.times(), self.keys(origins)


def _whole(quantiles: np.ndarray, known: Calibration) -> np.ndarray:
    """Stretched or averaged, the quantiles of counts are counts again."""
    return np.round(quantiles) if known.least_side else quantiles
