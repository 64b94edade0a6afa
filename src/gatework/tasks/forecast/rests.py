r"""Steps at which nothing ever happens, such as the Sundays of a shop: 0 in every training week, and forecast as 0.

After $n$ weeks without exception the next one is 0 with the probability $(n + 1) / (n + 2)$ by Laplace's rule of
succession, so every quantile up to that level is 0. A rule ends where one of the last two weeks before a forecast broke
it. It is none where chance may have made it: at least half of all other steps must hold more than 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gatework._stored import Stored
from gatework.data.frequency import DAY
from gatework.data.panel import Panel
from gatework.tasks.forecast.metrics import LEVELS
from gatework.tasks.forecast.options import ForecastOptions
from gatework.tasks.forecast.windows import Origins

_FEWEST, _BUSY = 8, 0.5
LOOKED_BACK = 2
"""A rule ends where one of so many last periods broke it."""
_WEEK = 7


@dataclass(frozen=True, eq=False)
class Rests(Stored):
    """The steps of a day, a week or a season at which each series rests; false where none does.

    Attributes:
        periods: The steps after which each rule comes again.
        counts: For each period how often each series and target was 0 at each of its steps, and never more; 0 where it
            was. Shape (series, targets, period).
    """

    periods: tuple[int, ...] = ()
    counts: tuple[np.ndarray, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.periods)

    def __post_init__(self) -> None:
        shapes = [each.shape for each in self.counts]
        if len(shapes) != len(self.periods) or any(
            len(shape) != 3 or shape[2] != period or shape[:2] != shapes[0][:2]
            for shape, period in zip(shapes, self.periods, strict=True)
        ):
            raise ValueError("the steps at which series rest do not fit their periods")

    @classmethod
    def fit(cls, table: Panel, ends: np.ndarray, plan: ForecastOptions) -> Rests:
        """What the training part shows: nothing where values may be below 0.

        Args:
            table: The series.
            ends: Where each one's training part ends, in steps, shape (series,).
            plan: The settings with the season decided.
        """
        if not plan.non_negative:
            return cls()
        counts = {period: _counts(table, ends, period) for period in _periods(table, plan)}
        counts = {period: each for period, each in counts.items() if each.any()}
        return cls(tuple(counts), tuple(counts.values()))

    def note(self, table: Panel) -> str:
        """What is said of it."""
        resting = np.any([(each > 0).any(axis=(1, 2)) for each in self.counts], axis=0)
        who = f"{int(resting.sum()):,} of {len(resting):,} series are" if len(resting) > 1 else "The series is"
        daily = table.frequency.kind == "time" and table.frequency.size == DAY
        days = (
            (self.counts[self.periods.index(_WEEK)] > 0).any(axis=(0, 1)) if daily and _WEEK in self.periods else None
        )
        if days is None:
            when = f"at the same steps of every {' and '.join(map(str, self.periods))}"
        else:
            names = table.stamps(np.flatnonzero(days)).dt.strftime("%A").to_list()
            when = "every " + " and ".join(names)
        return f"{who} 0 {when} of the training part, and forecast so (--no-non-negative)."

    def at(self, origins: Origins, like: Panel) -> np.ndarray:
        """How often each step that is forecast was 0 without exception, shape (origins, horizon); 0 where it was not.

        Args:
            origins: Where it is forecast from.
            like: The table whose series these are.
        """
        targets, keys = len(like.columns.targets), origins.keys(like)
        steps = origins.times()[:, None] + np.arange(origins.horizon)
        most = np.zeros(steps.shape)
        for period, counts in zip(self.periods, self.counts, strict=True):
            known = counts[keys // targets, keys % targets] * (keys >= 0)[:, None] * ~_broken(origins, period)
            most = np.maximum(most, np.take_along_axis(known, steps % period, axis=1))
        return most

    def of_windows(self, origins: Origins, like: Panel, window: int) -> list[list[dict[str, Any]]]:
        """The rules of each origin's series, for a page on which the last values before it may be changed.

        Args:
            origins: Where it is forecast from.
            like: The table whose series these are.
            window: How many of the last values may change.

        Returns:
            For each origin its rules: after how many steps each comes again, how often every step that is forecast was
            0 without exception, and at which of them something happened before the window.
        """
        targets, keys = len(like.columns.targets), origins.keys(like)
        steps = origins.times()[:, None] + np.arange(origins.horizon)
        rules: list[list[dict[str, Any]]] = [[] for _ in origins.index]
        for period, counts in zip(self.periods, self.counts, strict=True):
            broken = np.take_along_axis(_broken(origins, period, window), steps % period, axis=1)
            for row in np.flatnonzero(keys >= 0):
                ahead = counts[keys[row] // targets, keys[row] % targets, steps[row] % period]
                if ahead.any():
                    rules[row].append({"period": period, "counts": ahead.tolist(), "broken": broken[row].tolist()})
        return rules

    def applied(self, quantiles: np.ndarray, origins: Origins, like: Panel) -> np.ndarray:
        """Quantiles that are 0 where series rest, shape (origins, horizon, levels)."""
        count = self.at(origins, like)[..., None]
        return np.where((count > 0) & (np.array(LEVELS) <= (count + 1) / (count + 2)), 0.0, quantiles)

    def awake(self, values: np.ndarray, origins: Origins, like: Panel) -> np.ndarray:
        """What came to pass, NaN where nothing else was to be expected: it says nothing of the other steps."""
        return np.where(self.at(origins, like) > 0, np.nan, values)


def _periods(table: Panel, plan: ForecastOptions) -> Sequence[int]:
    """A season, and in steps of fixed time a day and a week."""
    periods = {plan.season}
    if table.frequency.kind == "time":
        periods |= {span // table.frequency.size for span in (DAY, _WEEK * DAY) if span % table.frequency.size == 0}
    return sorted(period for period in periods if period > 1)


def _counts(table: Panel, ends: np.ndarray, period: int) -> np.ndarray:
    counts = np.zeros((len(table.series), len(table.columns.targets), period))
    for number, (series, end) in enumerate(zip(table.series, ends, strict=True)):
        phases = (series.start + np.arange(int(end))) % period
        for target in range(counts.shape[1]):
            values, seen = series.values[:end, target], series.observed[:end, target]
            zeros = np.bincount(phases, seen & (values == 0), minlength=period)
            others = np.bincount(phases, seen & (values != 0), minlength=period)
            rests = (others == 0) & (zeros >= _FEWEST)
            total = (zeros + others)[~rests].sum()
            if total and others.sum() >= _BUSY * total:
                counts[number, target] = np.where(rests, zeros, 0)
    return counts


def _broken(origins: Origins, period: int, left_out: int = 0) -> np.ndarray:
    """At which steps of a period something happened in its last two before each origin, shape (origins, period).

    Args:
        origins: The origins.
        period: The steps after which a rule comes again.
        left_out: So many of the last steps are not looked at.
    """
    broken = np.zeros((len(origins), period), dtype=bool)
    for row, (number, target, step) in enumerate(origins.index):
        series = origins.table.series[number]
        part = slice(max(0, step - LOOKED_BACK * period), max(0, step - left_out))
        happened = np.flatnonzero(series.observed[part, target] & (series.values[part, target] != 0))
        broken[row, (series.start + part.start + happened) % period] = True
    return broken
