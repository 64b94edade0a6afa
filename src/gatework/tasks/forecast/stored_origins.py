"""Forecast origins of series on disk: which there are is computed, and their windows are read batch by batch."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from gatework._equal_runs import equal_runs
from gatework.data.panel import Panel
from gatework.data.store.examples import PackedExamples
from gatework.data.store.timelines import total_before, within
from gatework.data.stretches import stretches
from gatework.tasks.forecast.data import all_origins, least_history, seen_ahead
from gatework.tasks.forecast.moments import moments
from gatework.tasks.forecast.options import ForecastOptions
from gatework.tasks.forecast.window_store import Features, OriginBatch, WindowReader, WindowRows, batch_of
from gatework.tasks.forecast.windows import Origins, OriginSplit

if TYPE_CHECKING:
    import polars as pl

    from gatework.data.dataset import Split
    from gatework.tasks.forecast.stored import StoredSeries

_LISTED = 1 << 22
"""So many origins are looked at one by one, to leave out those with no observed value ahead; more are not."""
_TOGETHER = 1 << 18
"""The steps of series whose spreads are computed at once."""
_MOMENTS = 1 << 20
"""The calendar of so many steps is kept; of a longer time it is computed for each batch."""


class StoredOrigins:
    """The origins of a training part: those of all series up to their validation part.

    Args:
        series: The series.
        plan: The window, the horizon and all else that was decided.
        ends: Where the training parts of the sampled series end.
    """

    kind: ClassVar[str] = "origins"

    def __init__(self, series: StoredSeries, plan: ForecastOptions, ends: np.ndarray) -> None:
        self.series, self.plan = series, plan
        self.ends = np.maximum(series.lengths - plan.test_steps - plan.validation_steps, 0)
        self.history = least_history(plan, int(ends.max()))
        self.targets = len(series.like.columns.targets)
        self._first = np.minimum(self.history, self.ends)
        is_long = self.ends >= self.history + plan.horizon
        self._steps = np.where(is_long, np.maximum(self.ends - plan.horizon + 1 - self._first, 0), 0)
        self._before = total_before(self._steps * self.targets)
        is_listed = not series.is_whole and self._before[-1] <= _LISTED
        self._listed = self._seen() if is_listed else None
        self.total = int(self._before[-1]) if self._listed is None else len(self._listed)

    def __len__(self) -> int:
        return min(self.total, self.plan.max_windows)

    def _seen(self) -> np.ndarray:
        """Every origin with an observed value ahead, shape (origins, 3)."""
        kept = [np.zeros((0, 3), dtype=np.int64)]
        for number in np.flatnonzero(self._steps):
            first, count = int(self._first[number]), int(self._steps[number])
            index = all_origins(int(number), np.arange(first, first + count), self.targets)
            kept.append(
                seen_ahead(self.series.observed(int(number), 0, int(self.ends[number])), index, self.plan.horizon)
            )
        return np.concatenate(kept)

    def at(self, places: np.ndarray) -> np.ndarray:
        """The series, target and step of the origins at these places, shape (places, 3)."""
        if len(self) < self.total:
            # As `numpy.linspace(0, total - 1, count)` has them.
            spread = places * ((self.total - 1) / max(len(self) - 1, 1))
            is_last = (places == len(self) - 1) & (len(self) > 1)
            places = np.where(is_last, self.total - 1, spread).astype(np.int64)
        if self._listed is not None:
            listed: np.ndarray = self._listed[places]
            return listed
        number, place = within(self._before, places)
        target, step = np.divmod(place, self._steps[number])
        return np.stack([number, target, self._first[number] + step], axis=1)

    def __getitem__(self, index: np.ndarray) -> Any:
        """The origins at these places, in a table of their series in memory."""
        return self.split_at(index).inputs

    def split_at(self, index: np.ndarray) -> OriginSplit:
        """The origins at these places, with what they need of their series in memory."""
        chosen = self.at(index)
        numbers, place = np.unique(chosen[:, 0], return_inverse=True)
        low, high = np.full(len(numbers), np.iinfo(np.int64).max), np.zeros(len(numbers), dtype=np.int64)
        np.minimum.at(low, place, np.maximum(chosen[:, 2] - self.plan.window, 0))
        np.maximum.at(high, place, chosen[:, 2] + self.plan.horizon)
        table = self.series.panel(list(zip(numbers, low, high, strict=True)))
        moved = np.stack([place, chosen[:, 1], chosen[:, 2] - low[place]], axis=1)
        scale = np.full((len(numbers), self.targets), np.nan)
        return OriginSplit(Origins(table, moved, self.plan.horizon, self.plan.season, scale))

    def identities(self) -> list[Hashable]:
        """Not asked for: the parts were split by time."""
        raise TypeError("the origins of a store are parted already")

    def columns(self) -> dict[str, pl.Series | list[Any]]:
        """Those of all of them, in memory."""
        columns: dict[str, pl.Series | list[Any]] = self[np.arange(len(self))].columns()
        return columns

    def notes(self) -> tuple[str, ...]:
        """What was found in the table and how it was handled."""
        return self.series.like.notes


class StoredOriginExamples(PackedExamples):
    """Windows of series on disk, as a network sees them; the numbers are those of `OriginExamples`.

    Args:
        split: The origins.
        origins: The same.
        features: How columns become inputs.
        learnt: The table whose series the features have spreads of.
    """

    def __init__(self, split: Split, origins: StoredOrigins, features: Features, learnt: Panel) -> None:
        super().__init__(split)
        self._origins, self._series, self._features = origins, origins.series, features
        self._reader = WindowReader(origins.plan, features, origins.targets)
        self._learnt = learnt

    @property
    def bytes_of_one(self) -> int:
        """About how many bytes a window takes in memory."""
        return (
            8
            * (self._origins.plan.window + self._origins.plan.horizon)
            * (self._series.store.arrays["steps"].width + 8)
        )

    def lengths_at(self, index: np.ndarray) -> np.ndarray:
        """The steps of windows, int64."""
        return np.full(len(index), self._origins.plan.window, dtype=np.int64)

    @cached_property
    def spread(self) -> np.ndarray:
        """The spread of each series: as it was learnt, or that of its own training part, shape (series, targets)."""
        learnt = {series.id: row for series, row in zip(self._learnt.series, self._features.spread, strict=True)}
        origins, series = self._origins, self._series
        ids = series.ids
        spreads = np.array([learnt.get(name, np.zeros(origins.targets)) for name in ids])
        others = np.flatnonzero([name not in learnt for name in ids])
        firsts, ends = np.minimum(series.sample.first(series.lengths), origins.ends)[others], origins.ends[others]
        for alike in equal_runs(ends - firsts, _TOGETHER):
            spreads[others[alike]] = self._spreads(others[alike], firsts[alike], ends[alike])
        mean = self._features.spread.mean(axis=0)
        return np.where(spreads > 0, spreads, mean)

    def _spreads(self, numbers: np.ndarray, firsts: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """The spread of series between two of their steps, as many of each, shape (series, targets)."""
        steps = int(ends[0] - firsts[0])
        if not steps:
            return np.zeros((len(numbers), self._origins.targets))
        rows = self._series.store.arrays["steps"].spans(self._series.series[numbers, 0] + firsts, ends - firsts)
        values = rows[:, : self._origins.targets].reshape(len(numbers), steps, self._origins.targets)
        spreads: np.ndarray = self._on_scale(values).std(axis=1)
        return spreads

    def _on_scale(self, values: np.ndarray) -> np.ndarray:
        return self._features.log.to(values) if self._features.log else values

    @cached_property
    def _room(self) -> int:
        """The columns of a window's inputs before the calendar: the target's, those known up to now and ahead."""
        return 2 + self._series.store.arrays["steps"].width - self._origins.targets

    @cached_property
    def _calendar(self) -> tuple[int, np.ndarray] | None:
        """The first position of all and the calendar from there on, after room for columns; None of a long time."""
        plan, series = self._origins.plan, self._series.series
        first = int(series[:, 1].min()) - plan.window
        last = int((series[:, 1] + series[:, 2]).max()) + plan.horizon
        if last - first > _MOMENTS:
            return None
        return first, _with_room(moments(self._series.like, np.arange(first, last), plan), self._room)

    def _moments(self, first: np.ndarray, steps: int, room: int) -> np.ndarray:
        """The calendar of so many steps from each position on, after room for columns: (batch, steps, columns)."""
        if self._calendar is not None:
            start, calendar = self._calendar
            kept: np.ndarray = stretches(calendar[:, self._room - room :], steps)[first - start]
            return kept
        positions = first[:, None] + np.arange(steps)
        distinct, place = np.unique(positions, return_inverse=True)
        computed = moments(self._series.like, distinct, self._origins.plan)[place.reshape(positions.shape)]
        return _with_room(computed, room)

    def _read(self, number: np.ndarray, step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What stands on the disk of windows and of the steps after them, and which targets were observed.

        Returns:
            Shapes (batch, window + horizon, numbers of a step) and (batch, window + horizon, targets).
        """
        plan, series = self._origins.plan, self._series
        low = np.maximum(step - plan.window, 0)
        spans = series.series[number, 0] + low, step + plan.horizon - low
        steps = plan.window + plan.horizon
        rows = series.store.arrays["steps"].spans(*spans)
        observed = None if series.is_whole else series.store.arrays["observed"].spans(*spans).astype(bool)
        if len(rows) == len(step) * steps:
            rows = rows.reshape(len(step), steps, -1)
            shape = (*rows.shape[:2], self._origins.targets)
            return rows, np.ones(shape, bool) if observed is None else observed.reshape(shape)
        # The first step stands for those before it, which were not observed.
        offsets = step[:, None] + np.arange(-plan.window, plan.horizon)
        place = (np.cumsum(spans[1]) - spans[1] - low)[:, None] + np.maximum(offsets, 0)
        is_there = np.repeat((offsets >= 0)[..., None], self._origins.targets, axis=2)
        return rows[place], is_there if observed is None else is_there & observed[place]

    def batch_at(self, index: np.ndarray) -> OriginBatch:
        """The windows at these positions, read now."""
        plan, features, series = self._origins.plan, self._features, self._series
        number, target, step = self._origins.at(index).T
        rows, observed = self._read(number, step)
        past, known = series.widths
        values, observed = (_of_target(each[..., :past], target) for each in (rows, observed))
        position = series.series[number, 1] + step
        of_known = features.known.apply(rows[..., known:])
        first, columns = 2 + known - past, of_known.shape[-1]
        inputs = self._moments(position - plan.window, plan.window, self._room)
        inputs[..., 2:first] = features.past.apply(rows[:, : plan.window, past:known])
        inputs[..., first : self._room] = of_known[:, : plan.window]
        ahead = self._moments(position, plan.horizon, columns)
        ahead[..., :columns] = of_known[:, plan.window :]
        static = features.static.apply(series.static(number))
        spread = self.spread[number, target]
        read = WindowRows(self._on_scale(values), observed, inputs, ahead, static, spread, target)
        return batch_of(read, self._reader)


def _with_room(features: np.ndarray, room: int) -> np.ndarray:
    """Features with so many columns of ones before them."""
    return np.concatenate([np.ones((*features.shape[:-1], room), dtype=np.float32), features], axis=-1)


def _of_target(values: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The values of each window's target, shape (batch, steps)."""
    if values.shape[-1] == 1:
        return values[..., 0]
    return np.take_along_axis(values, target[:, None, None], axis=-1)[..., 0]
