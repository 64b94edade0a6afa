"""Forecast origins: the examples of a forecasting data set, as positions in a table rather than copies of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import polars as pl

from gatework.data.dataset import Split
from gatework.data.panel import Panel
from gatework.errors import UsageError
from gatework.tasks.forecast.measures import Logarithm


@dataclass(frozen=True, eq=False)
class Origins:
    """Points from which to look ahead.

    Attributes:
        table: The series.
        index: For each origin its series, its target, and the first step that is forecast: everything before that step
            is known. Shape (origins, 3), int64.
        horizon: The steps that are forecast.
        season: The steps of one season.
        scale: The mean absolute error of the seasonal naive forecast on the training part, one step ahead, of each
            series and target: what MASE divides by. Shape (series, targets), NaN where it is 0 or unknown.
    """

    table: Panel
    index: np.ndarray
    horizon: int
    season: int
    scale: np.ndarray

    kind: ClassVar[str] = "origins"

    def __len__(self) -> int:
        return len(self.index)

    def identities(self) -> list[Hashable]:
        """Which series, target and step each origin is."""
        return [tuple(row) for row in self.index.tolist()]

    def columns(self) -> dict[str, pl.Series | list[Any]]:
        """The series, the target and the first step that is forecast."""
        names = [self.table.series[number].name for number in self.index[:, 0]]
        return {"series": names, "target": self.index[:, 1].tolist(), "step": self.index[:, 2].tolist()}

    def notes(self) -> tuple[str, ...]:
        """What was found in the table and how it was handled."""
        return self.table.notes

    def __getitem__(self, chosen: np.ndarray) -> Origins:
        return Origins(self.table, self.index[chosen], self.horizon, self.season, self.scale)

    def histories(self, steps: int) -> np.ndarray:
        """The last values before each origin, shape (origins, steps); the first one repeated before a series' start."""
        histories = np.empty((len(self), steps))
        for row, (number, target, step) in enumerate(self.index):
            values = self.table.series[number].values[max(0, step - steps) : step, target]
            histories[row, steps - len(values) :] = values
            histories[row, : steps - len(values)] = values[0]
        return histories

    def of_series(self, values: np.ndarray) -> np.ndarray:
        """What is known of each series and target, shape (series, targets), for each origin, shape (origins,)."""
        chosen: np.ndarray = values[self.index[:, 0], self.index[:, 1]]
        return chosen

    def times(self) -> np.ndarray:
        """The first step that each origin forecasts, as a position on the grid, shape (origins,)."""
        starts = np.array([series.start for series in self.table.series], dtype=np.int64)
        times: np.ndarray = starts[self.index[:, 0]] + self.index[:, 2]
        return times

    def keys(self, like: Panel) -> np.ndarray:
        """Which pair of series and target of another table each origin is of, shape (origins,).

        Args:
            like: The table whose pairs are counted, its series first; -1 where it does not hold the series.
        """
        numbers = {series.id: number for number, series in enumerate(like.series)}
        targets = len(like.columns.targets)
        firsts = np.array([targets * numbers.get(series.id, -1) for series in self.table.series], dtype=np.int64)
        keys = firsts[self.index[:, 0]]
        return np.where(keys < 0, -1, keys + self.index[:, 1])

    def actuals(self) -> np.ndarray:
        """What came to pass.

        Returns:
            A structured array of shape (origins,) with the fields "value", shape (horizon,), NaN where nothing was
            observed; "scale", MASE's divisor; "series"; "target"; and "step".
        """
        kind = [
            ("value", np.float64, (self.horizon,)),
            ("scale", np.float64),
            ("series", np.int64),
            ("target", np.int64),
            ("step", np.int64),
        ]
        actuals = np.empty(len(self), dtype=kind)
        actuals["series"], actuals["target"], actuals["step"] = self.index.T
        actuals["scale"] = self.scale[actuals["series"], actuals["target"]]
        actuals["value"] = np.nan
        for row, (number, target, step) in enumerate(self.index):
            series = self.table.series[number]
            part = slice(step, step + self.horizon)
            values = np.where(series.observed[part, target], series.values[part, target], np.nan)
            actuals["value"][row, : len(values)] = values
        return actuals


def on_scale(origins: Origins, log: Logarithm | None) -> Origins:
    """The same origins in a table whose targets are on a logarithmic scale; as they are where there is none."""
    return dataclasses.replace(origins, table=log.table(origins.table)) if log else origins


class OriginSplit(Split):
    """Forecast origins as one part of a dataset; the targets are gathered when they are first asked for."""

    inputs: Origins

    def __init__(self, origins: Origins) -> None:
        object.__setattr__(self, "inputs", origins)

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was found in the table and how it was handled."""
        return self.inputs.notes()

    @cached_property
    def targets(self) -> np.ndarray:
        """The actual values, as `Origins.actuals()` gives them."""
        return self.inputs.actuals()

    def take(self, index: np.ndarray) -> OriginSplit:
        """The origins at these positions, in this order."""
        return OriginSplit(self.inputs[index])

    def table(self) -> pl.DataFrame:
        """One row per origin for the report: series, first stamp, the values before and the actual ones."""
        origins = self.inputs
        table, before = origins.table, max(2 * origins.season, 2 * origins.horizon)
        rows = []
        for (number, target, step), actual in zip(origins.index, self.targets, strict=True):
            series = table.series[number]
            start = max(0, step - before)
            stamps = table.stamps(series.start + np.arange(start, step + origins.horizon))
            name = ": ".join(n for n in (series.name, table.columns.targets[target]) if n)
            rows.append(
                {
                    "series": name,
                    "origin": int(step),
                    "time": stamps.cast(pl.String).to_list(),
                    "input": series.values[start:step, target].tolist(),
                    "target": [None if np.isnan(v) else float(v) for v in actual["value"]],
                }
            )
        return pl.DataFrame(rows)


def origins_of(split: Split) -> Origins:
    """The origins of a part of a forecasting data set.

    Raises:
        UsageError: The part is of another kind of data.
    """
    if not isinstance(split, OriginSplit):
        raise UsageError("a part of a data set without a time column was given; forecasting needs one with it")
    return split.inputs


def last_origins(table: Panel, horizon: int, season: int, before: int = 0) -> Origins:
    """The origins of every series and target after its last step, or so many steps before; without a scale."""
    targets = range(len(table.columns.targets))
    steps = [(n, len(s) - min(before, max(len(s) - 1, 0))) for n, s in enumerate(table.series)]
    index = np.array([(n, target, step) for n, step in steps for target in targets], dtype=np.int64)
    return Origins(table, index, horizon, season, np.full((len(table.series), len(targets)), np.nan))
