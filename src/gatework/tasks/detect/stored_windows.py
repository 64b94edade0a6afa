"""Windows of rows on disk: which there are is computed, and they are read batch by batch."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from gatework.data.store.examples import PackedExamples
from gatework.data.store.timelines import total_before, within
from gatework.tasks.detect.clock import clock_of, clock_table, gap_feature
from gatework.tasks.detect.data import MOST_WINDOWS, Scales, WindowBatch, Windows, WindowSplit
from gatework.tasks.detect.online_scorer import FARTHEST

if TYPE_CHECKING:
    import polars as pl

    from gatework.data.dataset import Split
    from gatework.tasks.detect.stored import StoredRows


class StoredWindows:
    """The windows of a training part: those of all series up to their validation part.

    They begin as far apart as those of a table in memory, but no further than one is long: every row is learnt from.

    Args:
        rows: The rows.
        ends: Where the training part of each series ends.
        context: Rows of a window.
        scorer: "forecast", "reconstruction" or "label".
    """

    kind: ClassVar[str] = "windows"

    def __init__(self, rows: StoredRows, ends: np.ndarray, context: int, scorer: str) -> None:
        self.rows, self.ends, self.context, self.scorer = rows, ends, context, scorer
        self.stride = max(1, context // 32, min(-(-int(ends.sum()) // MOST_WINDOWS), context))
        self._last = np.maximum(ends - context, 0)
        is_there = ends >= (context if scorer == "reconstruction" else 1)
        counts = -(-self._last // self.stride) + 1
        self._before = total_before(np.where(is_there, counts, 0))
        self.steps = int(min(context, ends.max()))

    def __len__(self) -> int:
        return int(self._before[-1])

    def at(self, places: np.ndarray) -> np.ndarray:
        """The series, the first row, and the row after the last of the windows at these places, shape (places, 3)."""
        number, place = within(self._before, places)
        start = np.minimum(place * self.stride, self._last[number])
        return np.stack([number, start, np.minimum(start + self.context, self.ends[number])], axis=1)

    def __getitem__(self, index: np.ndarray) -> Any:
        """The windows at these places, with their series in memory."""
        return self.split_at(index).inputs

    def split_at(self, index: np.ndarray) -> WindowSplit:
        """The windows at these places, with their series in memory as far as they reach; their targets are not read."""
        chosen = self.at(index)
        numbers, place = np.unique(chosen[:, 0], return_inverse=True)
        low, high = np.full(len(numbers), np.iinfo(np.int64).max), np.zeros(len(numbers), dtype=np.int64)
        np.minimum.at(low, place, np.maximum(chosen[:, 1] - self.context, 0))
        np.maximum.at(high, place, chosen[:, 2])
        table = self.rows.table(list(zip(numbers, low, high, strict=True)))
        first, end = chosen[:, 1] - low[place], chosen[:, 2] - low[place]
        outputs = 1 if self.scorer == "label" else len(self.rows.columns.targets)
        targets = np.full((len(index), self.steps * outputs), np.nan, dtype=np.float32)
        return WindowSplit(Windows(table, np.stack([place, first, end, first], axis=1)), targets)

    def identities(self) -> list[Hashable]:
        """Not asked for: the parts were split by time."""
        raise TypeError("the windows of a store are parted already")

    def columns(self) -> dict[str, pl.Series | list[Any]]:
        """Those of all of them, in memory."""
        columns: dict[str, pl.Series | list[Any]] = self[np.arange(len(self))].columns()
        return columns

    def notes(self) -> tuple[str, ...]:
        """What was found in the table and how it was handled."""
        return tuple(self.rows.store.about["notes"])


class StoredWindowExamples(PackedExamples):
    """Windows on disk as a network sees them; the numbers are those of `WindowExamples`.

    Args:
        split: The windows.
        windows: The same.
        scales: How series are standardised.
        periods: Of the clock, in seconds.
    """

    def __init__(self, split: Split, windows: StoredWindows, scales: Scales, periods: Sequence[int]) -> None:
        super().__init__(split)
        self._windows, self._scales, self._periods = windows, scales, periods

    @property
    def bytes_of_one(self) -> int:
        """About how many bytes a window takes in memory."""
        return 16 * self._windows.steps * (self._windows.rows.store.arrays["rows"].width + 2 * len(self._periods) + 1)

    def lengths_at(self, index: np.ndarray) -> np.ndarray:
        """The rows of windows, int64: shorter ones end in rows that do not count."""
        return np.full(len(index), self._windows.steps, dtype=np.int64)

    @cached_property
    def _measures(self) -> tuple[np.ndarray, np.ndarray]:
        """The mean and the deviation of each series, shape (series, variables)."""
        scales = [self._scales.of(", ".join(each)) for each in self._windows.rows.ids]
        return np.array([scale.mean for scale in scales]), np.array([scale.std for scale in scales])

    @cached_property
    def _clock(self) -> np.ndarray:
        return clock_table(self._periods)

    def batch_at(self, index: np.ndarray) -> WindowBatch:
        """The windows at these positions, read now."""
        import torch

        windows, variables = self._windows, len(self._windows.rows.columns.targets)
        number, start, stop = windows.at(index).T
        read, filled = self._read(number, start, stop)
        mean, std = (each[number, None] for each in self._measures)
        scaled = read[..., 1 : 1 + variables] - mean
        scaled /= std
        scaled = scaled.astype(np.float32)
        filled = scaled if filled is None else np.nan_to_num((filled - mean) / std, nan=0.0)
        is_forecast, is_first = windows.scorer == "forecast", start == 0
        values = self._inputs(filled[:, :-1] if is_forecast else filled[:, 1:], read[..., 0].view(np.int64), is_first)
        wanted = (read[:, 1:, 1 + variables :] if windows.scorer == "label" else scaled[:, 1:]).astype(np.float32)
        if is_forecast:
            values[is_first, 0, :variables], wanted[is_first, 0] = 0, np.nan
        for window in np.flatnonzero(stop - start < windows.steps):
            counts = stop[window] - start[window]
            values[window, counts:], wanted[window, counts:] = 0, np.nan
        wanted = wanted.reshape(len(index), -1)
        return WindowBatch(*map(torch.from_numpy, (values, self.lengths_at(index), wanted)))

    def _inputs(self, seen: np.ndarray, stamps: np.ndarray, is_first: np.ndarray) -> np.ndarray:
        """Values without gaps, the clock and, for a scorer by labels, the time since the row before: see `inputs()`.

        Args:
            seen: Shape (batch, steps, variables).
            stamps: Those of the row before each window and of its rows, shape (batch, 1 + steps).
            is_first: Whether a window's first row is that of its series, shape (batch,).
        """
        variables, clocks, is_label = seen.shape[-1], 2 * len(self._periods), self._windows.scorer == "label"
        # The clock's columns are copied as one item of so many bytes: joining them number by number takes longer.
        clock = np.dtype((np.void, 4 * clocks))
        kind = [("seen", np.float32, (variables,)), ("clock", clock), ("gap", np.float32, (int(is_label),))]
        values = np.empty(seen.shape[:-1], kind)
        np.clip(seen, -FARTHEST, FARTHEST, out=values["seen"])
        if clocks:
            of_rows = np.ascontiguousarray(stamps[:, 1:]).reshape(-1)
            values["clock"] = clock_of(of_rows, self._clock, self._periods).view(clock).reshape(values.shape)
        if is_label:
            values["gap"][..., 0] = gap_feature(np.diff(stamps))
            values["gap"][is_first, 0] = 0
        return values.view(np.float32).reshape(*values.shape, -1)

    def _read(self, number: np.ndarray, start: np.ndarray, stop: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """What stands on the disk of windows and of the row before each, and the values without gaps, where it has any.

        Before the first row of a series stands any other; after the last one of a window it stands again.

        Returns:
            Shapes (batch, 1 + steps, numbers of a row) and (batch, 1 + steps, variables).
        """
        rows, steps = self._windows.rows, self._windows.steps
        arrays = [rows.store.arrays[name] for name in ("rows", "filled") if name in rows.store.arrays]
        first = rows.offsets[number]
        low = np.where(first + start > 0, start - 1, 0)
        count = stop - low
        read = [array.spans(first + low, count) for array in arrays]
        if count.min() == 1 + steps:
            read = [each.reshape(len(number), 1 + steps, -1) for each in read]
        else:
            row = np.clip(start[:, None] + np.arange(-1, steps), low[:, None], stop[:, None] - 1)
            read = [each[(np.cumsum(count) - count - low)[:, None] + row] for each in read]
        return read[0], read[1] if len(read) > 1 else None
