"""Simple methods on the very origins that the network is tested on, each with quantiles of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from gatework.forecasting.metrics import LEVELS
from gatework.forecasting.windows import Origins
from gatework.tasks._base import Baseline

if TYPE_CHECKING:
    from gatework.forecasting.dataset import ForecastDataset

Point = Callable[[Origins], np.ndarray]

_PENALTIES = np.logspace(-3, 4, 15)
_MOST_WINDOWS, _MOST_LAGS = 20_000, 512
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


def _naive(origins: Origins) -> np.ndarray:
    last = _histories(origins, 1)
    return np.repeat(last, origins.horizon, axis=1)


def _seasonal(origins: Origins) -> np.ndarray:
    season = _histories(origins, origins.season)
    return season[:, np.arange(origins.horizon) % origins.season]


def _drift(origins: Origins) -> np.ndarray:
    series = origins.table.series
    first = np.array([series[n].values[0, t] for n, t, _ in origins.index])
    last = _histories(origins, 1)
    slope = (last[:, 0] - first) / np.maximum(origins.index[:, 2] - 1, 1)
    return last + slope[:, None] * np.arange(1, origins.horizon + 1)


def _histories(origins: Origins, steps: int) -> np.ndarray:
    """The last values before each origin, shape (origins, steps); the first one repeated before the start."""
    found = np.empty((len(origins), steps))
    for row, (number, target, step) in enumerate(origins.index):
        values = origins.table.series[number].values[max(0, step - steps) : step, target]
        found[row, steps - len(values) :] = values
        found[row, : steps - len(values)] = values[0]
    return found


def _linear(dataset: ForecastDataset) -> Baseline:
    """Least squares from a window to the whole horizon, both less the window's last value."""
    from sklearn.linear_model import RidgeCV

    start = perf_counter()
    train = dataset.train.inputs
    assert isinstance(train, Origins)
    chosen: np.ndarray = np.unique(np.linspace(0, len(train) - 1, min(len(train), _MOST_WINDOWS)).astype(np.int64))
    lags = min(dataset.plan.window, _MOST_LAGS)
    windows: Origins = train[chosen]
    x, level, scale = _lagged(windows, lags)
    y = (windows.actuals()["value"] - level) / scale
    whole = ~np.isnan(y).any(axis=1)
    fitted = RidgeCV(_PENALTIES, fit_intercept=False).fit(x[whole], y[whole])

    def point(origins: Origins) -> np.ndarray:
        lagged = [
            _lagged(origins[np.arange(k, min(k + _BLOCK, len(origins)))], lags) for k in range(0, len(origins), _BLOCK)
        ]
        return np.concatenate([level + scale * fitted.predict(x) for x, level, scale in lagged])

    about = f"Ridge regression from the last {lags} values to the whole horizon, less the last value."
    return _with_quantiles("linear on lags", about, point, dataset, start, fitted.coef_.size)


def _lagged(origins: Origins, lags: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    history = _histories(origins, lags)
    level = history[:, -1:]
    scale = np.maximum(history.std(axis=1, keepdims=True), _TINY + 1e-6 * np.abs(level))
    return (history - level) / scale, level, scale


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
    return Baseline(name, about, values.astype(np.float32), perf_counter() - start, parameters)


def _size(origins: Origins) -> np.ndarray:
    """What errors of different series are measured by: MASE's divisor, shape (origins, 1)."""
    scale = origins.scale[origins.index[:, 0], origins.index[:, 1]]
    return np.where(np.isnan(scale), 1.0, scale)[:, None]
