"""AutoETS, AutoTheta and AutoARIMA (statsforecast) on the very origins that the network is tested on.

Each is chosen and fitted on what stands before a series' first test origin; at later origins it sees every value up to
there and keeps its parameters, as the network does.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.tasks._task import Baseline
from gatework.tasks.forecast.metrics import LEVELS, MEDIAN, answers_of
from gatework.tasks.forecast.windows import Origins

if TYPE_CHECKING:
    from gatework.tasks.forecast.data import ForecastDataset

MOST_SERIES = 30
"""Above so many series these methods are left out: each series is fitted by itself, which takes minutes."""

_PERCENTS = {"95": (0, 6), "80": (1, 5), "50": (2, 4)}
# A longer season makes these models' states too large to fit in reasonable time.
_LONGEST_SEASON = 60
_MOST_VALUES = 1500
_ABOUT = {
    "AutoETS": "Exponential smoothing, its form chosen by AICc.",
    "AutoTheta": "The theta method, its form chosen by the squared error.",
    "AutoARIMA": "ARIMA, its orders chosen by AICc.",
}


def statistical_baselines(dataset: ForecastDataset) -> Sequence[Baseline]:
    """The three methods; none where `absent()` says so."""
    origins = dataset.test.inputs
    assert isinstance(origins, Origins)
    if absent(origins):
        return []
    with warnings.catch_warnings():
        # A progress bar that nobody sees misses its widgets in a notebook.
        warnings.filterwarnings("ignore", message="IProgress not found")
        from statsforecast import models
    season = dataset.plan.season if dataset.plan.season <= _LONGEST_SEASON else 1
    least = 0.0 if dataset.plan.non_negative else -np.inf
    return [_baseline(name, getattr(models, name), season, origins, least) for name in _ABOUT]


def absent(origins: Origins) -> list[str]:
    """Why the methods are not run, in a sentence; nothing where they are."""
    names = ", ".join(_ABOUT)
    if find_spec("statsforecast") is None:
        return [f'{names} are not in this table, as statsforecast is not installed: pip install "gatework[forecast]".']
    series = len(np.unique(origins.index[:, :2], axis=0))
    if series > MOST_SERIES:
        return [
            f"{names} are not in this table: each series is fitted by itself, which is done for up to {MOST_SERIES} "
            f"series, and these are {series:,}."
        ]
    return []


def _baseline(name: str, make: Any, season: int, origins: Origins, least: float) -> Baseline:
    start = perf_counter()
    found = np.empty((len(origins), origins.horizon, len(LEVELS)))
    pairs, group = np.unique(origins.index[:, :2], axis=0, return_inverse=True)
    for k, (number, target) in enumerate(pairs):
        rows = np.flatnonzero(group.reshape(-1) == k)
        rows = rows[np.argsort(origins.index[rows, 2])]
        values = origins.table.series[number].values[:, target]
        first = int(origins.index[rows[0], 2])
        begin = max(0, first - _MOST_VALUES)
        fitted = make(season_length=season).fit(values[begin:first])
        for row in rows:
            step = int(origins.index[row, 2])
            if step == first:
                answer = fitted.predict(origins.horizon, level=[50, 80, 95])
            else:
                answer = fitted.forward(values[begin:step], origins.horizon, level=[50, 80, 95])
            found[row] = np.maximum(_quantiles(answer), least)
    return Baseline(name, _ABOUT[name], answers_of(found, origins.actuals()), perf_counter() - start)


def _quantiles(answer: dict[str, np.ndarray]) -> np.ndarray:
    found = np.empty((len(answer["mean"]), len(LEVELS)))
    found[:, MEDIAN] = answer["mean"]
    for percent, (low, high) in _PERCENTS.items():
        found[:, low], found[:, high] = answer[f"lo-{percent}"], answer[f"hi-{percent}"]
    return found
