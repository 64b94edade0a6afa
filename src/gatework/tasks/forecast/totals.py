r"""Series that add up: sums over a table's series, forecast beside them, and all forecasts reconciled.

With several columns that tell series apart, such as region and store, there is a sum for every region and one of all.
Let $\hat b$ be the forecasts of the table's own series and $\hat a$ those of the sums, of which $C b$ are the right
ones. The reconciled forecasts are

$$ \tilde b = \hat b + W_b C^\top (C W_b C^\top + W_a)^{-1} (\hat a - C \hat b), \qquad \tilde a = C \tilde b, $$

the least squares answer where errors have the variances $W$ and do not depend on each other: the closer a forecast is
taken to be, the less it moves. The variances are those of the seasonal naive forecast in training. Quantiles move with
their median, and no forecast falls below its floor.

Source: S. Wickramasuriya, G. Athanasopoulos and R. Hyndman, "Optimal forecast reconciliation for hierarchical and
grouped time series through trace minimization", JASA 2019, with a diagonal W.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from gatework.data.panel import Panel, Series
from gatework.errors import DataError, UsageError
from gatework.tasks.forecast.metrics import MEDIAN
from gatework.tasks.forecast.windows import Origins

TOTAL = "total"
"""What stands in the columns that a sum runs over."""

Id = tuple[str, ...]


def with_totals(table: Panel, source: str) -> Panel:
    """A table with the sums of its series behind them, over the steps that all of each sum have.

    Args:
        table: The series.
        source: The table, for messages.

    Raises:
        UsageError: There is a single series, or there are columns besides the targets.
        DataError: A series is called what a sum is, or the series of a sum have no step in common.
    """
    columns = table.columns
    if columns.known or columns.past or columns.static:
        raise UsageError(f"{source}: --totals takes no --known, --past and --static columns, whose sums mean nothing")
    if len(table.series) < 2:
        raise UsageError(f"{source}: --totals needs several series; name the columns that tell them apart by --series")
    ids = [series.id for series in table.series]
    if any(TOTAL in id for id in ids):
        raise DataError(f'{source}: a series is called "{TOTAL}" already, which is what --totals calls sums')
    sums = [_sum([table.series[k] for k in members], id, source) for id, members in _sums(ids).items()]
    return dataclasses.replace(table, series=(*table.series, *sums))


def without_totals(table: Panel) -> Panel:
    """The table's own series."""
    return dataclasses.replace(table, series=tuple(series for series in table.series if TOTAL not in series.id))


def coherent(quantiles: np.ndarray, origins: Origins, history: Panel, scale: np.ndarray, least: float) -> np.ndarray:
    """Forecasts that add up wherever those of every series begin at the same step.

    Args:
        quantiles: Shape (origins, horizon, levels).
        origins: Where they are from.
        history: The series by which the sums are known.
        scale: The size of errors of each series and target, shape (series, targets).
        least: No forecast is below this.
    """
    ids, targets = [series.id for series in history.series], len(history.columns.targets)
    sums, keys = _sums([id for id in ids if TOTAL not in id]), origins.keys(history)
    inside = np.zeros((len(sums), len(ids) - len(sums)))
    for row, members in enumerate(sums.values()):
        inside[row, members] = 1.0
    known = np.flatnonzero(keys >= 0)
    moments, group = np.unique(origins.times()[known] * targets + keys[known] % targets, return_inverse=True)
    rows = np.full((len(moments), len(ids)), -1)
    rows[group.reshape(-1), keys[known] // targets] = known
    answer = quantiles.astype(np.float64)
    for place in rows[(rows >= 0).all(axis=1)]:
        variance = _variance(scale[:, keys[place[0]] % targets])
        median = answer[place, :, MEDIAN]
        moved = _reconciled(median, inside, variance, least) - median
        answer[place] = np.maximum(answer[place] + moved[..., None], least)
    return answer


def _reconciled(median: np.ndarray, inside: np.ndarray, variance: np.ndarray, least: float) -> np.ndarray:
    """Medians that add up, shape (series, horizon), the sums last."""
    count = inside.shape[1]
    spread = variance[:count, None] * inside.T
    gap = median[count:] - inside @ median[:count]
    parts = median[:count] + spread @ np.linalg.solve(inside @ spread + np.diag(variance[count:]), gap)
    parts = np.maximum(parts, least)
    return np.concatenate([parts, inside @ parts])


def _variance(scale: np.ndarray) -> np.ndarray:
    known = np.isfinite(scale) & (scale > 0)
    return np.where(known, scale, scale[known].mean() if known.any() else 1.0) ** 2


def _sums(ids: Sequence[Id]) -> dict[Id, list[int]]:
    """The sums by id, the largest last, each with the positions of the series that it is of."""
    sums: dict[Id, list[int]] = {}
    for kept in range(len(ids[0]) - 1, -1, -1):
        for position, id in enumerate(ids):
            sums.setdefault((*id[:kept], *[TOTAL] * (len(id) - kept)), []).append(position)
    return sums


def _sum(members: Sequence[Series], id: Id, source: str) -> Series:
    start, end = max(s.start for s in members), min(s.start + len(s) for s in members)
    if end <= start:
        raise DataError(f'{source}: the series of "{", ".join(id)}" have no step in common; leave --totals out')
    cuts = [(s, slice(start - s.start, end - s.start)) for s in members]
    values = np.sum([s.values[cut] for s, cut in cuts], axis=0)
    observed = np.all([s.observed[cut] for s, cut in cuts], axis=0)
    nothing = np.zeros((end - start, 0))
    return Series(id, start, values, observed, nothing, nothing, np.zeros(0))
