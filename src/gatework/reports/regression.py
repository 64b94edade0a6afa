"""Predictions of values against the actual ones: a sample of test series, and every model's scatter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from gatework.errors import RunError
from gatework.formatting import number, rounded
from gatework.reports.folders import Entry

_MOST_SERIES = 100
_MOST_STEPS = 400
_MOST_POINTS = 250


def regression(entries: Sequence[Entry], metric: str, test: pl.DataFrame) -> dict[str, Any] | None:
    """A sample of the test part with every model's predictions, as the page's script draws it.

    Args:
        entries: The models, best first; those without outputs are left out.
        metric: The metric that picks each model's typical seed.
        test: The test part, with "input" and "target".

    Raises:
        RunError: The targets and the predictions do not have the same shape.
    """
    entries = [e for e in entries if e.outputs]
    if not entries or not len(test):
        return None
    targets = np.array(test["target"].to_list(), dtype=np.float64).reshape(len(test), -1)
    for entry in entries:
        if any(outputs.shape != targets.shape for outputs in entry.outputs):
            raise RunError(
                f'the predictions of "{entry.name}" have shape {entry.outputs[0].shape}, '
                f"the targets in test.parquet {targets.shape}; run the comparison again"
            )
    typical = {e.name: e.outputs[e.typical(metric)] for e in entries}
    return {
        "series": _series(entries, typical, targets, test),
        "scatter": _scatter(entries, typical, targets),
        "examples": len(test),
        "outputs": targets.shape[1],
    }


def _series(
    entries: Sequence[Entry], typical: dict[str, np.ndarray], targets: np.ndarray, test: pl.DataFrame
) -> dict[str, Any]:
    networks = [e for e in entries if e.is_network] or list(entries)
    errors = np.abs(typical[networks[0].name] - targets).max(axis=1)
    stacked = np.stack([typical[e.name] for e in networks])
    spread = (stacked.max(axis=0) - stacked.min(axis=0)).max(axis=1)
    chosen = _sample(len(targets), errors, spread)
    rows = []
    for k in chosen:
        values = np.asarray(test["input"][int(k)].to_list(), dtype=object)
        columns = [values] if values.ndim == 1 else list(values.T)
        rows.append(
            {
                "index": int(k) + 1,
                "steps": len(columns[0]),
                "input": [[rounded(v) for v in column[-_MOST_STEPS:]] for column in columns],
                "target": [rounded(v) for v in targets[k]],
                "predictions": [[[rounded(v) for v in o[k]] for o in e.outputs] for e in entries],
            }
        )
    orders = {"test": "in the order of the test part", "error": f"largest error of {networks[0].name} first"}
    ranks = {"test": list(range(len(chosen))), "error": np.argsort(-errors[chosen], kind="stable").tolist()}
    if len(networks) > 1:
        orders["spread"] = "networks differ most first"
        ranks["spread"] = np.argsort(-spread[chosen], kind="stable").tolist()
    return {"models": [e.name for e in entries], "rows": rows, "orders": orders, "ranks": ranks}


def _sample(count: int, errors: np.ndarray, spread: np.ndarray) -> np.ndarray:
    # Most of the sample is spread evenly over the test part; the rest are the worst errors and disagreements of all.
    if count <= _MOST_SERIES:
        return np.arange(count)
    extremes = np.union1d(np.argsort(-errors)[: _MOST_SERIES // 10], np.argsort(-spread)[: _MOST_SERIES // 10])
    even = np.linspace(0, count - 1, _MOST_SERIES - len(extremes)).astype(int)
    return np.union1d(even, extremes)


def _scatter(entries: Sequence[Entry], typical: dict[str, np.ndarray], targets: np.ndarray) -> dict[str, Any]:
    flat = targets.ravel()
    kept = np.unique(np.linspace(0, len(flat) - 1, min(_MOST_POINTS, len(flat))).astype(int))
    panels = []
    for entry in entries:
        errors = np.abs(typical[entry.name].ravel() - flat)
        half, most = np.quantile(errors, [0.5, 0.95])
        panels.append(
            {
                "model": entry.name,
                "predicted": [rounded(v, 4) for v in typical[entry.name].ravel()[kept]],
                "summary": f"Half of the errors are below {number(half, 2)}, 95 % below {number(most, 2)}.",
            }
        )
    return {"actual": [rounded(v, 4) for v in flat[kept]], "panels": panels}
