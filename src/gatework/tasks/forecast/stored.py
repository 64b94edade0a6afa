"""A long table larger than memory: packed into a store of regular series in one pass, and learnt from there.

All that is decided, validated, tested and compared is of a sample held in memory: every series of a small table, some
of many, the ends of long ones. The network learns from the windows of all series, which are read from the disk.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from gatework.data._layout import Series, StepLayout, laid_out
from gatework.data._step_rows import Naming, StepRows, one_row_per_step
from gatework.data.dataset import Dataset, Provenance
from gatework.data.frequency import Grid
from gatework.data.panel import Panel, clock_of, clock_times, fill_notes, grid_notes, grid_of
from gatework.data.reading import Reading
from gatework.data.store.cuts import CutSplit
from gatework.data.store.files import ArrayWriter, Store, write_index
from gatework.data.store.sources import TableSource, source_key, table_on_disk
from gatework.data.store.timelines import SampledSeries, Timelines, ids_in, whole_series
from gatework.data.timestamps import Stamps
from gatework.errors import UsageError
from gatework.options import TimeOptions
from gatework.recipe import Recipe
from gatework.tasks.forecast import beginnings
from gatework.tasks.forecast.data import ForecastDataset, certainly_learnt, dataset_of
from gatework.tasks.forecast.history import from_state, to_state
from gatework.tasks.forecast.options import ForecastOptions
from gatework.tasks.forecast.stored_origins import StoredOrigins

SAMPLE = 1 << 20
"""The steps of all series that are held in memory at most."""
_FEWEST_SERIES = 200
_DECIDING = 1 << 20
"""The rows of the first series that say how far apart steps are."""
_NO_ROWS = np.zeros((0, 2), dtype=np.int64)


class StoredOriginSplit(CutSplit):
    """The origins of a training part on disk."""

    inputs: StoredOrigins

    @cached_property
    def targets(self) -> np.ndarray:
        """The actual values of all of them, in memory; what trains asks for those of a batch."""
        targets: np.ndarray = self.inputs[np.arange(len(self))].actuals()
        return targets


@dataclass(frozen=True)
class StoredForecastDataset(ForecastDataset):
    """A ForecastDataset whose training part stays on disk.

    Attributes:
        sample: The data set of the series in memory; its table, plan, validation and test part are this one's as well.
    """

    sample: ForecastDataset = field(kw_only=True)

    @property
    def sampled(self) -> Dataset:
        """The data set of the series in memory."""
        return self.sample

    def limited(self, examples: int) -> Dataset:
        """The data set of the series in memory, with at most that many examples in each part."""
        return self.sample.limited(examples)


def stored_forecast_dataset(source: Any, recipe: Recipe) -> StoredForecastDataset:
    """A table as a data set whose training part stays on disk; packed now, or opened where it has been.

    Args:
        source: The path of a table or of a folder of Parquet files.
        recipe: Its sections `data`, `time` and `forecast`.

    Raises:
        UsageError: A column must be named, the store's folder holds something else, or a setting needs all in memory.
        DataError: The table cannot be used.
    """
    asked, config = recipe.section(ForecastOptions), recipe.section(TimeOptions)
    for name, is_given in (("refit", asked.refit), ("totals", asked.totals)):
        if is_given:
            raise UsageError(f"--{name} needs every series in memory; leave it out for a table that is read from disk")
    read = TableSource.of(table_on_disk(source), Reading.given(recipe.data, config))
    settings = {"task": "forecast", "time": repr(config), "target": recipe.data.target, "decimal": recipe.data.decimal}
    key = source_key(read, settings)
    lines = Timelines(read, config, recipe.data.target)
    store = Store.kept(recipe.data.store, key, lambda folder: _Packer(lines, folder).pack(key), "series")
    return _dataset(store, read, asked)


def _dataset(store: Store, source: TableSource, asked: ForecastOptions) -> StoredForecastDataset:
    like = dataclasses.replace(from_state(store.about["panel"]), notes=tuple(store.about["notes"]))
    whole = StoredSeries(store, like)
    firsts = whole.leading_zeros(asked)
    if firsts.any():
        like = dataclasses.replace(like, notes=(*like.notes, beginnings.note(firsts)))
    windows = dataclasses.replace(whole, like=like, firsts=firsts)
    table = windows.sampled()
    provenance = Provenance(source.where, "yours", store.fingerprint, table.notes)
    sample = dataset_of(table, asked, source.name, provenance)
    origins = StoredOrigins(windows, sample.plan, sample.ends)
    notes = (*sample.provenance.notes, *_said(windows, origins, sample))
    kept = {name: getattr(sample, name) for name in ForecastDataset.__dataclass_fields__}
    kept |= {"train": StoredOriginSplit(origins), "provenance": dataclasses.replace(sample.provenance, notes=notes)}
    return StoredForecastDataset(**kept, sample=sample)


def _said(windows: StoredSeries, origins: StoredOrigins, sample: ForecastDataset) -> list[str]:
    """What is learnt from, and what is of a sample, in sentences."""
    notes = [f"The {len(origins):,} training windows are read from the store {windows.store.folder}."]
    if len(origins) < origins.total:
        notes = [
            f"Each epoch learns from {len(origins):,} of {origins.total:,} training windows, evenly spread, which are "
            f"read from the store {windows.store.folder}; --max-windows says how many."
        ]
    if not windows.sample.is_whole:
        steps = int(np.minimum(windows.lengths[windows.sample.numbers], windows.sample.most).sum())
        notes.append(
            f"Of {len(windows.lengths):,} series with {int(windows.lengths.sum()):,} steps, the last steps of "
            f"{len(sample.table.series):,} series, {steps:,} in all, are held in memory: settings, simple methods, "
            "validation and testing are of these, and so is a forecast that names no table."
        )
    return notes


@dataclass(frozen=True)
class StoredSeries:
    """Regular series on disk.

    Attributes:
        store: "steps", the targets, then the columns known up to now and those known ahead, of each step; "observed",
            where a target is missing somewhere; "static", where there are such columns; "series", where each begins
            among the steps, its first position on the grid, its steps, and those with what is known of the future.
        like: The table without its series.
        firsts: So many steps at the beginning of each series are left out, shape (series,); 0 of each if None.
    """

    store: Store
    like: Panel
    firsts: np.ndarray | None = None

    @cached_property
    def series(self) -> np.ndarray:
        """Where each series stands, shape (series, 4)."""
        series = self.store.arrays["series"][:]
        return series if self.firsts is None else series + self.firsts[:, None] * np.array([1, 1, -1, -1])

    @cached_property
    def sample(self) -> SampledSeries:
        """Which series are held in memory."""
        return SampledSeries.of(self.lengths, SAMPLE, _FEWEST_SERIES)

    @property
    def lengths(self) -> np.ndarray:
        """The steps of each series."""
        return self.series[:, 2]

    @cached_property
    def ids(self) -> list[tuple[str, ...]]:
        """The id of each series."""
        return ids_in(self.store.folder)

    @property
    def is_whole(self) -> bool:
        """Whether every target was observed at every step."""
        return "observed" not in self.store.arrays

    def leading_zeros(self, asked: ForecastOptions) -> np.ndarray:
        """How many steps at the beginning of each series are none of it, shape (series,)."""
        firsts = np.zeros(len(self.series), dtype=np.int64)
        if asked.non_negative is False:
            return firsts
        ends = np.maximum(certainly_learnt(self.lengths, asked), 0)
        # Of most series the first value tells.
        begin = self.store.arrays["steps"][self.series[:, 0]][:, : self.widths[0]]
        for number in np.flatnonzero(~begin.any(axis=1)).tolist():
            values = self.values(number, 0, int(ends[number]))
            firsts[number] = beginnings.leading_zeros(values[:, : self.widths[0]])
        return firsts

    def sampled(self) -> Panel:
        """The series in memory."""
        firsts = self.sample.first(self.lengths)
        return self.panel([(number, firsts[number], self.series[number, 3]) for number in self.sample.numbers])

    def panel(self, cuts: list[tuple[int, int, int]]) -> Panel:
        """Some series, each from one of its steps up to another."""
        series = tuple(self._one(int(number), int(first), int(last)) for number, first, last in cuts)
        return dataclasses.replace(self.like, series=series, rows=_NO_ROWS)

    def observed(self, number: int, first: int, last: int) -> np.ndarray:
        """Which targets of a series were observed between two of its steps, shape (steps, targets)."""
        if self.is_whole:
            return np.ones((last - first, len(self.like.columns.targets)), dtype=bool)
        offset = int(self.series[number, 0])
        return self.store.arrays["observed"][offset + first : offset + last].astype(bool)

    def values(self, number: int, first: int, last: int) -> np.ndarray:
        """The numbers of a series between two of its steps, shape (steps, targets, past and known)."""
        offset = int(self.series[number, 0])
        return self.store.arrays["steps"][offset + first : offset + last]

    def static(self, numbers: np.ndarray) -> np.ndarray:
        """What never changes of some series, shape (series, static)."""
        return self.store.arrays["static"][numbers] if "static" in self.store.arrays else np.zeros((len(numbers), 0))

    @cached_property
    def widths(self) -> tuple[int, int]:
        """Where the columns known up to now, and those known ahead, begin in a step."""
        where = self.like.columns.slices()
        targets, past = (where[name].stop - where[name].start for name in ("targets", "past"))
        return targets, targets + past

    def _one(self, number: int, first: int, last: int) -> Series:
        _, start, steps, _ = self.series[number].tolist()
        rows, end = self.values(number, first, last), min(steps, last)
        past, known = self.widths
        held = rows[: end - first]
        return Series(
            self.ids[number],
            start + first,
            np.ascontiguousarray(held[:, :past]),
            self.observed(number, first, end),
            np.ascontiguousarray(rows[:, known:]),
            np.ascontiguousarray(held[:, past:known]),
            self.static(np.array([number]))[0],
        )


class _Packer:
    """A store under way.

    Args:
        lines: The table.
        folder: Where it is written.
    """

    def __init__(self, lines: Timelines, folder: Path) -> None:
        self.lines, self.config, self.folder = lines, lines.config, folder
        self.counts = Counter[str]()
        self.notes: list[str] = []
        self.place = 0
        self.is_whole = True

    def pack(self, key: str) -> None:
        """Writes the store."""
        lines, rows = self.lines, self.folder / "rows.tmp"
        sorted_rows = lines.sorted(rows)
        where = lines.columns.slices()
        self.width = {name: place.stop - place.start for name, place in where.items()}
        numbers = self.width["targets"] + self.width["past"] + self.width["known"]
        self.writers = {
            "steps": ArrayWriter(self.folder / "steps.bin", np.float64, numbers),
            "observed": ArrayWriter(self.folder / "observed.bin", np.uint8, self.width["targets"]),
            "series": ArrayWriter(self.folder / "series.bin", np.int64, 4),
        }
        if self.width["static"]:
            self.writers["static"] = ArrayWriter(self.folder / "static.bin", np.float64, self.width["static"])
        groups = whole_series(sorted_rows.pieces())
        firsts = [next(groups)]
        while sum(map(len, firsts)) < _DECIDING and (group := next(groups, None)) is not None:
            firsts.append(group)
        grid = self._grid(lines.stamps_of(np.concatenate(firsts)), np.concatenate([each["code"] for each in firsts]))
        for group in itertools.chain(firsts, groups):
            self._add(grid, lines.stamps_of(group), group)
        rows.unlink(missing_ok=True)
        arrays = {name: writer.finish() for name, writer in self.writers.items()}
        if self.is_whole:
            del arrays["observed"]
            (self.folder / "observed.bin").unlink()
        lines.write_ids(self.folder)
        table = Panel((), grid, lines.zone, lines.columns, _NO_ROWS, (), lines.reading)
        decided = [*lines.notes, *lines.source.notes, *lines.unused]
        notes = [*decided, *dict.fromkeys(self.notes), *fill_notes(self.counts, self.config)]
        write_index(self.folder, {"key": key, "panel": to_state(table), "notes": notes}, arrays)

    def _grid(self, stamps: Stamps, codes: np.ndarray) -> Grid:
        """The grid that the first series lie on, counted from the first time of all."""
        lines = self.lines
        where = f'{lines.source.where}, column "{lines.columns.time}"'
        grid, clock = grid_of(stamps, codes, self.config, where)
        first = clock_of(lines.stamps_at(lines.earliest), grid.frequency)
        if first[0] < clock.min():
            clock = np.append(clock, first)
            grid = Grid.fit(grid.frequency, clock, is_named=self.config.frequency is not None)
        self.notes += grid_notes(grid, grid.positions(clock)[1], lines.columns.time, self.config.frequency is None)
        return grid

    def _add(self, grid: Grid, stamps: Stamps, group: np.ndarray) -> None:
        """Writes the series of some rows."""
        lines, columns = self.lines, self.lines.columns
        positions, distance = grid.positions(clock_of(stamps, grid.frequency))
        values = group["values"][:, : sum(self.width.values())]
        naming = Naming(
            lines.source.where,
            lambda place: f"row {place + 1:,}",
            partial(_step, grid, lines.zone),
        )
        is_clock = not lines.has_moments and not grid.frequency.is_daily_or_longer
        rows = StepRows(group["code"], positions, distance, values, group["place"])
        rows, notes = one_row_per_step(rows, self.config.duplicates, columns, naming, is_clock)
        self.notes += notes
        end = None
        if lines.latest is not None:
            end = int(grid.positions(clock_of(lines.stamps_at(lines.latest), grid.frequency))[0][0])
        layout, counts = laid_out(rows, lines.names, columns, self.config, naming, end)
        self.counts.update(counts)
        self._write(layout)

    def _write(self, layout: StepLayout) -> None:
        totals, is_step = layout.totals, layout.is_step
        steps, observed = np.concatenate([layout.values, layout.past, layout.known], axis=1), layout.observed
        self.is_whole &= bool(observed[is_step].all())
        if not self.width["known"] and not is_step.all():
            # Nothing is known of the future.
            totals, steps, observed = layout.steps, steps[is_step], observed[is_step]
        self.writers["steps"].append(steps)
        self.writers["observed"].append(observed)
        places = self.place + np.cumsum(totals) - totals
        self.writers["series"].append(np.stack([places, layout.starts, layout.steps, totals], axis=1))
        if self.width["static"]:
            self.writers["static"].append(layout.static)
        self.place += int(totals.sum())


def _step(grid: Grid, zone: str | None, position: int) -> str:
    return str(clock_times(grid, zone, np.array([position]))[0])
