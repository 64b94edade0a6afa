"""Forecasts with their bands over the actual values, errors by step ahead and by series, and coverage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gatework.errors import RunError
from gatework.formatting import number, rounded
from gatework.tasks._section import Answered, AnsweredEntry, ReportSection, column_of, section_file
from gatework.tasks.forecast.metrics import INTERVALS, LEVELS, MEDIAN

_MOST_ORIGINS = 60
_MOST_SERIES = 20
_MOST_HISTORY = 120


@dataclass(frozen=True)
class _Forecasts:
    """The forecasts of several methods for the same origins.

    Attributes:
        quantiles: Per method, shape (origins, horizon, levels).
        actual: What came to pass, shape (origins, horizon), NaN where nothing was observed.
        scale: What errors are divided by, MASE's divisor of each origin's series, shape (origins, 1).
        names: The name of each origin's series, shape (origins,).
    """

    quantiles: dict[str, np.ndarray]
    actual: np.ndarray
    scale: np.ndarray
    names: np.ndarray

    def errors(self, method: str) -> np.ndarray:
        """Absolute errors of the median in units of the scale, shape (origins, horizon)."""
        scaled: np.ndarray = np.abs(self.actual - self.quantiles[method][..., MEDIAN]) / self.scale
        return scaled

    def holds(self, method: str, percent: int) -> np.ndarray:
        """Whether an interval holds the actual value: 1, 0, or NaN where nothing was observed."""
        low, high = (self.quantiles[method][..., end] for end in INTERVALS[percent])
        is_inside = (self.actual >= low) & (self.actual <= high)
        return np.where(np.isnan(self.actual), np.nan, is_inside)


def forecasts(answered: Answered) -> ReportSection | None:
    """The forecasts of the test part; None where there are none."""
    if not answered.entries or not len(answered.test):
        return None
    read = _read(answered)
    methods = list(read.quantiles)
    networks = [entry.name for entry in answered.networks]
    best_baselines = [name for name in methods if name not in networks][:1]
    data = {
        "methods": methods,
        "checked": [*networks, *best_baselines],
        "origins": _origins(answered, read),
        "steps": list(range(1, read.actual.shape[1] + 1)),
        "by_step": {name: _means(read.errors(name)) for name in methods},
        "coverage": {name: _means(read.holds(name, 80)) for name in methods},
    }
    share = _mean(read.holds(networks[0], 80))
    steps = read.actual.shape[1]
    return ReportSection(
        name="forecasts",
        title="Forecasts against the actual values",
        template=section_file(__package__, "forecasts.html"),
        context={"forecasts": data, "rows": _by_series(read), "examples": len(answered.test), "chosen": networks[0]},
        data=data,
        script=section_file(__package__, "forecasts.js"),
        headline=f"Forecasts {steps:,} step{'s' if steps > 1 else ''} ahead; the 80 % interval held "
        f"{100 * share:.0f} % of the test values."
        if len(methods) == 1 and share is not None
        else "",
    )


def _read(answered: Answered) -> _Forecasts:
    first = answered.entries[0]
    actual = column_of(first, "actual").to_numpy().astype(np.float64)
    names = np.array([name or "the series" for name in answered.column("series").to_list()])
    quantiles = {entry.name: _quantiles(entry, actual.shape) for entry in answered.entries}
    scale = column_of(first, "scale").to_numpy().astype(np.float64).copy()
    for name in np.unique(names):
        # A series that never changed in training has no scale; its own size stands in.
        chosen = (names == name) & ~(scale > 0)
        size = np.nanmean(np.abs(actual[chosen])) if (~np.isnan(actual[chosen])).any() else 0.0
        scale[chosen] = size if size > 0 else 1.0
    return _Forecasts(quantiles, actual, scale[:, None], names)


def _quantiles(entry: AnsweredEntry, shape: tuple[int, ...]) -> np.ndarray:
    values = column_of(entry, "quantiles").to_numpy().astype(np.float64)
    if values.shape != (*shape, len(LEVELS)):
        raise RunError(
            f'the forecasts of "{entry.name}" have shape {values.shape}, expected {(*shape, len(LEVELS))}; '
            "train or compare again"
        )
    return values


def _origins(answered: Answered, read: _Forecasts) -> list[dict[str, Any]]:
    count = len(read.actual)
    before, times, names = (answered.column(name).to_list() for name in ("input", "time", "series"))
    rows = []
    for k in np.unique(np.linspace(0, count - 1, min(count, _MOST_ORIGINS)).astype(int)).tolist():
        past = before[k][-_MOST_HISTORY:]
        ahead = times[k][len(times[k]) - read.actual.shape[1] :]
        since = len(times[k]) - len(ahead) - len(past)
        rows.append(
            {
                "name": names[k],
                "from": ahead[0],
                "before": {"x": times[k][since : since + len(past)], "y": [rounded(v) for v in past]},
                "x": ahead,
                "actual": [rounded(v) for v in read.actual[k]],
                "said": {m: [[rounded(v) for v in level] for level in q[k].T] for m, q in read.quantiles.items()},
            }
        )
    return rows


def _by_series(read: _Forecasts) -> list[dict[str, Any]]:
    """A row per series: every method's scaled error, and what the first method's intervals held."""
    rows = []
    first = next(iter(read.quantiles))
    for name in list(dict.fromkeys(read.names.tolist()))[:_MOST_SERIES]:
        chosen = read.names == name
        means = {method: _mean(read.errors(method)[chosen]) for method in read.quantiles}
        known = {method: mean for method, mean in means.items() if mean is not None}
        held = {percent: _mean(read.holds(first, percent)[chosen]) for percent in INTERVALS}
        rows.append(
            {
                "name": name,
                "forecasts": int(chosen.sum()),
                "best": min(known, key=lambda method: known[method], default=None),
                "errors": {method: number(mean) for method, mean in means.items()},
                "held": {percent: "—" if share is None else f"{100 * share:.0f} %" for percent, share in held.items()},
            }
        )
    return rows


def _means(values: np.ndarray) -> list[float | None]:
    """The mean over origins at each step ahead."""
    return [rounded(_mean(column)) for column in values.T]


def _mean(values: np.ndarray) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else None
