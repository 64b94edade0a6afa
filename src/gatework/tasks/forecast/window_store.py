"""Series laid end to end, so that any batch of windows is one gather; and what a window's values are measured by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gatework._stored import Stored
from gatework.data.dataset import Batch, Split
from gatework.data.panel import Panel
from gatework.data.series import LARGEST_LEVEL, Scale
from gatework.errors import UsageError
from gatework.tasks.forecast.linear import LEAST_SPREAD, Linear
from gatework.tasks.forecast.measures import Logarithm, spreads
from gatework.tasks.forecast.moments import moments
from gatework.tasks.forecast.options import ForecastOptions
from gatework.tasks.forecast.windows import OriginSplit

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class OriginBatch(Batch):
    """Windows as the network sees them.

    Attributes:
        inputs: Each step of the window: the value, measured from the window's level by its scale; whether it was
            observed; then the past, known and calendar features. Shape (batch, window, features), float32.
        targets: The actual values in their own unit, shape (batch, horizon), float32.
        seen: Which of the targets were observed, shape (batch, horizon), float32.
        ahead: Known and calendar features of the steps to forecast, and by how much each known one differs from its own
            simple forecast in its window's measure, shape (batch, horizon, ahead), float32.
        static: What never changes, shape (batch, static), float32.
        level: What the window is measured from, own unit, shape (batch,), float32.
        scale: What it is measured by, own unit, shape (batch,), float32.
        skip: The simple forecast that the network adds to, measured likewise, shape (batch, horizon), float32.
        centre: What was taken off the level and the targets, and comes back onto answers, as a level of 1e9 would hide
            its changes from float32; 0 for ordinary levels. Own unit, shape (batch,), float64.
    """

    seen: Tensor
    ahead: Tensor
    static: Tensor
    level: Tensor
    scale: Tensor
    skip: Tensor
    centre: Tensor

    def tensors(self) -> dict[str, Tensor | None]:
        """What a network's `forward()` takes, by name."""
        names = ("inputs", "ahead", "static", "level", "scale", "skip")
        return {name: getattr(self, name) for name in names}


def origin_batch(batch: Batch) -> OriginBatch:
    """A batch of windows.

    Raises:
        UsageError: It is one of something else.
    """
    if not isinstance(batch, OriginBatch):
        raise UsageError("forecasting reads batches of windows, as its encode() makes them")
    return batch


@dataclass(frozen=True)
class Features(Stored):
    """How features become inputs, learnt from the training part.

    Attributes:
        known: The scale of the columns known ahead.
        past: The scale of the columns known up to now.
        static: The scale of the columns that never change.
        spread: The standard deviation of each series' training part, shape (series, targets).
        log: The logarithmic scale that the targets are learnt on, where the plan asks for one.
        linear: The regression that the network adds to, where the plan asks for one.
    """

    known: Scale
    past: Scale
    static: Scale
    spread: np.ndarray
    log: Logarithm | None = None
    linear: Linear | None = None

    @classmethod
    def fit(cls, table: Panel, ends: np.ndarray, log: Logarithm | None, linear: Linear | None) -> Features:
        """The training parts' statistics.

        Args:
            table: The series.
            ends: Where each one's training part ends, in steps, shape (series,).
            log: The scale that the targets are learnt on.
            linear: The regression that the network adds to.
        """
        series = [(s, e) for s, e in zip(table.series, ends, strict=True) if e > 0]
        known = np.concatenate([s.known[:e] for s, e in series])
        past = np.concatenate([s.past[:e] for s, e in series])
        spread = spreads(log.table(table) if log else table, ends)
        static = np.stack([s.static for s, _ in series])
        return cls(_fit(known), _fit(past), _fit(static), spread, log, linear)


def _fit(values: np.ndarray) -> Scale:
    return Scale.fit(values) if values.shape[-1] else Scale((), ())


class WindowStore:
    """Every series of a table, end to end, with room for a window before and a horizon after each.

    Args:
        table: The series.
        features: How columns become inputs.
        plan: The window, the horizon and all else that was decided.
        learnt: The table whose series the features have spreads of.
    """

    def __init__(self, table: Panel, features: Features, plan: ForecastOptions, learnt: Panel) -> None:
        table = features.log.table(table) if features.log else table
        self.plan = plan
        self.reader = WindowReader(plan, features, len(table.columns.targets))
        self.base = np.zeros(len(table.series), dtype=np.int64)
        values, observed, past, ahead = [], [], [], []
        place = 0
        for number, series in enumerate(table.series):
            before, after, steps = plan.window, plan.horizon, len(series)
            self.base[number] = place + before
            place += before + steps + after
            values.append(np.pad(series.values, ((before, after), (0, 0)), mode="edge"))
            observed.append(np.pad(series.observed, ((before, after), (0, 0))))
            past.append(np.pad(features.past.apply(series.past), ((before, after), (0, 0)), mode="edge"))
            known = _to_length(features.known.apply(series.known), before, steps + after)
            positions = series.start + np.arange(-before, steps + after)
            ahead.append(np.concatenate([known, moments(table, positions, plan)], axis=1))
        self.values, self.observed = np.concatenate(values), np.concatenate(observed)
        self.past, self.ahead = np.concatenate(past), np.concatenate(ahead)
        statics = features.static.apply(np.stack([s.static for s in table.series]))
        self.static = statics.reshape(len(table.series), -1)
        self.spread = _spreads(table, features.spread, learnt)


def _spreads(table: Panel, spread: np.ndarray, learnt: Panel) -> np.ndarray:
    """The spread of each series as it was learnt, or of its own values where it is new, shape (series, targets)."""
    numbers = {series.id: number for number, series in enumerate(learnt.series)}
    of_table = spreads(table, np.array([len(series) for series in table.series]))
    for number, series in enumerate(table.series):
        if series.id in numbers:
            of_table[number] = spread[numbers[series.id]]
    return of_table


def _to_length(known: np.ndarray, before: int, steps: int) -> np.ndarray:
    known = np.pad(known[:steps], ((before, max(0, steps - len(known))), (0, 0)), mode="edge")
    return known.astype(np.float32)


class OriginExamples:
    """Origins, encoded.

    Attributes:
        split: The origins before encoding.
        lengths: The window's steps, for each origin.
    """

    def __init__(self, panel: WindowStore, split: OriginSplit) -> None:
        origins = split.inputs
        self.split: Split = split
        self._panel, self._index = panel, origins.index
        self.lengths = np.full(len(origins), panel.plan.window, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._index)

    @property
    def spread(self) -> np.ndarray:
        """The spread of each one's series, on the scale that is learnt on, shape (origins,)."""
        number, target, _ = self._index.T
        spread: np.ndarray = self._panel.spread[number, target]
        return spread

    def batch(self, index: np.ndarray) -> OriginBatch:
        """The windows at these positions."""
        panel, plan = self._panel, self._panel.plan
        number, target, step = self._index[index].T
        origin = panel.base[number] + step
        back = origin[:, None] + np.arange(-plan.window, 0)
        forth = origin[:, None] + np.arange(plan.horizon)
        rows = WindowRows(
            panel.values[back, target[:, None]],
            panel.observed[back, target[:, None]],
            panel.values[forth, target[:, None]],
            panel.observed[forth, target[:, None]],
            panel.past[back],
            panel.ahead[back],
            panel.ahead[forth],
            panel.static[number],
            panel.spread[number, target],
            target,
        )
        return batch_of(rows, panel.reader)


class WindowRows(NamedTuple):
    """What tables hold of some windows and of the steps after them.

    Attributes:
        history: The target in the window, filled, shape (batch, window), float64.
        seen: Which of these values were observed, same shape.
        future: The target after it, shape (batch, horizon), float64.
        is_known: Which of those were observed, same shape.
        past: The columns known up to now, scaled, shape (batch, window, past), float32.
        before: The columns known ahead, scaled, and the calendar, in the window, shape (batch, window, ahead), float32.
        ahead: The same after it, shape (batch, horizon, ahead), float32.
        static: What never changes, scaled, shape (batch, static), float32.
        spread: The spread of each one's series, shape (batch,).
        target: The number of each one's target, shape (batch,).
    """

    history: np.ndarray
    seen: np.ndarray
    future: np.ndarray
    is_known: np.ndarray
    past: np.ndarray
    before: np.ndarray
    ahead: np.ndarray
    static: np.ndarray
    spread: np.ndarray
    target: np.ndarray


class WindowReader(NamedTuple):
    """How windows become a batch.

    Attributes:
        plan: The window, the horizon and all else that was decided.
        features: How columns become inputs.
        targets: How many targets there are.
    """

    plan: ForecastOptions
    features: Features
    targets: int


def batch_of(rows: WindowRows, reader: WindowReader) -> OriginBatch:
    """Windows as the network sees them."""
    import torch

    plan, features, history = reader.plan, reader.features, rows.history
    level, scale = measure(history, rows.seen, plan, rows.spread)
    skip = (simple(history, plan, features.linear, rows.spread) - level[:, None]) / scale[:, None]
    # Logarithms are answered as what they are of, and their levels are small.
    is_centred = features.log is None
    centre = np.where(is_centred & (np.abs(level) > LARGEST_LEVEL * scale), level, 0.0)
    inputs = np.empty((*history.shape, 2 + rows.past.shape[-1] + rows.before.shape[-1]), dtype=np.float32)
    inputs[..., 0] = (history - level[:, None]) / scale[:, None]
    inputs[..., 1] = rows.seen
    inputs[..., 2:] = np.concatenate([rows.past, rows.before], axis=-1) if rows.past.shape[-1] else rows.before
    static = [rows.static]
    if reader.targets > 1:
        static.append(np.eye(reader.targets)[rows.target])
    differences = _differences(rows, plan, len(features.known.mean))
    arrays = {
        "inputs": inputs,
        "targets": rows.future - centre[:, None],
        "seen": rows.is_known,
        "ahead": np.concatenate([rows.ahead, differences], axis=-1) if differences.shape[-1] else rows.ahead,
        "static": np.concatenate(static, axis=1),
        "level": level - centre,
        "scale": scale,
        "skip": skip,
    }
    tensors = {name: torch.from_numpy(np.ascontiguousarray(a, dtype=np.float32)) for name, a in arrays.items()}
    lengths = torch.full((len(history),), plan.window, dtype=torch.int64)
    return OriginBatch(lengths=lengths, centre=torch.from_numpy(centre), **tensors)


def _differences(rows: WindowRows, plan: ForecastOptions, known: int) -> np.ndarray:
    """By how much each known column differs from its own simple forecast, shape (batch, horizon, known)."""
    count = len(rows.before)
    differences = np.zeros((count, plan.horizon, known), dtype=np.float32)
    everything = np.ones(rows.before.shape[:2], dtype=bool)
    for k in range(known):
        history = rows.before[..., k].astype(np.float64)
        _, scale = measure(history, everything, plan, np.ones(count))
        differences[..., k] = (rows.ahead[..., k] - simple(history, plan)) / scale[:, None]
    return differences


def measure(
    history: np.ndarray, seen: np.ndarray, plan: ForecastOptions, spread: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The level and the scale of windows.

    Args:
        history: Shape (batch, window).
        seen: Which values were observed, same shape.
        plan: Says what the level is, and whether the window or its series gives the scale.
        spread: The standard deviation of each window's series in training, above 0, shape (batch,).

    Returns:
        Each of shape (batch,), float64; the scale is above 0.
    """
    count = np.maximum(seen.sum(axis=1), 1)
    mean = np.where(seen, history, 0).sum(axis=1) / count
    level = mean if plan.skip == "mean" else history[:, -1]
    if plan.scaling == "series":
        return level, spread
    deviation = np.sqrt(np.where(seen, (history - mean[:, None]) ** 2, 0).sum(axis=1) / count)
    return level, np.maximum(deviation, LEAST_SPREAD * spread)


def simple(
    history: np.ndarray, plan: ForecastOptions, linear: Linear | None = None, spread: np.ndarray | None = None
) -> np.ndarray:
    """The forecast that the network adds to, own unit.

    Args:
        history: Shape (batch, window).
        plan: Says which it is.
        linear: The regression, where that is the one.
        spread: The spread of each window's series, which the regression needs, shape (batch,).

    Returns:
        Shape (batch, horizon).
    """
    if linear is not None and spread is not None:
        return linear(history, spread)
    if plan.skip == "seasonal":
        return history[:, -plan.season :][:, np.arange(plan.horizon) % plan.season]
    level = history.mean(axis=1) if plan.skip == "mean" else history[:, -1]
    return np.repeat(level[:, None], plan.horizon, axis=1)
