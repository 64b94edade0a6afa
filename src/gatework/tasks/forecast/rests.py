r"""Steps at which nothing ever happens, such as the Sundays of a shop: 0 in every training week, and forecast as 0.

After $n$ weeks without exception the next one is 0 with the probability $(n + 1) / (n + 2)$ by Laplace's rule of
succession, so every quantile up to that level is 0. A rule ends where one of the last two weeks before a forecast broke
it. Where both did, the series no longer rests: a network and simple methods that have seen nothing but 0 there would
take weeks to follow, so that until eight weeks have passed their quantiles are lifted to the mean of these two values,
spread as those of the other steps.

A rule is none where chance may have made it: at least half of all other steps must hold more than 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gatework._stored import Stored
from gatework.data.frequency import DAY
from gatework.data.panel import Panel
from gatework.tasks.forecast.metrics import LEVELS, MEDIAN
from gatework.tasks.forecast.options import ForecastOptions
from gatework.tasks.forecast.windows import Origins

_FEWEST, _BUSY, _LOOKED_BACK = 8, 0.5, 2
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

    @property
    def steps_back(self) -> int:
        """How many of a series' last steps have a say in whether it still rests."""
        return _FEWEST * max(self.periods, default=0)

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
        return self._applying(origins, like)[0]

    def applied(self, quantiles: np.ndarray, origins: Origins, like: Panel) -> np.ndarray:
        """Quantiles that are 0 where series rest, and no longer near it where they used to rest.

        Args:
            quantiles: Shape (origins, horizon, levels).
            origins: Where it is forecast from.
            like: The table whose series these are.
        """
        count, open_again = self._applying(origins, like)
        quantiles = _lifted(quantiles, open_again, np.isnan(open_again) & (count == 0))
        return np.where((count > 0)[..., None] & (np.array(LEVELS) <= _sure(count)[..., None]), 0.0, quantiles)

    def _applying(self, origins: Origins, like: Panel) -> tuple[np.ndarray, np.ndarray]:
        """As `at()`, and the mean of the last values where a series no longer rests, NaN elsewhere."""
        most, open_again = np.zeros((len(origins), origins.horizon)), np.full((len(origins), origins.horizon), np.nan)
        for period, counts in zip(self.periods, self.counts, strict=True):
            known = self._counts_ahead(period, counts, origins, like)
            rows = np.flatnonzero(known.any(axis=1))
            lately = _lately(origins[rows], period)
            last = np.nan_to_num(lately[..., :_LOOKED_BACK])
            is_new = (last != 0).all(axis=-1) & (lately == 0).any(axis=-1) & (known[rows] > 0)
            open_again[rows] = np.where(is_new, last.mean(axis=-1), open_again[rows])
            most[rows] = np.maximum(most[rows], np.where((last != 0).any(axis=-1), 0, known[rows]))
        return most, np.where(most > 0, np.nan, open_again)

    def _counts_ahead(self, period: int, counts: np.ndarray, origins: Origins, like: Panel) -> np.ndarray:
        """How often each step that is forecast was 0 in the training part, shape (origins, horizon)."""
        targets, keys = len(like.columns.targets), origins.keys(like)
        steps = (origins.times()[:, None] + np.arange(origins.horizon)) % period
        counts_ahead: np.ndarray = np.take_along_axis(counts[keys // targets, keys % targets], steps, axis=1)
        return counts_ahead * (keys >= 0)[:, None]

    def of_windows(self, origins: Origins, like: Panel, window: int) -> list[list[dict[str, Any]]]:
        """The rules of each origin's series, for a page on which the last values before it may be changed.

        Args:
            origins: Where it is forecast from.
            like: The table whose series these are.
            window: How many of the last values may change.

        Returns:
            For each origin its rules: after how many steps each comes again; how often every step that is forecast was
            0 without exception; and what its last values were, the latest first, None where they are in the window.
        """
        rules: list[list[dict[str, Any]]] = [[] for _ in origins.index]
        for period, counts in zip(self.periods, self.counts, strict=True):
            known, lately = self._counts_ahead(period, counts, origins, like), _lately(origins, period)
            back = period * np.arange(1, _FEWEST + 1) - (np.arange(origins.horizon) % period)[:, None]
            before = lately.astype(object)
            before[(back <= window) | np.isnan(lately)] = None
            for row in np.flatnonzero(known.any(axis=1)):
                rule = {"period": period, "counts": known[row].tolist(), "before": before[row].tolist()}
                rules[row].append(rule)
        return rules

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
            others = np.bincount(phases, seen & (values != 0), minlength=period)
            # A shop that has not opened yet is closed on every day.
            seen = seen & (np.cumsum(values != 0) > 0)
            zeros = np.bincount(phases, seen & (values == 0), minlength=period)
            rests = (others == 0) & (zeros >= _FEWEST)
            total = (zeros + others)[~rests].sum()
            if total and others.sum() >= _BUSY * total:
                counts[number, target] = np.where(rests, zeros, 0)
    return counts


def _lately(origins: Origins, period: int) -> np.ndarray:
    """The values at each step that is forecast in the periods before, shape (origins, horizon, periods).

    The latest comes first; NaN where nothing was observed.
    """
    lately = np.full((len(origins), origins.horizon, _FEWEST), np.nan)
    back = (np.arange(origins.horizon) % period)[:, None] - period * np.arange(1, _FEWEST + 1)
    for row, (number, target, step) in enumerate(origins.index):
        series, at = origins.table.series[number], step + back
        there = np.maximum(at, 0)
        is_seen = (at >= 0) & series.observed[there, target]
        lately[row] = np.where(is_seen, series.values[there, target], np.nan)
    return lately


def _sure(count: np.ndarray) -> np.ndarray:
    """How likely 0 comes again after so many without exception."""
    return (count + 1) / (count + 2)


def _lifted(quantiles: np.ndarray, open_again: np.ndarray, is_other: np.ndarray) -> np.ndarray:
    """Quantiles about what came lately where a series no longer rests, spread as those of the origin's other steps.

    Args:
        quantiles: Shape (origins, horizon, levels).
        open_again: What came lately at such steps, NaN at others, shape (origins, horizon).
        is_other: Which steps are others, where no rule is or was, shape (origins, horizon).
    """
    rows = np.flatnonzero(~np.isnan(open_again).all(axis=1) & is_other.any(axis=1))
    others = np.einsum("ohl,oh->ol", quantiles[rows], is_other[rows])
    rows, others = rows[others[:, MEDIAN] > 0], others[others[:, MEDIAN] > 0]
    if not len(rows):
        return quantiles
    said = quantiles[rows]
    lifted = open_again[rows][..., None] * (others / others[:, MEDIAN : MEDIAN + 1])[:, None]
    are_whole = (said == np.round(said)).all(axis=(1, 2))
    lifted = np.where(are_whole[:, None, None], np.round(lifted), lifted)
    # What has seen enough of it says so itself.
    is_lower = said[..., MEDIAN] < np.nan_to_num(open_again[rows])
    quantiles = quantiles.copy()
    quantiles[rows] = np.where(is_lower[..., None], lifted, said)
    return quantiles
