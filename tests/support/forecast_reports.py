"""A comparison folder of forecasts, with made-up networks: the figures agree with the answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from gatework.tasks.forecast.metrics import LEVELS
from support.report_folders import write_json, write_run

SEEDS = (0, 1)
_BASELINES = ("seasonal naive", "naive", "drift", "linear on lags", "AutoETS", "AutoTheta", "AutoARIMA")
_HISTORY = 48
# The quantiles of the standard normal distribution at these levels.
_NORMAL = (-1.96, -1.2816, -0.6745, 0.0, 0.6745, 1.2816, 1.96)


def write_forecasts(
    folder: Path, *, series: tuple[str, ...] = ("Bath", "Ulm"), origins: int = 20, horizon: int = 12
) -> Path:
    """Two networks with two seeds each and seven simple methods, on some monthly series."""
    draw = np.random.default_rng(3)
    (folder / "baselines").mkdir(parents=True)
    test, actual = _test_part(draw, series, origins, horizon)
    test.write_parquet(folder / "test.parquet")
    entries: list[dict[str, Any]] = []
    for quality, cell in enumerate(("lstm", "rnn")):
        results = []
        for seed in SEEDS:
            answers = _answers(draw, actual, len(series), 6.0 + 2 * quality)
            results.append(figures(answers))
            run = folder / "runs" / f"{cell}-seed{seed}"
            write_run(run, draw, results[-1], answers, quality, seed, 6, cell, "forecast")
            write_json(run / "task.json", {"plan": {"horizon": horizon, "window": 24, "season": 12}})
        runs = [f"runs/{cell}-seed{seed}" for seed in SEEDS]
        entries.append({"name": cell, "kind": "network", "parameters": 900, "metrics": _spread(results), "runs": runs})
    for k, name in enumerate(_BASELINES):
        answers = _answers(draw, actual, len(series), 9.0 + k)
        file = f"baselines/{name.replace(' ', '-')}.parquet"
        answers.write_parquet(folder / file)
        metrics = _spread([figures(answers)])
        entries.append({"name": name, "kind": "baseline", "parameters": 0, "metrics": metrics, "answers": file})
    content = {
        "dataset": "sales",
        "task": "forecast",
        "title": "sales: lstm, rnn",
        "metric": "test_mase",
        "lower_is_better": True,
        "entries": entries,
        "headline": "lstm has the lowest test MASE of the networks.",
        "verdict": "lstm has the lowest test MASE of the networks. It is clearly better than rnn (by 0.2).",
        "seeds": len(SEEDS),
        "splits": {"train": 300, "validation": 20, "test": len(test)},
    }
    write_json(folder / "comparison.json", content)
    return folder


def figures(answers: pl.DataFrame) -> dict[str, float]:
    """The MASE and the coverage of the 80 % interval, written out."""
    actual, quantiles = answers["actual"].to_numpy(), answers["quantiles"].to_numpy()
    scale = answers["scale"].to_numpy()[:, None]
    error = np.nanmean(np.abs(actual - quantiles[..., 3]) / scale)
    held = ((actual >= quantiles[..., 1]) & (actual <= quantiles[..., 5]))[~np.isnan(actual)].mean()
    return {"mase": float(error), "coverage_80": float(held)}


def _test_part(
    draw: np.random.Generator, series: tuple[str, ...], origins: int, horizon: int
) -> tuple[pl.DataFrame, np.ndarray]:
    rows, actual = [], []
    for number, name in enumerate(series):
        months = np.arange(_HISTORY + origins + horizon)
        values = 100 + 40 * number + months / 2 + 20 * np.sin(months / 6 * np.pi) + draw.normal(0, 5, len(months))
        stamps = [f"{2015 + m // 12}-{m % 12 + 1:02d}-01" for m in months.tolist()]
        for k in range(origins):
            end = _HISTORY + k
            ahead = values[end : end + horizon]
            times = stamps[end - 24 : end + horizon]
            rows.append(
                {"series": name, "origin": end, "time": times, "input": values[end - 24 : end], "target": ahead}
            )
            actual.append(ahead)
    array = np.array(actual)
    # A value that was not observed.
    array[3, 4] = np.nan
    return pl.DataFrame(rows), array


def _answers(draw: np.random.Generator, actual: np.ndarray, series: int, width: float) -> pl.DataFrame:
    medians = np.nan_to_num(actual, nan=100.0) + draw.normal(0, width, actual.shape)
    quantiles = medians[..., None] + width * np.array(_NORMAL)
    assert len(LEVELS) == quantiles.shape[-1]
    origins = len(actual) // series
    return pl.DataFrame(
        {
            "series": np.repeat(np.arange(series), origins),
            "target": np.zeros(len(actual), dtype=np.int64),
            "step": np.tile(np.arange(_HISTORY, _HISTORY + origins), series),
            "scale": np.full(len(actual), 10.0),
            "actual": actual,
            "quantiles": quantiles,
        }
    )


def _spread(results: list[dict[str, float]]) -> dict[str, Any]:
    columns = {name: [result[name] for result in results] for name in results[0]}
    return {
        f"test_{name}": {
            "mean": float(np.mean(values)),
            "std": float(np.std(values, ddof=1)) if len(values) > 1 else 0.0,
            "values": values,
        }
        for name, values in columns.items()
    }
