"""Series laid end to end, so that any batch of windows is one gather; and what a window's values are measured by."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gatework._stored import Stored
from gatework.data.dataset import Batch, Split
from gatework.data.panel import Panel
from gatework.data.series import LARGEST_LEVEL, Scale
from gatework.data.stretches import stretches
from gatework.errors import UsageError
from gatework.tasks.forecast.effects import Effects
from gatework.tasks.forecast.linear import LEAST_SPREAD, Linear
from gatework.tasks.forecast.measures import Logarithm, spreads
from gatework.tasks.forecast.moments import moments
from gatework.tasks.forecast.options import ForecastOptions
from gatework.tasks.forecast.windows import Origins, OriginSplit, on_scale

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class OriginBatch(Batch):
    """Windows as the network sees them.

    Attributes:
        inputs: Each step of the window: the value, less the effects of what is known ahead, measured from the window's
            level by its scale; whether it was observed; then the past, known and calendar features. Shape (batch,
            window, features), float32.
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
        effects: By the spread of a series, what a unit of each of `WindowRows.ahead` adds to it, shape (ahead,
            targets); the network reads, and forecasts, the rest. None where nothing does.
    """

    known: Scale
    past: Scale
    static: Scale
    spread: np.ndarray
    log: Logarithm | None = None
    linear: Linear | None = None
    effects: np.ndarray | None = None

    @classmethod
    def fit(cls, table: Panel, ends: np.ndarray, plan: ForecastOptions, learnt: Origins) -> Features:
        """The training parts' statistics.

        Args:
            table: The series.
            ends: Where each one's training part ends, in steps, shape (series,).
            plan: The window, the horizon and all else that was decided.
            learnt: The origins that are learnt from.
        """
        log = Logarithm.fit(table, ends) if plan.log_scale else None
        effects, linear = Effects.on_scale(table, ends, plan, log), None
        series = [(s, e) for s, e in zip(table.series, ends, strict=True) if e > 0]
        known = np.concatenate([s.known[:e] for s, e in series])
        past = np.concatenate([s.past[:e] for s, e in series])
        static = np.stack([s.static for s, _ in series])
        if plan.skip == "linear":
            train = on_scale(learnt, log)
            rest = effects.without(train) if effects else train
            linear = Linear.fit(rest, plan.window, spreads(train.table, ends))
        features = cls(
            _fit(known), _fit(past), _fit(static), spreads(log.table(table) if log else table, ends), log, linear
        )
        if effects is None:
            return features
        by_input = effects.by_input(features.known, moments(table, np.zeros(1, np.int64), plan).shape[1])
        return dataclasses.replace(features, effects=by_input)


def _fit(values: np.ndarray) -> Scale:
    return Scale.fit(values) if values.shape[-1] else Scale((), ())


class WindowStore:
    """Every series of a table, end to end, with room for a window before and a horizon after each.

    Args:
        table: The series.
        features: How columns become inputs.
        plan: The window, the horizon and all else that was decided.
        learnt: The table whose series the features have spreads of.

    Attributes:
        base: The place of each series' first step, shape (series,).
        values: The targets of a window and a horizon from each place on, shape (targets, places, window + horizon).
        observed: Which of these were observed, same shape.
        inputs: The `WindowRows.inputs` of a window from each place on, shape (places, window, features).
        ahead: The `WindowRows.ahead` of a horizon from each place on, shape (places, horizon, ahead).
        static: What never changes, scaled, shape (series, static).
        spread: The spread of each series, shape (series, targets).
    """

    def __init__(self, table: Panel, features: Features, plan: ForecastOptions, learnt: Panel) -> None:
        table = features.log.table(table) if features.log else table
        self.plan = plan
        self.reader = WindowReader(plan, features, len(table.columns.targets))
        self.base = np.zeros(len(table.series), dtype=np.int64)
        values, observed, features_of_steps = [], [], []
        place = 0
        for number, series in enumerate(table.series):
            before, after, steps = plan.window, plan.horizon, len(series)
            self.base[number] = place + before
            place += before + steps + after
            values.append(np.pad(series.values, ((before, after), (0, 0)), mode="edge"))
            observed.append(np.pad(series.observed, ((before, after), (0, 0))))
            past = np.pad(features.past.apply(series.past), ((before, after), (0, 0)), mode="edge")
            known = _to_length(features.known.apply(series.known), before, steps + after)
            positions = series.start + np.arange(-before, steps + after)
            room = np.ones((len(known), 2), dtype=np.float32)
            features_of_steps.append(np.concatenate([room, past, known, moments(table, positions, plan)], axis=1))
        every, window, horizon = np.concatenate(features_of_steps), plan.window, plan.horizon
        self.values = stretches(np.concatenate(values).T.copy(), window + horizon, axis=1)
        self.observed = stretches(np.concatenate(observed).T.copy(), window + horizon, axis=1)
        self.inputs = stretches(every, window)
        self.ahead = stretches(every[:, 2 + len(features.past.mean) :], horizon)
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
        start = origin - plan.window
        rows = WindowRows(
            panel.values[target, start],
            panel.observed[target, start],
            panel.inputs[start],
            panel.ahead[origin],
            panel.static[number],
            panel.spread[number, target],
            target,
        )
        return batch_of(rows, panel.reader)


class WindowRows(NamedTuple):
    """What tables hold of some windows and of the steps after them.

    Attributes:
        values: The target in the window, filled, and after it, shape (batch, window + horizon), float64.
        observed: Which of these values were observed, same shape.
        inputs: Two columns of room for the target, of ones, then the columns known up to now and those known ahead,
            scaled, and the calendar, in the window, shape (batch, window, features), float32.
        ahead: The columns known ahead, scaled, and the calendar, after it, shape (batch, horizon, ahead), float32.
        static: What never changes, scaled, shape (batch, static), float32.
        spread: The spread of each one's series, shape (batch,).
        target: The number of each one's target, shape (batch,).
    """

    values: np.ndarray
    observed: np.ndarray
    inputs: np.ndarray
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
    """Windows as the network sees them; the room in the rows' inputs is filled."""
    import torch

    plan, features = reader.plan, reader.features
    history, seen = rows.values[:, : plan.window], rows.observed[:, : plan.window]
    added_ahead = np.zeros((1, 1))
    if features.effects is not None:
        added, added_ahead = added_by_effects(rows.inputs, rows.ahead, rows.target, rows.spread, features)
        history = history - added
    level, scale = measure(history, seen, plan, rows.spread)
    measured, is_whole = (history - level[:, None]) / scale[:, None], bool(seen.all())
    if features.linear is not None and _is_measured_alike(plan, features.linear) and is_whole:
        simply = features.linear.unmeasured(measured, level[:, None], scale[:, None])
    else:
        simply = simple(history, plan, features.linear, rows.spread)
    skip = (simply + added_ahead - level[:, None]) / scale[:, None]
    # Logarithms are answered as what they are of, and their levels are small.
    is_centred = features.log is None
    centre = np.where(is_centred & (np.abs(level) > LARGEST_LEVEL * scale), level, 0.0)
    inputs = rows.inputs
    inputs[..., 0] = measured
    if not is_whole:
        inputs[..., 1] = seen
    static = [rows.static]
    if reader.targets > 1:
        static.append(np.eye(reader.targets)[rows.target])
    known = inputs[..., 2 + len(features.past.mean) :][..., : len(features.known.mean)]
    differences = _differences(known, rows.ahead, plan)
    arrays = {
        "inputs": inputs,
        "targets": rows.values[:, plan.window :] - centre[:, None],
        "seen": rows.observed[:, plan.window :],
        "ahead": np.concatenate([rows.ahead, differences], axis=-1) if differences.shape[-1] else rows.ahead,
        "static": np.concatenate(static, axis=1),
        "level": level - centre,
        "scale": scale,
        "skip": skip,
    }
    tensors = {name: torch.from_numpy(np.ascontiguousarray(a, dtype=np.float32)) for name, a in arrays.items()}
    lengths = torch.full((len(history),), plan.window, dtype=torch.int64)
    return OriginBatch(lengths=lengths, centre=torch.from_numpy(centre), **tensors)


def added_by_effects(
    inputs: np.ndarray, ahead: np.ndarray, target: np.ndarray, spread: np.ndarray, features: Features
) -> tuple[np.ndarray, np.ndarray]:
    """What is known ahead adds to some windows, shape (batch, window), and to the steps after them, (batch, horizon).

    Args:
        inputs: `WindowRows.inputs` of the windows.
        ahead: Their `WindowRows.ahead`.
        target: The number of each one's target, shape (batch,).
        spread: The spread of each one's series, shape (batch,).
        features: Holds the effects.
    """
    assert features.effects is not None
    weights = features.effects[:, target] * spread
    known = inputs[..., 2 + len(features.past.mean) :]
    return np.einsum("bta,ab->bt", known, weights), np.einsum("bta,ab->bt", ahead[..., : len(weights)], weights)


def _is_measured_alike(plan: ForecastOptions, linear: Linear) -> bool:
    """Whether the network and the regression read the same numbers of a window that was observed as a whole."""
    return plan.skip != "mean" and plan.scaling == "window" and len(linear.weights) == plan.window


def _differences(known: np.ndarray, ahead: np.ndarray, plan: ForecastOptions) -> np.ndarray:
    """By how much each known column differs from its own simple forecast, shape (batch, horizon, known)."""
    count, window, columns = known.shape
    differences = np.zeros((count, plan.horizon, columns), dtype=np.float32)
    everything = np.ones((count, window), dtype=bool)
    for k in range(columns):
        history = known[..., k].astype(np.float64)
        _, scale = measure(history, everything, plan, np.ones(count))
        differences[..., k] = (ahead[..., k] - simple(history, plan)) / scale[:, None]
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
    if plan.skip != "mean" and plan.scaling == "series":
        return history[:, -1], spread
    is_whole = bool(seen.all())
    count = history.shape[1] if is_whole else np.maximum(seen.sum(axis=1), 1)
    mean = (history if is_whole else np.where(seen, history, 0)).sum(axis=1) / count
    level = mean if plan.skip == "mean" else history[:, -1]
    if plan.scaling == "series":
        return level, spread
    squares = (history - mean[:, None]) ** 2
    deviation = np.sqrt((squares if is_whole else np.where(seen, squares, 0)).sum(axis=1) / count)
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
