"""Simple methods on the very origins that the network is tested on, each with quantiles of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from gatework.tasks._task import Baseline
from gatework.tasks.forecast.linear import Linear
from gatework.tasks.forecast.measures import spreads
from gatework.tasks.forecast.metrics import LEVELS, answers_of
from gatework.tasks.forecast.windows import Origins

if TYPE_CHECKING:
    from gatework.tasks.forecast.data import ForecastDataset

Point = Callable[[Origins], np.ndarray]

# Windows are gathered and answered in blocks of this many, so that memory stays small.
_BLOCK = 4096
_TINY = 1e-12


def simple_baselines(dataset: ForecastDataset) -> Sequence[Baseline]:
    """Naive, seasonal naive, drift, and a linear model on lags."""
    season = dataset.plan.season
    methods: list[tuple[str, str, Point, int]] = [
        ("naive", "The last value, repeated.", _naive, 0),
        ("drift", "The line from the first value to the last, drawn on.", _drift, 0),
    ]
    if season > 1:
        methods.append(("seasonal naive", f"The value one season ({season} steps) before.", _seasonal, 0))
    found = [_with_quantiles(name, about, point, dataset, perf_counter(), size) for name, about, point, size in methods]
    return [*found, _linear(dataset)]


def gathered(fits: Sequence[Baseline]) -> Baseline:
    """One method, fitted for each of the data set's trainings, as one."""
    answers = pl.concat([fit.answers for fit in fits]).sort("series", "target", "step")
    return dataclasses.replace(fits[-1], answers=answers, seconds=sum(fit.seconds for fit in fits))


def _naive(origins: Origins) -> np.ndarray:
    last = origins.histories(1)
    return np.repeat(last, origins.horizon, axis=1)


def _seasonal(origins: Origins) -> np.ndarray:
    season = origins.histories(origins.season)
    return season[:, np.arange(origins.horizon) % origins.season]


def _drift(origins: Origins) -> np.ndarray:
    series = origins.table.series
    first = np.array([series[n].values[0, t] for n, t, _ in origins.index])
    last = origins.histories(1)
    slope = (last[:, 0] - first) / np.maximum(origins.index[:, 2] - 1, 1)
    return last + slope[:, None] * np.arange(1, origins.horizon + 1)


def _linear(dataset: ForecastDataset) -> Baseline:
    start = perf_counter()
    train = dataset.train.inputs
    assert isinstance(train, Origins)
    spread = spreads(dataset.table, dataset.ends)
    fitted = Linear.fit(train, dataset.plan.window, spread)
    lags = len(fitted.weights)

    def point(origins: Origins) -> np.ndarray:
        blocks = [origins[np.arange(k, min(k + _BLOCK, len(origins)))] for k in range(0, len(origins), _BLOCK)]
        return np.concatenate([fitted(block.histories(lags), block.of_series(spread)) for block in blocks])

    about = f"Ridge regression from the last {lags} values to the whole horizon, less the last value."
    return _with_quantiles("linear on lags", about, point, dataset, start, fitted.weights.size)


def _with_quantiles(
    name: str, about: str, point: Point, dataset: ForecastDataset, start: float, parameters: int
) -> Baseline:
    """Puts quantiles around point forecasts, from the method's own errors on the validation origins."""
    validation, test = dataset.validation.inputs, dataset.test.inputs
    assert isinstance(validation, Origins)
    assert isinstance(test, Origins)
    size, sizes = _size(validation), _size(test)
    error = (validation.actuals()["value"] - point(validation)) / size
    by_step = np.maximum(np.nanmean(np.abs(error), axis=0), _TINY)
    spread = np.nanquantile(error / by_step, LEVELS, axis=None)
    # The point forecast stays the median, so that every method is judged by its own.
    spread = spread - spread[LEVELS.index(0.5)]
    values = point(test)[..., None] + (sizes * by_step)[..., None] * spread
    values = np.maximum(values, 0) if dataset.plan.non_negative else values
    answers = answers_of(values, dataset.test.targets)
    return Baseline(name, about, answers, perf_counter() - start, parameters)


def _size(origins: Origins) -> np.ndarray:
    """What errors of different series are measured by: MASE's divisor, shape (origins, 1)."""
    scale = origins.of_series(origins.scale)
    return np.where(np.isnan(scale), 1.0, scale)[:, None]
