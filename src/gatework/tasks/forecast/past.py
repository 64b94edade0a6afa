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
        known: What was known ahead of the same steps, shape (steps, known).
    """

    history: Panel
    values: tuple[np.ndarray, ...]
    known: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, table: Panel, methods: Sequence[Method], history: Panel) -> Past:
        """What some methods look back at.

        Args:
            table: The series, whole.
            methods: The methods.
            history: The end of each, as the run keeps it.
        """
        begins = [method.begins(table) for method in methods]
        values, known = [], []
        for number, (series, after) in enumerate(zip(table.series, history.series, strict=True)):
            first = min([after.start, *(int(begin[number]) for begin in begins)])
            place = slice(first - series.start, after.start - series.start)
            values.append(series.values[place])
            known.append(series.known[place])
        return cls(history, tuple(values), tuple(known))

    def before(self, origins: Origins) -> Origins:
        """The same origins in a table whose series go back as far as is known.

        A series that goes on from the kept history, or is that, is continued backwards; every other one is left as it
        is.
        """
        numbers = {series.id: number for number, series in enumerate(self.history.series)}
        series, shift = [], []
        for s in origins.table.series:
            number = numbers.get(s.id)
            if number is not None and s.start == self.history.series[number].start:
                series.append(_behind(self.values[number], self.known[number], s))
            else:
                series.append(s)
            shift.append(s.start - series[-1].start)
        index = origins.index.copy()
        index[:, 2] += np.array(shift, dtype=np.int64)[index[:, 0]]
        table = dataclasses.replace(origins.table, series=tuple(series))
        return dataclasses.replace(origins, table=table, index=index)

    def state(self) -> list[Any]:
        """Values that JSON can hold."""
        return [
            {"values": values.tolist(), "known": known.tolist()}
            for values, known in zip(self.values, self.known, strict=True)
        ]

    @classmethod
    def from_state(cls, state: Sequence[Any], history: Panel) -> Past:
        """The past whose `state()` this is.

        Raises:
            ValueError: It does not fit the history.
        """
        if len(state) != len(history.series):
            raise ValueError(f"the past of {len(state)} series, expected {len(history.series)}")
        columns = history.columns
        widths = {"values": len(columns.targets), "known": len(columns.features(columns.known))}
        kept = {
            name: tuple(
                checked(each[name], (len(each["values"]), width)) if each["values"] and width else _nothing(each, width)
                for each in state
            )
            for name, width in widths.items()
        }
        return cls(history, kept["values"], kept["known"])


def _nothing(each: Any, width: int) -> np.ndarray:
    return np.zeros((len(each["values"]), width))


def _behind(values: np.ndarray, known: np.ndarray, series: Series) -> Series:
    """A series with values before its first one; of its columns known up to now nothing is kept there."""
    steps = len(values)
    past, observed = (_with_zeros(columns, steps) for columns in (series.past, series.observed))
    return dataclasses.replace(
        series,
        start=series.start - steps,
        values=np.concatenate([values, series.values]),
        known=np.concatenate([known, series.known]),
        past=past,
        observed=observed,
    )


def _with_zeros(values: np.ndarray, steps: int) -> np.ndarray:
    return np.concatenate([np.zeros((steps, values.shape[1]), values.dtype), values])
