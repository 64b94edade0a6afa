"""A table with a time column to training windows, split by time.

The first rows of every series are for training, the next for validation, the last for testing. Scales and the clock
are learnt from the training rows. A window of the later parts may begin with rows of the part before, as it would in
use, but these are not counted.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from gatework._stored import Stored
from gatework.data.dataset import Batch, Dataset, Provenance, Split
from gatework.data.events import EventRows, EventTable, read_events
from gatework.data.filling import forward_filled
from gatework.data.series import Scale
from gatework.data.sets import table_of
from gatework.errors import DataError, UsageError
from gatework.options import TimeOptions, column_names
from gatework.recipe import Recipe
from gatework.tasks.detect.clock import clock, since_last, usable_periods
from gatework.tasks.detect.online_scorer import inputs
from gatework.tasks.detect.options import DetectOptions
from gatework.tasks.detect.relations import Relations
from gatework.tasks.detect.value_rules import Extent

if TYPE_CHECKING:
    import polars as pl
    from torch import Tensor

MOST_WINDOWS = 20_000
"""Windows are as far apart as makes so many of them."""
_LEAST_ROWS = 20
_NOT_TAKEN = ("known", "past", "static", "frequency", "missing", "duplicates")


@dataclass(frozen=True)
class Windows:
    """Windows of series.

    Attributes:
        readings: The table.
        index: For each window its series, its first row, the row after its last, and the first row that counts, int64,
            shape (windows, 4).
    """

    readings: EventTable
    index: np.ndarray

    kind: ClassVar[str] = "windows"

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, chosen: np.ndarray) -> Windows:
        return Windows(self.readings, self.index[chosen])

    def identities(self) -> list[Hashable]:
        """Which rows each window has."""
        return [tuple(row) for row in self.index.tolist()]

    def columns(self) -> dict[str, pl.Series | list[Any]]:
        """The series, the first row and the row after the last."""
        names = [self.readings.series[k].name for k in self.index[:, 0]]
        return {"series": names, "start": self.index[:, 1].tolist(), "end": self.index[:, 2].tolist()}

    def notes(self) -> tuple[str, ...]:
        """What was found in the table and how it was handled."""
        return self.readings.notes

    @property
    def steps(self) -> int:
        """Rows of the longest window."""
        return int((self.index[:, 2] - self.index[:, 1]).max())


class WindowSplit(Split):
    """One part of the windows; its targets have the shape (windows, steps x outputs), NaN where nothing counts."""

    inputs: Windows

    @property
    def notes(self) -> tuple[str, ...]:
        """What was found in the table and how it was handled."""
        return self.inputs.notes()

    def take(self, index: np.ndarray) -> WindowSplit:
        """The windows at these positions, in this order."""
        return WindowSplit(self.inputs[index], self.targets[index])

    def table(self) -> pl.DataFrame:
        """The windows as rows of a table: the series, the first row and the row after the last."""
        import polars as pl

        names = [self.inputs.readings.series[k].name for k in self.inputs.index[:, 0]]
        return pl.DataFrame({"series": names, "first": self.inputs.index[:, 1], "end": self.inputs.index[:, 2]})


@dataclass(frozen=True)
class Scales(Stored):
    """How series are standardised.

    Attributes:
        by_name: The scale of each series' training rows.
        pooled: The scale of all training rows, for a series that was not there.
    """

    by_name: dict[str, Scale]
    pooled: Scale

    def of(self, name: str) -> Scale:
        """The scale of a series."""
        return self.by_name.get(name, self.pooled)


@dataclass(frozen=True)
class Extents(Stored):
    """What the training rows span.

    Attributes:
        by_name: Of each series.
        pooled: Of all of them, for a series that was not there.
    """

    by_name: dict[str, Extent]
    pooled: Extent

    @classmethod
    def fit(cls, training: Sequence[EventRows]) -> Extents:
        """Those of the training rows."""
        each = {rows.name: Extent.fit([rows.values]) for rows in training}
        return cls(each, Extent.fit([rows.values for rows in training]))

    def of(self, name: str) -> Extent:
        """The extent of a series."""
        return self.by_name.get(name, self.pooled)


@dataclass(frozen=True)
class DetectionDataset(Dataset):
    """A Dataset of windows.

    Attributes:
        readings: The table, row by row.
        ends: Where each series' training and validation rows end, int64, shape (series, 2).
        scales: How its series are standardised.
        extents: What the training rows span.
        relations: How their columns go together.
        periods: The periods of the clock, in seconds.
        config: The settings, with a context that fits the table.
    """

    readings: EventTable = field(kw_only=True)
    ends: np.ndarray = field(kw_only=True)
    scales: Scales = field(kw_only=True)
    extents: Extents = field(kw_only=True)
    relations: Relations = field(kw_only=True)
    periods: tuple[int, ...] = field(kw_only=True)
    config: DetectOptions = field(kw_only=True)

    @property
    def rows_learnt(self) -> int:
        """The rows of the training part."""
        return int(self.ends[:, 0].sum())

    @property
    def is_labelled(self) -> bool:
        """Whether the rows have labels to learn from."""
        return self.readings.series[0].labels is not None


def detection_dataset(source: Any, recipe: Recipe) -> DetectionDataset:
    """Reads and splits a table with a time column.

    Args:
        source: The name of a registered table, a path, a data frame, or a Table.
        recipe: Its sections `data` (the targets, separated by commas; a label where one is learnt from), `time` and
            `detect`.

    Raises:
        UsageError: A column is not named, or an option is given that a detector does not take.
        DataError: The table cannot be used.
    """
    refuse_filling(recipe)
    table = table_of(source, recipe.data)
    targets = column_names(recipe.data.target, table.frame.columns)
    readings = read_events(table, recipe.section(TimeOptions), targets, recipe.data.label)
    provenance = Provenance(table.where, table.licence, table.fingerprint, readings.notes)
    return split_by_time(readings, recipe, provenance, table.name)


def split_by_time(readings: EventTable, recipe: Recipe, provenance: Provenance, name: str) -> DetectionDataset:
    """The windows of rows: the first ones of every series are trained on, the last ones tested on.

    Args:
        readings: The rows.
        recipe: Its sections `data`, for the shares, and `detect`.
        provenance: Where the rows came from.
        name: The data set's name.

    Raises:
        DataError: There are too few rows, or a part has no value.
    """
    lengths = np.array([len(rows) for rows in readings.series])
    shares = np.array([1 - recipe.data.validation - recipe.data.test, 1 - recipe.data.test])
    ends = np.floor(lengths[:, None] * shares + 1e-9).astype(np.int64)
    _check(readings, ends, provenance.source)
    periods = usable_periods([rows.stamps for rows in _training(readings, ends)])
    return windowed(readings, ends, recipe.section(DetectOptions), periods, provenance, name)


def windowed(
    readings: EventTable,
    ends: np.ndarray,
    config: DetectOptions,
    periods: tuple[int, ...],
    provenance: Provenance,
    name: str,
) -> DetectionDataset:
    """The windows of rows that were read and split; where no row is left for testing, the validation part is tested on.

    Args:
        readings: The rows.
        ends: Where each series' training and validation rows end, shape (series, 2).
        config: The settings.
        periods: The periods of the clock, in seconds.
        provenance: Where the rows came from.
        name: The data set's name.
    """
    is_labelled = readings.series[0].labels is not None
    if not is_labelled and config.context > (most := int(ends[:, 0].max())):
        told = f"The context is {most:,} rows, all that the training part has, instead of {config.context:,}."
        provenance = dataclasses.replace(provenance, notes=(*provenance.notes, told))
        config = dataclasses.replace(config, context=most)
    training = _training(readings, ends)
    scales = _scales(training, readings)
    scorer = "label" if is_labelled else config.scorer
    has_test = any(len(rows) > end for rows, end in zip(readings.series, ends[:, 1], strict=True))
    parts = []
    for number in (0, 1, 2 if has_test else 1):
        windows = Windows(readings, _windows(readings, ends, config.context, scorer, number))
        parts.append(WindowSplit(windows, encode_windows(windows, scales, periods, scorer)[1]))
    return DetectionDataset(
        name,
        "detect",
        parts[0],
        parts[1],
        parts[2],
        provenance,
        reading=readings.reading,
        readings=readings,
        ends=ends,
        scales=scales,
        extents=Extents.fit(training),
        relations=Relations.fit({r.name: r.values for r in training}, [scales.of(r.name) for r in training]),
        periods=periods,
        config=config,
    )


def _training(readings: EventTable, ends: np.ndarray) -> list[EventRows]:
    return [_first(rows, int(end)) for rows, (end, _) in zip(readings.series, ends, strict=True)]


def encode_series(
    rows: EventRows, scale: Scale, periods: tuple[int, ...], scorer: str
) -> tuple[np.ndarray, np.ndarray]:
    """What a network reads of every row of a series, and what it is to answer.

    Args:
        rows: The series.
        scale: Its scale.
        periods: Of the clock, in seconds.
        scorer: "forecast", "reconstruction" or "label".

    Returns:
        Inputs of shape (rows, inputs) and targets of shape (rows, outputs), NaN where there is none, both float32.
    """
    scaled = (rows.values - np.array(scale.mean)) / np.array(scale.std)
    filled = forward_filled(np.concatenate([np.zeros((1, scaled.shape[1])), scaled]))
    features = clock(rows.stamps, periods)
    if scorer == "label":
        assert rows.labels is not None
        features = np.concatenate([features, since_last(rows.stamps, None)], axis=1)
        return inputs(filled[1:], features), rows.labels[:, None].astype(np.float32)
    if scorer == "forecast":
        scaled = scaled.copy()
        scaled[:1] = np.nan
        return inputs(filled[:-1], features), scaled.astype(np.float32)
    return inputs(filled[1:], features), scaled.astype(np.float32)


def windows_of(split: Split) -> Windows:
    """The windows of a split.

    Raises:
        DataError: It holds something else.
    """
    if not isinstance(split.inputs, Windows):
        raise DataError(f"a detector reads rows of a table in windows, and these are {split.inputs.kind}")
    return split.inputs


class WindowBatch(Batch):
    """Windows as a network sees them, all of one length."""

    def tensors(self) -> dict[str, Tensor | None]:
        """What a network's `forward()` takes, by name."""
        return {"inputs": self.inputs}


class WindowExamples:
    """Windows ready to be batched; shorter ones end in rows that do not count.

    Attributes:
        split: The windows before encoding.
        lengths: Rows of each window, all the same, int64, shape (windows,).
    """

    def __init__(self, split: Split, values: np.ndarray, targets: np.ndarray) -> None:
        """Takes inputs of shape (windows, steps, inputs) and targets of shape (windows, steps x outputs), float32."""
        self.split = split
        self._values, self.targets = values, targets
        self.lengths = np.full(len(values), values.shape[1], dtype=np.int64)

    def __len__(self) -> int:
        return len(self._values)

    def batch(self, index: np.ndarray) -> WindowBatch:
        """The windows at these positions as one batch."""
        import torch

        arrays = (self._values[index], self.lengths[index], self.targets[index])
        return WindowBatch(*(torch.from_numpy(array) for array in arrays))


def encode_windows(
    windows: Windows, scales: Scales, periods: tuple[int, ...], scorer: str
) -> tuple[np.ndarray, np.ndarray]:
    """The inputs, shape (windows, steps, inputs), and targets, shape (windows, steps x outputs), of windows."""
    encoded: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for number in np.unique(windows.index[:, 0]):
        rows = windows.readings.series[number]
        encoded[int(number)] = encode_series(rows, scales.of(rows.name), periods, scorer)
    widths = [part.shape[1] for part in next(iter(encoded.values()))]
    values = np.zeros((len(windows), windows.steps, widths[0]), np.float32)
    targets = np.full((len(windows), windows.steps, widths[1]), np.nan, np.float32)
    for at, (number, start, stop, counted) in enumerate(windows.index):
        seen, wanted = encoded[int(number)]
        values[at, : stop - start] = seen[start:stop]
        targets[at, counted - start : stop - start] = wanted[counted:stop]
    return values, targets.reshape(len(windows), -1)


def _windows(readings: EventTable, ends: np.ndarray, context: int, scorer: str, number: int) -> np.ndarray:
    """The windows of the training (0), validation (1) or test part (2), as the index of `Windows`."""
    is_exact = scorer == "reconstruction"
    stride = max(1, context // 32, -(-int(ends[:, 0].sum()) // MOST_WINDOWS))
    windows: list[tuple[int, int, int, int]] = []
    for series, (rows, (train, validation)) in enumerate(zip(readings.series, ends, strict=True)):
        low, high = ((0, train), (train, validation), (validation, len(rows)))[number]
        if high <= low or (is_exact and high < context):
            continue
        if number == 0:
            last = max(high - context, 0)
            starts = sorted({*range(0, last + 1, stride), last})
            windows += [(series, s, min(s + context, high), s) for s in starts]
        elif is_exact:
            stops = [*range(low + context, high, context), high]
            windows += [(series, s - context, s, max(low, s - context)) for s in stops if s >= context]
        else:
            windows += [(series, max(b - context, 0), min(b + context, high), b) for b in range(low, high, context)]
    if not windows:
        part = ("training", "validation", "test")[number]
        raise DataError(
            f"{readings.source}: the {part} part has too few rows for a context of {context}; give more rows, "
            "or lower the context"
        )
    return np.array(windows, dtype=np.int64)


def refuse_filling(recipe: Recipe) -> None:
    """Refuses options that a detector would pass over without a word: those of filling a grid.

    Raises:
        UsageError: One is given.
    """
    time = dataclasses.asdict(recipe.section(TimeOptions))
    usual = dataclasses.asdict(TimeOptions())
    given = [name for name in _NOT_TAKEN if time[name] != usual[name]]
    if given:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise UsageError(f"a detector answers every row as it stands and takes no {options}")


def _first(rows: EventRows, count: int) -> EventRows:
    labels = None if rows.labels is None else rows.labels[:count]
    return EventRows(rows.id, rows.index[:count], rows.stamps[:count], rows.values[:count], labels)


def _check(readings: EventTable, ends: np.ndarray, where: str) -> None:
    lengths = [len(rows) for rows in readings.series]
    if max(lengths) < _LEAST_ROWS and sum(lengths) < 10 * _LEAST_ROWS:
        raise DataError(
            f"{where} has {max(lengths)} row{'s' if max(lengths) != 1 else ''} in its longest series, expected at "
            f"least {_LEAST_ROWS} to learn what is usual"
        )
    for variable, name in enumerate(readings.columns.targets):
        if all(np.isnan(r.values[:end, variable]).all() for r, (end, _) in zip(readings.series, ends, strict=True)):
            raise DataError(f'{where}: the column "{name}" is empty over the whole training part')
    for part, (low, high) in {"validation": (0, 1), "test": (1, 2)}.items():
        bounds = np.concatenate([ends, [[len(r)] for r in readings.series]], axis=1)[:, low : high + 1]
        values = [r.values[start:stop] for r, (start, stop) in zip(readings.series, bounds, strict=True)]
        if all(np.isnan(v).all() for v in values):
            names = ", ".join(readings.columns.targets)
            raise DataError(
                f"{where}: no row of the {part} part has a value of {names}; leave out the rows without one, or choose "
                "another share by --validation and --test"
            )
    marks = [r.labels[:end] for r, (end, _) in zip(readings.series, ends, strict=True) if r.labels is not None]
    if marks and len({bool(value) for part in marks for value in np.unique(part)}) < 2:
        raise DataError(
            f"{where}: every row of the training part has the same label; examples of both kinds are needed to learn "
            "from, or leave --label out to learn what is usual without labels"
        )


def _scales(training: list[EventRows], readings: EventTable) -> Scales:
    values = np.concatenate([rows.values for rows in training])
    pooled = scale_of(values, Scale.identity(values.shape[1]))
    # Labels are learnt across series: what is a large amount must mean the same in all of them.
    is_alone = len(readings.series) == 1 or readings.series[0].labels is not None
    return Scales({} if is_alone else {r.name: scale_of(r.values, pooled) for r in training}, pooled)


def scale_of(values: np.ndarray, otherwise: Scale) -> Scale:
    """The scale of one series; that of all where a variable is missing, and a deviation of 1 where it never changes."""
    mean, std = [], []
    for column, m, s in zip(values.T, otherwise.mean, otherwise.std, strict=True):
        known = column[~np.isnan(column)]
        one = Scale.fit(known[:, None]) if len(known) > 1 else Scale((m,), (s,))
        mean.append(one.mean[0])
        std.append(one.std[0])
    return Scale(tuple(mean), tuple(std))
