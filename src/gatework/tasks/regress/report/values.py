"""Predictions of values against the actual ones: a sample of test examples, and every model's scatter."""

from __future__ import annotations

from typing import Any

import numpy as np

from gatework.errors import RunError
from gatework.formatting import number, rounded
from gatework.tasks._section import Answered, AnsweredEntry, ReportSection, column_of, section_file

_MOST_SERIES = 100
_MOST_STEPS = 400
_MOST_POINTS = 250


def values(answered: Answered) -> ReportSection | None:
    """A sample of the test part with every model's predictions; None where there is nothing to show.

    Raises:
        RunError: The targets and the predictions do not have the same shape.
    """
    entries = answered.entries
    if not entries or not len(answered.test):
        return None
    targets = _array(entries[0], "target")
    predictions = {e.name: [_array(e, "value", seed) for seed in range(len(e.answers))] for e in entries}
    for name, arrays in predictions.items():
        for array in arrays:
            if array.shape != targets.shape:
                raise RunError(
                    f'the predictions of "{name}" have shape {array.shape}, the targets {targets.shape}; '
                    "train or compare again"
                )
    typical = {e.name: predictions[e.name][e.typical] for e in entries}
    inputs = answered.column("text", "input")
    is_series = inputs.dtype.is_nested()
    data: dict[str, Any] = {"scatter": _scatter(typical, targets), "series": None}
    if is_series:
        data["series"] = _series(answered, predictions, typical, targets, inputs.to_list())
    scripts = ("values.js", "scatter.js") if is_series else ("scatter.js",)
    return ReportSection(
        name="values",
        title="Predictions against the actual values",
        template=section_file(__package__, "values.html"),
        context={"values": data, "examples": len(targets), "outputs": targets.shape[1]},
        data=data,
        script="\n".join(section_file(__package__, name) for name in scripts),
    )


def _array(entry: AnsweredEntry, name: str, seed: int | None = None) -> np.ndarray:
    column = column_of(entry, name, seed=seed).to_numpy().astype(np.float64)
    return column.reshape(len(column), -1)


def _series(
    answered: Answered,
    predictions: dict[str, list[np.ndarray]],
    typical: dict[str, np.ndarray],
    targets: np.ndarray,
    inputs: list[Any],
) -> dict[str, Any]:
    networks = [entry.name for entry in answered.networks]
    errors = np.abs(typical[networks[0]] - targets).max(axis=1)
    stacked = np.stack([typical[name] for name in networks])
    spread = (stacked.max(axis=0) - stacked.min(axis=0)).max(axis=1)
    chosen = _sample(len(targets), errors, spread)
    rows = []
    for k in chosen.tolist():
        steps = np.asarray(inputs[k], dtype=object)
        columns = [steps] if steps.ndim == 1 else list(steps.T)
        rows.append(
            {
                "index": k + 1,
                "steps": len(columns[0]),
                "input": [[rounded(v) for v in column[-_MOST_STEPS:]] for column in columns],
                "target": [rounded(v) for v in targets[k]],
                "predictions": [[[rounded(v) for v in seed[k]] for seed in seeds] for seeds in predictions.values()],
            }
        )
    orders = {"test": "in the order of the test part", "error": f"largest error of {networks[0]} first"}
    ranks = {"test": list(range(len(chosen))), "error": np.argsort(-errors[chosen], kind="stable").tolist()}
    if len(networks) > 1:
        orders["spread"] = "networks differ most first"
        ranks["spread"] = np.argsort(-spread[chosen], kind="stable").tolist()
    return {"models": list(predictions), "rows": rows, "orders": orders, "ranks": ranks}


def _sample(count: int, errors: np.ndarray, spread: np.ndarray) -> np.ndarray:
    # Most of the sample is spread evenly over the test part; the rest are the worst errors and disagreements of all.
    if count <= _MOST_SERIES:
        return np.arange(count)
    extremes = np.union1d(np.argsort(-errors)[: _MOST_SERIES // 10], np.argsort(-spread)[: _MOST_SERIES // 10])
    even = np.linspace(0, count - 1, _MOST_SERIES - len(extremes)).astype(int)
    return np.union1d(even, extremes)


def _scatter(typical: dict[str, np.ndarray], targets: np.ndarray) -> dict[str, Any]:
    flat = targets.ravel()
    kept = np.unique(np.linspace(0, len(flat) - 1, min(_MOST_POINTS, len(flat))).astype(int))
    panels = []
    for name, predicted in typical.items():
        half, most = np.quantile(np.abs(predicted.ravel() - flat), [0.5, 0.95])
        panels.append(
            {
                "model": name,
                "predicted": [rounded(v, 4) for v in predicted.ravel()[kept]],
                "summary": f"Half of the errors are below {number(half, 2)}, 95 % below {number(most, 2)}.",
            }
        )
    return {"actual": [rounded(v, 4) for v in flat[kept]], "panels": panels}
