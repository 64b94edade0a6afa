"""Pictures and tables of forecasts for a person: what comes next, and what was said beside what came to pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.data.time_formats import written
from gatework.tasks._chart import Band, Chart, Curve, known
from gatework.tasks.forecast.metrics import INTERVALS, LEVELS, MEDIAN

if TYPE_CHECKING:
    import polars as pl

    from gatework.tasks.forecast.windows import Origins

# How many horizons of the past stand before a forecast.
_HORIZONS_BEFORE = 4


def level_name(level: float) -> str:
    """The column of a quantile: "q0.9"."""
    return f"q{level:g}"


def answer_rows(origins: Origins, quantiles: np.ndarray) -> list[dict[str, Any]]:
    """One row per series, target and step: ids, time, the forecast (the median) and its quantiles.

    Args:
        origins: Where it is forecast from.
        quantiles: Shape (origins, steps, levels), of at least the steps of a forecast.
    """
    table = origins.table
    rows: list[dict[str, Any]] = []
    for (number, target, step), ahead in zip(origins.index, quantiles[:, : origins.horizon], strict=True):
        series = table.series[number]
        stamps = table.stamps(series.start + np.arange(step, step + len(ahead)))
        times = written(stamps, table.reading.time_format)
        start: dict[str, Any] = dict(zip(table.columns.ids, series.id, strict=True))
        named = {"target": table.columns.targets[target]} if len(table.columns.targets) > 1 else {}
        for time, row in zip(times, ahead.tolist(), strict=True):
            bands = {level_name(level): value for level, value in zip(LEVELS, row, strict=True) if level != 0.5}
            rows.append({**start, table.columns.time: time, **named, "forecast": row[MEDIAN], **bands})
    return rows


def forecast_chart(
    title: str, past: tuple[list[str], list[float]], ahead: list[str], quantiles: np.ndarray, unit: str
) -> Chart:
    """The past, and the forecast with its intervals, which begins where the past ends.

    Args:
        title: The series.
        past: Times and values before the forecast.
        ahead: The times of the forecast.
        quantiles: Shape (horizon, levels).
        unit: The target column.
    """
    times, values = past
    before: list[Any] = [None] * max(len(values) - 1, 0)
    # The last known value starts every line, so that no gap stands between past and forecast.
    said = [[*before, *values[-1:], *quantiles[:, level].tolist()] for level in range(len(LEVELS))]
    bands = [
        Band(f"{percent} % interval", known(said[low]), known(said[high]))
        for percent, (low, high) in sorted(INTERVALS.items(), reverse=True)
    ]
    curves = [
        Curve("past", [*known(values), *([None] * len(ahead))]),
        Curve("forecast", known(said[MEDIAN]), "said"),
    ]
    return Chart(title, [*times, *ahead], curves, bands, unit=unit)


def futures(origins: Origins, rows: pl.DataFrame) -> pl.DataFrame:
    """The end of every series with its forecast, one row per series and target.

    Args:
        origins: Where it is forecast from.
        rows: The forecasts, `horizon` rows for each origin in turn.

    Returns:
        The columns "series" and "target"; "times" and "past", of the steps before; "ahead", the times of the forecast;
        and "quantiles", shape (horizon, levels).
    """
    import polars as pl

    table, columns = origins.table, origins.table.columns
    names = ["forecast" if k == MEDIAN else level_name(level) for k, level in enumerate(LEVELS)]
    quantiles = rows.select(names).to_numpy().reshape(len(origins), -1, len(LEVELS))
    parts: list[dict[str, Any]] = []
    for (number, target, step), each in zip(origins.index, quantiles, strict=True):
        series, start = table.series[number], max(0, step - _HORIZONS_BEFORE * origins.horizon)
        stamps = table.stamps(series.start + np.arange(start, step + len(each)))
        times = [stamp.isoformat() for stamp in stamps]
        parts.append(
            {
                "series": ": ".join(part for part in (series.name, columns.targets[target]) if part),
                "target": columns.targets[target],
                "times": times[: step - start],
                "past": series.values[start:step, target].tolist(),
                "ahead": times[step - start :],
                "quantiles": each.tolist(),
            }
        )
    return pl.DataFrame(parts, infer_schema_length=None)


def charts(table: pl.DataFrame) -> list[Chart]:
    """A chart per series and target.

    Args:
        table: As `futures()` gives it.
    """
    return [
        forecast_chart(
            row["series"], (row["times"], row["past"]), row["ahead"], np.array(row["quantiles"]), row["target"]
        )
        for row in table.iter_rows(named=True)
    ]


def backtest(answers: pl.DataFrame, test: pl.DataFrame) -> pl.DataFrame:
    """One row per origin and step ahead: the actual value beside the forecast and its quantiles.

    Args:
        answers: As `answers_of()` gives them.
        test: The origins, as `OriginSplit.table()` gives them.
    """
    import polars as pl

    actual, quantiles = answers["actual"].to_numpy(), answers["quantiles"].to_numpy()
    horizon = actual.shape[1]
    times = [time[len(time) - horizon :] for time in test["time"].to_list()]
    columns = {
        "series": np.repeat(test["series"].to_list(), horizon),
        "from": np.repeat([time[0] for time in times], horizon),
        "ahead": np.tile(np.arange(1, horizon + 1), len(answers)),
        "time": np.array(times).ravel(),
        "actual": pl.Series(actual.ravel()).fill_nan(None),
        "forecast": quantiles[..., MEDIAN].ravel(),
    }
    others = {level_name(level): quantiles[..., k].ravel() for k, level in enumerate(LEVELS) if k != MEDIAN}
    return pl.DataFrame(columns | others)
