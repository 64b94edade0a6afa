"""Series that begin with zeros, as that of a shop before it opened, or of an item that was not sold yet.

A table often holds a row for every series and time, with 0 where a series did not exist. Such zeros are no history:
they say nothing of what follows, and a network that learns a jump from nothing to all takes it for something that may
come again. So a series begins at its first value above 0, as in the M5 competition, where that cannot be chance: where
the zeros before it are at least twice as many as ever stood in a row after it.

Source: S. Makridakis, E. Spiliotis and V. Assimakopoulos, "M5 accuracy competition: Results, findings, and
conclusions", International Journal of Forecasting 2022, whose scales are of the time since the first sale.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from gatework.data.panel import Panel, Series
from gatework.formatting import counted

_FEWEST, _LONGER = 8, 2


def without_leading_zeros(table: Panel, ends: np.ndarray) -> Panel:
    """A table whose series begin at their first values above 0; a note says how many began before.

    Args:
        table: The series.
        ends: The steps of each that are certainly learnt from: what follows has no say, shape (series,).
    """
    pairs = zip(table.series, ends.tolist(), strict=True)
    firsts = np.array([leading_zeros(series.values[: max(end, 0)]) for series, end in pairs], dtype=np.int64)
    if not firsts.any():
        return table
    series = tuple(_since(each, first) for each, first in zip(table.series, firsts.tolist(), strict=True))
    rows = table.rows.copy()
    rows[:, 1] -= firsts[rows[:, 0]]
    return dataclasses.replace(table, series=series, rows=rows, notes=(*table.notes, note(firsts)))


def note(firsts: np.ndarray) -> str:
    """What is said of it, given how many steps were left out at the beginning of each series, shape (series,)."""
    many = len(firsts) > 1
    who = f"{int((firsts > 0).sum()):,} of {len(firsts):,} series begin" if many else "The series begins"
    return (
        f"{who} with nothing but 0 for up to {counted(int(firsts.max()), 'step')}, as before a shop opens, and "
        f"{'are' if many else 'is'} learnt from the first other value on (--no-non-negative keeps them)."
    )


def leading_zeros(values: np.ndarray) -> int:
    """How many steps at the beginning of a series are left out, given its targets, shape (steps, targets)."""
    if values[:_FEWEST].any():
        return 0
    above = np.flatnonzero(values.any(axis=1))
    if not len(above) or values.min() < 0:
        return 0
    later = np.diff(np.append(above, len(values))) - 1
    return int(above[0]) if above[0] >= _LONGER * later.max() else 0


def _since(series: Series, first: int) -> Series:
    cut = {name: getattr(series, name)[first:] for name in ("values", "observed", "known", "past")}
    return dataclasses.replace(series, start=series.start + first, **cut)
