"""What the values of a table are measured by, learnt from its training parts: spreads, logarithms, and a floor of 0."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gatework.data.panel import Panel

# What may be below 0 tends to be so now and then; what spans so many times its least value tends to be an amount.
_SPAN = 20.0
_DUST = 1e-12
# A smaller value than the least one seen may come, yet not one without end.
_LESS = 0.1
# Counts of about this size and less are what the law of a count was measured on; docs/benchmarks-forecast.md.
_SMALL_COUNT = 10.0


@dataclass(frozen=True)
class Logarithm:
    r"""The scale $\log(\max(y, m) + a)$, on which what grows by shares grows by steps.

    Attributes:
        offset: $a$; 0 where every value is above 0.
        least: $m$; smaller values count as this.
    """

    offset: float
    least: float

    @classmethod
    def fit(cls, table: Panel, ends: np.ndarray) -> Logarithm | None:
        """The scale of a table; None where a value is below 0, or none is above it."""
        values = np.concatenate([column.ravel() for column in _training(table, ends)])
        above = values[values > 0]
        if (values < 0).any() or not len(above):
            return None
        if len(above) == len(values):
            return cls(0.0, _LESS * float(above.min()))
        # Of counts this is 1.
        return cls(float(np.quantile(above, 0.05)), 0.0)

    def to(self, values: np.ndarray) -> np.ndarray:
        """Values on this scale."""
        scaled: np.ndarray = np.log(np.maximum(values, self.least) + self.offset)
        return scaled

    def back(self, values: np.ndarray) -> np.ndarray:
        """The values that `to()` brought here."""
        unscaled: np.ndarray = np.exp(values) - self.offset
        return unscaled

    def table(self, table: Panel) -> Panel:
        """A table whose targets are on this scale."""
        return dataclasses.replace(
            table, series=tuple(dataclasses.replace(s, values=self.to(s.values)) for s in table.series)
        )


def spreads(table: Panel, ends: np.ndarray) -> np.ndarray:
    """The standard deviation of each series' training part, shape (series, targets); all are above 0.

    A series that never changed, or has no training part, takes the mean of the others.
    """
    each = np.zeros((len(table.series), len(table.columns.targets)))
    for number, values in enumerate(_training(table, ends)):
        if len(values):
            each[number] = values.std(axis=0)
    count = np.maximum((each > 0).sum(axis=0), 1)
    mean = each.sum(axis=0) / count
    return np.where(each > 0, each, np.where(mean > 0, mean, 1.0))


def scales(table: Panel, season: int, ends: np.ndarray | None = None) -> np.ndarray:
    """MASE's divisor of each series and target: over a season, or over one step where the season never fails.

    Args:
        table: The series.
        season: The steps of one season.
        ends: Where each series' training part ends, in steps, shape (series,); its own end if None.

    Returns:
        Shape (series, targets), NaN where it is 0 or unknown.
    """
    whole = np.array([len(s) for s in table.series])
    pairs = zip(table.series, whole if ends is None else ends, strict=True)
    return np.array([_scales(s.values, s.observed, int(end), season) for s, end in pairs])


def _scales(values: np.ndarray, observed: np.ndarray, end: int, season: int) -> np.ndarray:
    sizes = np.full(values.shape[1], np.nan)
    for lag in (season, 1):
        before, after = slice(0, max(end - lag, 0)), slice(lag, max(end, lag))
        seen = observed[after] & observed[before]
        gap = np.where(seen, np.abs(values[after] - values[before]), 0.0)
        mean = gap.sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
        # What is left of a season that never fails is the rounding of its values.
        size = np.where(observed[:end], np.abs(values[:end]), 0.0).max(axis=0, initial=0.0)
        sizes = np.where(np.isnan(sizes) & (mean > _DUST * size), mean, sizes)
    return sizes


def is_non_negative(table: Panel, ends: np.ndarray) -> bool:
    """Whether the targets look like counts or amounts, which are never below 0.

    None is below 0, and they are whole numbers, or reach down to 0, or to a small share of the largest.
    """
    values = _training_values(table, ends)
    if not len(values) or values.min() < 0 or values.max() <= 0:
        return False
    return _are_whole(values) or bool(values.min() * _SPAN <= values.max())


def are_counts(table: Panel, ends: np.ndarray) -> bool:
    """Whether all targets are whole numbers of 0 or more."""
    values = _training_values(table, ends)
    return len(values) > 0 and bool((values >= 0).all()) and _are_whole(values)


def are_small_counts(table: Panel, ends: np.ndarray) -> bool:
    """Whether all targets are whole numbers of 0 or more, at least half of them so small that this matters."""
    return are_counts(table, ends) and float(np.median(_training_values(table, ends))) <= _SMALL_COUNT


def _are_whole(values: np.ndarray) -> bool:
    return bool((values == np.round(values)).all())


def _training_values(table: Panel, ends: np.ndarray) -> np.ndarray:
    """All targets of the training part in a row."""
    return np.concatenate([column.ravel() for column in _training(table, ends)])


def _training(table: Panel, ends: np.ndarray) -> Sequence[np.ndarray]:
    return [series.values[:end] for series, end in zip(table.series, ends, strict=True)]
