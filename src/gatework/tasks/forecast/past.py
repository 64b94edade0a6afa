"""What simple methods look back at beyond the history that a run keeps for its network."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gatework.data.panel import Panel, Series
from gatework.tasks.forecast.methods import Method, checked
from gatework.tasks.forecast.windows import Origins


@dataclass(frozen=True, eq=False)
class Past:
    """Values that stand before the kept history of every series.

    Attributes:
        history: The end of every series, as the run keeps it.
        values: Of each series the values right before that, shape (steps, targets).
    """

    history: Panel
    values: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, table: Panel, methods: Sequence[Method], history: Panel) -> Past:
        """What some methods look back at.

        Args:
            table: The series, whole.
            methods: The methods.
            history: The end of each, as the run keeps it.
        """
        begins = [method.begins(table) for method in methods]
        kept = []
        for number, (series, after) in enumerate(zip(table.series, history.series, strict=True)):
            first = min([after.start, *(int(begin[number]) for begin in begins)])
            kept.append(series.values[first - series.start : after.start - series.start])
        return cls(history, tuple(kept))

    def before(self, origins: Origins) -> Origins:
        """The same origins in a table whose series go back as far as is known.

        A series that goes on from the kept history, or is that, is continued backwards; every other one is left as it
        is.
        """
        numbers = {series.id: number for number, series in enumerate(self.history.series)}
        series, shift = [], []
        for s in origins.table.series:
            number = numbers.get(s.id)
            earlier = self.values[number] if number is not None else np.zeros((0, s.values.shape[1]))
            is_behind = number is not None and s.start == self.history.series[number].start
            series.append(_behind(earlier, s) if is_behind and len(earlier) else s)
            shift.append(s.start - series[-1].start)
        index = origins.index.copy()
        index[:, 2] += np.array(shift, dtype=np.int64)[index[:, 0]]
        table = dataclasses.replace(origins.table, series=tuple(series))
        return dataclasses.replace(origins, table=table, index=index)

    def state(self) -> list[Any]:
        """Values that JSON can hold."""
        return [values.tolist() for values in self.values]

    @classmethod
    def from_state(cls, state: Sequence[Any], history: Panel) -> Past:
        """The past whose `state()` this is.

        Raises:
            ValueError: It does not fit the history.
        """
        if len(state) != len(history.series):
            raise ValueError(f"the past of {len(state)} series, expected {len(history.series)}")
        targets = len(history.columns.targets)
        kept = [checked(values, (len(values), targets)) if values else np.zeros((0, targets)) for values in state]
        return cls(history, tuple(kept))


def _behind(earlier: np.ndarray, series: Series) -> Series:
    """A series with values before its first one; of its other columns nothing is known there."""
    steps = len(earlier)
    known, past, observed = (_with_zeros(columns, steps) for columns in (series.known, series.past, series.observed))
    values = np.concatenate([earlier, series.values])
    start = series.start - steps
    return dataclasses.replace(series, start=start, values=values, known=known, past=past, observed=observed)


def _with_zeros(values: np.ndarray, steps: int) -> np.ndarray:
    return np.concatenate([np.zeros((steps, values.shape[1]), values.dtype), values])
