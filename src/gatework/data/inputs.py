"""What examples are read from. Each kind of input is a small class with the same few methods.

Texts are in `text.py`, series here; another kind, such as sound or pairs of texts, is a file of its own.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

import numpy as np

if TYPE_CHECKING:
    import polars as pl


class Inputs(Protocol):
    """The inputs of some examples, before any encoding.

    Attributes:
        kind: What they are, such as "text"; the encoder that reads them has the same kind.
    """

    @property
    def kind(self) -> str:
        """What they are."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any) -> Any:
        """One input, for a position, or those at several, for an array of positions."""
        ...

    def identities(self) -> list[Hashable]:
        """What makes two inputs equal: equal ones stay in one part of a dataset."""
        ...

    def columns(self) -> dict[str, pl.Series | list[np.ndarray]]:
        """The columns of a table that holds them, as a run keeps its test part; arrays of shape (values,)."""
        ...

    def notes(self) -> tuple[str, ...]:
        """What a reader of a report should know of them, one sentence each."""
        ...


class SeriesInputs(np.ndarray):
    """Series of one length, an array of shape (examples, time, input)."""

    kind: ClassVar[Literal["series"]] = "series"

    @classmethod
    def of(cls, values: np.ndarray) -> SeriesInputs:
        """The same numbers, shape (examples, steps, variables), not copied."""
        return np.asarray(values).view(cls)

    def identities(self) -> list[Hashable]:
        """The very numbers."""
        return [series.tobytes() for series in self]

    def columns(self) -> dict[str, pl.Series | list[np.ndarray]]:
        """One column "input", an array of shape (steps x variables,) for each series."""
        return {"input": list(np.asarray(self).reshape(len(self), -1))}

    def notes(self) -> tuple[str, ...]:
        """Nothing."""
        return ()


class RaggedSeries:
    """Series of several lengths, with the same variables.

    Attributes:
        values: Every step of every series, one after the other, shape (steps, input).
        ends: Where each series ends, counted in steps, shape (examples,), int64.
    """

    kind: ClassVar[Literal["series"]] = "series"

    def __init__(self, values: np.ndarray, ends: np.ndarray) -> None:
        self.values, self.ends = values, ends

    @classmethod
    def of(cls, series: Sequence[np.ndarray]) -> RaggedSeries:
        """Series of shape (steps, input) each."""
        lengths = np.array([len(one) for one in series], dtype=np.int64)
        return cls(np.concatenate(list(series)), lengths.cumsum())

    @property
    def lengths(self) -> np.ndarray:
        """Steps of each series, shape (examples,), int64."""
        return np.diff(self.ends, prepend=0)

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, index: Any) -> Any:
        """One series, for a position, or those at several, for an array of positions or a slice."""
        if isinstance(index, (int, np.integer)):
            end = int(self.ends[index])
            return self.values[end - int(self.lengths[index]) : end]
        chosen = np.arange(len(self))[index]
        lengths = self.lengths[chosen]
        ends = lengths.cumsum()
        # Every step of a series lies as far behind the one that it is copied from.
        steps = np.repeat(self.ends[chosen] - ends, lengths) + np.arange(lengths.sum())
        return RaggedSeries(self.values[steps], ends)

    def identities(self) -> list[Hashable]:
        """The very numbers."""
        return [self[k].tobytes() for k in range(len(self))]

    def columns(self) -> dict[str, pl.Series | list[np.ndarray]]:
        """One column "input", an array of shape (steps x variables,) for each series."""
        return {"input": [self[k].reshape(-1) for k in range(len(self))]}

    def notes(self) -> tuple[str, ...]:
        """Nothing."""
        return ()
