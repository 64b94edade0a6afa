"""Forecasts with their bands over the actual values, errors by step ahead and by series, and coverage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from gatework.formatting import number, rounded
from gatework.reports.folders import Entry
from gatework.tasks.forecast.metrics import INTERVALS, LEVELS, MEDIAN

_MOST_ORIGINS = 60
_MOST_SERIES = 20
_MOST_HISTORY = 120


def forecasts(entries: Sequence[Entry], metric: str, test: pl.DataFrame) -> dict[str, Any] | None:
    """What the page's script draws of a forecasting comparison.

    Args:
        entries: The models, best first; those without outputs are left out.
        metric: The metric that picks each network's typical seed.
        test: The test part, as the data set's own `table()` gives it.
    """
    entries = [e for e in entries if e.outputs]
    if not entries or not len(test):
        return None
    actual = np.array([[np.nan if v is None else v for v in row] for row in test["target"].to_list()], dtype=np.float64)
    shape = (*actual.shape, len(LEVELS))
    typical = {e.name: e.outputs[e.typical(metric)].reshape(shape) for e in entries}
    errors = {name: np.abs(actual - outputs[..., MEDIAN]) for name, outputs in typical.items()}
    size = _size(test, actual, errors)
    return {
        "models": list(typical),
        "shown": next((e.name for e in entries if e.is_network), entries[0].name),
        "origins": _origins(test, actual, typical),
        "steps": list(range(1, actual.shape[1] + 1)),
        "by_step": {name: _mean(error / size) for name, error in errors.items()},
        "coverage": {name: _coverage(outputs, actual) for name, outputs in typical.items()},
        "by_series": _by_series(test, errors, size),
        "examples": len(test),
    }


def _size(test: pl.DataFrame, actual: np.ndarray, errors: dict[str, np.ndarray]) -> np.ndarray:
    """What errors are divided by: the naive forecast's mean error of the same series, shape (origins, 1)."""
    reference = errors.get("naive", np.abs(actual - np.nanmean(actual)))
    found = np.ones((len(test), 1))
    names = test["series"].to_numpy()
    for name in test["series"].unique():
        chosen = names == name
        mean = np.nanmean(reference[chosen])
        found[chosen] = mean if mean > 0 else 1.0
    return found


def _origins(test: pl.DataFrame, actual: np.ndarray, typical: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    chosen = np.unique(np.linspace(0, len(test) - 1, min(len(test), _MOST_ORIGINS)).astype(int))
    rows = []
    for k in chosen.tolist():
        before, times = test["input"][k].to_list()[-_MOST_HISTORY:], test["time"][k].to_list()
        after = times[len(times) - actual.shape[1] :]
        rows.append(
            {
                "name": test["series"][k],
                "from": after[0],
                "before": {"x": times[-len(before) - len(after) : -len(after)], "y": [rounded(v) for v in before]},
                "x": after,
                "actual": [rounded(v) for v in actual[k]],
                "said": {n: [[rounded(v) for v in q] for q in outputs[k].T] for n, outputs in typical.items()},
            }
        )
    return rows


def _coverage(outputs: np.ndarray, actual: np.ndarray) -> dict[str, list[float | None]]:
    seen = ~np.isnan(actual)
    found = {}
    for percent, (low, high) in INTERVALS.items():
        inside = (actual >= outputs[..., low]) & (actual <= outputs[..., high])
        found[str(percent)] = _mean(np.where(seen, inside, np.nan))
    return found


def _by_series(test: pl.DataFrame, errors: dict[str, np.ndarray], size: np.ndarray) -> list[dict[str, Any]]:
    names = test["series"].to_numpy()
    rows = []
    for name in test["series"].unique(maintain_order=True).to_list()[:_MOST_SERIES]:
        chosen = names == name
        means = {model: float(np.nanmean((error / size)[chosen])) for model, error in errors.items()}
        best = min(means, key=lambda model: means[model])
        rows.append({"name": name or "the series", "best": best, "cells": {m: number(v) for m, v in means.items()}})
    return rows


def _mean(values: np.ndarray) -> list[float | None]:
    seen = ~np.isnan(values)
    count = seen.sum(axis=0)
    total = np.where(seen, values, 0).sum(axis=0)
    return [rounded(float(t / c)) if c else None for t, c in zip(total, count, strict=True)]
