"""Rows to watch, more than memory holds: packed into a store by series and time in one pass, and learnt from there.

All that is decided, validated, tested and compared is of a sample held in memory: every row of a small table, some
series of many, the ends of long ones. The network learns from windows of all series, which are read from the disk.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gatework.data._columns import Columns
from gatework.data.dataset import Dataset, Provenance
from gatework.data.events import EventRows, EventTable, labels_of
from gatework.data.filling import forward_filled_within
from gatework.data.reading import Reading
from gatework.data.store.cuts import CutSplit
from gatework.data.store.files import ArrayWriter, Store, write_index
from gatework.data.store.sources import TableSource, source_key, table_on_disk
from gatework.data.store.timelines import SampledSeries, Timelines, ids_in
from gatework.data.tables import Table
from gatework.options import TimeOptions
from gatework.recipe import Recipe
from gatework.tasks.detect.data import DetectionDataset, Scales, refuse_filling, scale_of, split_by_time
from gatework.tasks.detect.stored_windows import StoredWindows

SAMPLE = 1 << 18
"""The rows of all series that are held in memory at most."""
_FEWEST_SERIES = 20


class StoredWindowSplit(CutSplit):
    """The windows of a training part on disk."""

    inputs: StoredWindows

    @cached_property
    def targets(self) -> np.ndarray:
        """NaN, as many as there are rows in a window: they are encoded with a batch."""
        return self.take(np.arange(len(self))).targets


@dataclass(frozen=True)
class StoredDetectionDataset(DetectionDataset):
    """A DetectionDataset whose training part stays on disk.

    Attributes:
        sample: The data set of the rows in memory; its validation and test part are this one's as well.
    """

    train: StoredWindowSplit = field()
    sample: DetectionDataset = field(kw_only=True)

    @property
    def rows_learnt(self) -> int:
        """The rows of the training part."""
        return int(self.train.inputs.ends.sum())

    @property
    def sampled(self) -> Dataset:
        """The data set of the rows in memory."""
        return self.sample

    def limited(self, examples: int) -> Dataset:
        """The data set of the rows in memory, with at most that many examples in each part."""
        return self.sample.limited(examples)


def stored_detection_dataset(source: Any, recipe: Recipe) -> StoredDetectionDataset:
    """A table as a data set whose training part stays on disk; packed now, or opened where it has been.

    Args:
        source: The path of a table or of a folder of Parquet files.
        recipe: Its sections `data`, `time` and `detect`.

    Raises:
        UsageError: A column must be named, or the store's folder holds something else.
        DataError: The table cannot be used.
    """
    refuse_filling(recipe)
    data, config = recipe.data, recipe.section(TimeOptions)
    read = TableSource.of(table_on_disk(source), Reading.given(data, config))
    settings = {"task": "detect", "time": repr(config), "decimal": data.decimal}
    key = source_key(read, settings | {"target": data.target, "label": data.label})
    label = data.label

    def labels(part: Table) -> np.ndarray:
        return labels_of(part, str(label))[:, None].astype(np.float64)

    lines = Timelines(read, config, data.target, labels if label else None)
    store = Store.kept(data.store, key, lambda folder: _Packer(lines, folder, label).pack(key), "rows")
    return _dataset(store, read, recipe)


def _dataset(store: Store, source: TableSource, recipe: Recipe) -> StoredDetectionDataset:
    rows = StoredRows(store, source.where, SampledSeries.of(store.arrays["lengths"][:], SAMPLE, _FEWEST_SERIES))
    readings = rows.sampled()
    provenance = Provenance(source.where, "yours", store.fingerprint, readings.notes)
    sample = split_by_time(readings, recipe, provenance, source.name)
    ends = rows.ends(recipe)
    windows = StoredWindows(rows, ends, sample.config.context, "label" if sample.is_labelled else sample.config.scorer)
    sample = dataclasses.replace(sample, scales=_scales_of_all(rows, sample, ends))
    notes = [
        *sample.provenance.notes,
        f"The {len(windows):,} training windows of {int(ends.sum()):,} rows are read from the store {store.folder}.",
    ]
    if not rows.sample.is_whole:
        held = sum(map(len, readings.series))
        notes.append(
            f"Of {len(rows.lengths):,} series with {int(rows.lengths.sum()):,} rows, the last rows of "
            f"{len(readings.series):,} series, {held:,} in all, are held in memory: simple methods, thresholds, "
            "validation, testing and the detections that a run keeps are of these."
        )
    kept = {name: getattr(sample, name) for name in DetectionDataset.__dataclass_fields__}
    provenance = dataclasses.replace(sample.provenance, notes=tuple(notes))
    kept |= {"train": StoredWindowSplit(windows), "provenance": provenance}
    return StoredDetectionDataset(**kept, sample=sample)


def _scales_of_all(rows: StoredRows, sample: DetectionDataset, ends: np.ndarray) -> Scales:
    """The scales of the rows in memory and, where each series has its own, those of the other series."""
    scales = sample.scales
    if rows.sample.is_whole or len(rows.lengths) == 1 or sample.is_labelled:
        return scales
    firsts, by_name = rows.sample.first(rows.lengths), dict(scales.by_name)
    for number, name in enumerate(", ".join(each) for each in rows.ids):
        if name not in by_name and ends[number] > firsts[number]:
            values = rows.rows(number, int(firsts[number]), int(ends[number])).values
            by_name[name] = scale_of(values, scales.pooled)
    return Scales(by_name, scales.pooled)


@dataclass(frozen=True)
class StoredRows:
    """Rows on disk, by series and time.

    Attributes:
        store: "rows", the stamp of each (the bits of its int64), its values and its label; "filled", the values with
            each missing one filled by the one before, where some are missing; "lengths", the rows of each series.
        source: The table, for messages.
        sample: Which series are held in memory.
    """

    store: Store
    source: str
    sample: SampledSeries

    @cached_property
    def lengths(self) -> np.ndarray:
        """The rows of each series."""
        return self.store.arrays["lengths"][:]

    @cached_property
    def offsets(self) -> np.ndarray:
        """Where each series begins."""
        return np.cumsum(self.lengths) - self.lengths

    @cached_property
    def ids(self) -> list[tuple[str, ...]]:
        """The id of each series."""
        return ids_in(self.store.folder)

    @property
    def columns(self) -> Columns:
        """What the columns are."""
        time, ids, targets = (self.store.about["columns"][name] for name in ("time", "ids", "targets"))
        return Columns(time, tuple(ids), tuple(targets))

    @property
    def is_labelled(self) -> bool:
        """Whether rows have labels."""
        return bool(self.store.about["is_labelled"])

    def ends(self, recipe: Recipe) -> np.ndarray:
        """Where the training part of each series ends: as many rows are held back as if its last ones were all."""
        firsts = self.sample.first(self.lengths)
        share = 1 - recipe.data.validation - recipe.data.test
        ends: np.ndarray = firsts + np.floor((self.lengths - firsts) * share + 1e-9).astype(np.int64)
        return ends

    def rows(self, number: int, first: int, last: int) -> EventRows:
        """Some rows of a series."""
        place, variables = int(self.offsets[number]), len(self.columns.targets)
        read = self.store.arrays["rows"][place + first : place + last]
        stamps = np.ascontiguousarray(read[:, 0]).view(np.int64)
        values = np.ascontiguousarray(read[:, 1 : 1 + variables])
        labels = read[:, 1 + variables] > 0 if self.is_labelled else None
        return EventRows(self.ids[number], np.arange(place + first, place + last), stamps, values, labels)

    def table(self, cuts: list[tuple[int, int, int]]) -> EventTable:
        """Some series, each from one of its rows up to another."""
        series = tuple(self.rows(int(number), int(first), int(last)) for number, first, last in cuts)
        about = self.store.about
        return EventTable(
            series, self.columns, self.source, tuple(about["notes"]), Reading.from_state(about["reading"])
        )

    def sampled(self) -> EventTable:
        """The rows in memory."""
        firsts = self.sample.first(self.lengths)
        return self.table([(number, firsts[number], self.lengths[number]) for number in self.sample.numbers])


class _Packer:
    """A store under way.

    Args:
        lines: The table.
        folder: Where it is written.
        label: The column of labels.
    """

    def __init__(self, lines: Timelines, folder: Path, label: str | None) -> None:
        self.lines, self.folder, self.is_labelled = lines, folder, label is not None

    def pack(self, key: str) -> None:
        """Writes the store."""
        lines, unsorted = self.lines, self.folder / "rows.tmp"
        rows = lines.sorted(unsorted)
        variables = len(lines.columns.targets)
        written = ArrayWriter(self.folder / "rows.bin", np.float64, 1 + variables + self.is_labelled)
        filled = ArrayWriter(self.folder / "filled.bin", np.float64, variables)
        lengths, missing = np.zeros(len(lines.ids), dtype=np.int64), np.zeros(variables, dtype=np.int64)
        last, carried = -1, np.full(variables, np.nan)
        for piece in rows.pieces():
            stamps, codes = lines.stamps_of(piece).local, piece["code"]
            numbers = piece["values"][:, : variables + self.is_labelled]
            values = np.ascontiguousarray(numbers[:, :variables])
            lengths += np.bincount(codes, minlength=len(lengths))
            missing += np.isnan(values).sum(axis=0)
            full = forward_filled_by(values, codes, last, carried)
            written.append(np.concatenate([np.ascontiguousarray(stamps).view(np.float64)[:, None], numbers], axis=1))
            filled.append(full)
            last, carried = int(codes[-1]), full[-1]
        unsorted.unlink(missing_ok=True)
        arrays = {"rows": written.finish(), "filled": filled.finish()}
        if not missing.any():
            del arrays["filled"]
            (self.folder / "filled.bin").unlink()
        counts = ArrayWriter(self.folder / "lengths.bin", np.int64)
        counts.append(lengths)
        lines.write_ids(self.folder)
        columns = {name: getattr(lines.columns, name) for name in ("time", "ids", "targets")}
        said = [
            f'{int(count):,} values of "{name}" are missing; such a value has no score.'
            for name, count in zip(lines.columns.targets, missing, strict=True)
            if count
        ]
        about = {"columns": columns, "reading": lines.reading.state(), "is_labelled": self.is_labelled}
        about |= {"key": key, "notes": [*lines.notes, *lines.source.notes, *said]}
        write_index(self.folder, about, arrays | {"lengths": counts.finish()})


def forward_filled_by(values: np.ndarray, codes: np.ndarray, last: int, carried: np.ndarray) -> np.ndarray:
    """Each missing value becomes the one before it in its series; NaN before the first that is known.

    Args:
        values: NaN where missing, shape (rows, variables).
        codes: The series of each row; the rows of a series stand together.
        last: The series of the row before the first.
        carried: Its filled values.
    """
    firsts = np.flatnonzero(np.diff(codes, prepend=codes[0] - 1))
    start = np.full((len(firsts), values.shape[1]), np.nan)
    if codes[0] == last:
        start[0] = carried
    return forward_filled_within(values, firsts, start)
