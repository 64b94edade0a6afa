"""A long table with a time column, larger than memory: its rows as numbers, by series and time, in one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl

from gatework.data._columns import (
    Columns,
    as_written,
    categories_of,
    codes_from,
    ids_of,
    is_texts,
    matrix,
    roles,
    unused_notes,
)
from gatework.data.reading import Reading
from gatework.data.store.sorting import SortedRows, rows_of
from gatework.data.store.sources import TableSource
from gatework.data.tables import Table
from gatework.data.timestamps import Stamps, read_stamps
from gatework.errors import DataError
from gatework.options import Names, TimeOptions, column_names

IDS = "ids.parquet"
"""The table of a store that says what each series is called."""
_REMEMBERED = 1 << 18
"""About so many ids at most are remembered as they are written: looking among more takes longer than reading them."""


@dataclass
class Timelines:
    """A table that is read part by part.

    Args:
        source: The table.
        config: What its columns are.
        target: The columns to predict or watch, separated by commas.
        further: Gives more numbers of a part's rows, as labels, shape (rows, further).

    Attributes:
        columns: What the columns are, with their categories.
        reading: How texts become values.
        ids: The number of each series, in the order of their first rows.
        notes: What was decided, one sentence each.
        unused: Likewise what columns have no role.
        count: How many rows were read.
        earliest: The first time of all rows, on the local clock and in UTC, microseconds.
        latest: The last time of all rows with a target, likewise.
    """

    source: TableSource
    config: TimeOptions
    target: Names
    further: Callable[[Table], np.ndarray] | None = None

    columns: Columns = field(init=False)
    reading: Reading = field(init=False)
    zone: str | None = field(init=False, default=None)
    has_moments: bool = field(init=False, default=False)
    ids: dict[tuple[str, ...], int] = field(init=False, default_factory=dict)
    notes: tuple[str, ...] = field(init=False, default=())
    unused: tuple[str, ...] = field(init=False, default=())
    count: int = field(init=False, default=0)
    earliest: tuple[int, int] = field(init=False, default=(0, 0))
    latest: tuple[int, int] | None = field(init=False, default=None)
    _numbered: pl.DataFrame | None = field(init=False, default=None)

    def sorted(self, file: Path) -> SortedRows:
        """Reads every row; what is decided of the columns is decided by the first part and holds for the others.

        Args:
            file: Where rows are kept until they are sorted.

        Raises:
            UsageError: A column is not named.
            DataError: The table is empty, or a row cannot be read.
        """
        rows = SortedRows(file)
        for part in self.source.parts():
            if self.count == 0:
                self._begin(part)
            rows.add(self._read(replace(part, reading=self.reading)))
            self.count += len(part)
        if not self.count:
            raise DataError(f"{self.source.where} holds no rows; a table with a time column was expected")
        return rows

    def _begin(self, part: Table) -> None:
        targets = column_names(self.target, part.frame.columns)
        columns = roles(part.frame, self.config, targets, part.where)
        part = part.deciding(columns.targets + columns.known + columns.past + columns.static)
        part = part.deciding((), given=Reading.given(time=self.config))
        self.reading, self.notes, self.unused = part.reading, part.notes, unused_notes(part.frame.columns, columns)
        self.columns = replace(columns, categories=self._categories(part, columns))

    def _categories(self, part: Table, columns: Columns) -> dict[str, tuple[str, ...]]:
        """The categories of columns of texts, of which all rows are looked at first."""
        names = [n for n in (*columns.known, *columns.past, *columns.static) if is_texts(part.frame[n])]
        if not names:
            return {}
        texts: dict[str, pl.Series] = {}
        for each in self.source.parts(columns=names):
            for name in names:
                seen = each.frame[name].cast(pl.String).unique()
                texts[name] = pl.concat([texts[name], seen]).unique() if name in texts else seen
        return categories_of(texts, part.where, self.reading)

    def _read(self, part: Table) -> np.ndarray:
        for name in (self.columns.time, *self.columns.ids, *self.columns.numbers):
            part.column(name)
        codes, source, row = self._codes(part), part.where, part.row
        is_kept = self.count > 0 and self.config.time_format is None
        time = part.frame[self.columns.time]
        stamps = read_stamps(time, codes, source=source, row=row, reading=self.reading, is_kept=is_kept)
        if self.count == 0:
            self.zone, self.has_moments = stamps.zone, stamps.moments is not None
            self.reading = replace(self.reading, time_format=stamps.format or self.reading.time_format)
            self.notes = (*self.notes, *stamps.notes)
        _, values = matrix(part.frame, self.columns, source, row, self.columns, self.reading)
        beside = [self.further(part)] if self.further else []
        if stamps.moments is not None:
            beside.append(stamps.local[:, None].view(np.float64))
        moments = stamps.local if stamps.moments is None else stamps.moments
        self._span(stamps.local, moments, ~np.isnan(values[:, self.columns.slices()["targets"]]).all(axis=1))
        places = np.arange(self.count, self.count + len(part))
        return rows_of(codes, moments, places, np.concatenate([values, *beside], axis=1) if beside else values)

    def _span(self, local: np.ndarray, moments: np.ndarray, has_target: np.ndarray) -> None:
        first = (int(local.min()), int(moments.min()))
        self.earliest = (min(self.earliest[0], first[0]), min(self.earliest[1], first[1])) if self.count else first
        if has_target.any():
            last = (int(local[has_target].max()), int(moments[has_target].max()))
            self.latest = (max(self.latest[0], last[0]), max(self.latest[1], last[1])) if self.latest else last

    def _codes(self, part: Table) -> np.ndarray:
        """The number of each row's series, in the order of the first rows."""
        names = self.columns.ids
        if not names:
            self.ids.setdefault((), 0)
            return np.zeros(len(part), dtype=np.int64)
        written = as_written(part.frame, names)
        if self._numbered is not None and written.schema == self._numbered.drop("code").schema:
            codes = codes_from(written, self._numbered)
            if not codes.null_count():
                return codes.to_numpy()
        keys = ids_of(part.frame, names, part.where, part.row)
        unique = keys.unique(maintain_order=True)
        numbers = [self.ids.setdefault(key, len(self.ids)) for key in unique.rows()]
        codes = codes_from(keys, unique.with_columns(code=pl.Series(numbers, dtype=pl.Int64)))
        self._remember(written.with_columns(code=codes))
        return codes.to_numpy()

    def _remember(self, numbered: pl.DataFrame) -> None:
        """Keeps which ids, as the table writes them, have which number, so that these are read as texts but once."""
        known = self._numbered
        if known is not None and known.schema == numbered.schema and len(known) < _REMEMBERED:
            numbered = pl.concat([known, numbered])
        self._numbered = numbered.unique()

    def stamps_of(self, rows: np.ndarray) -> Stamps:
        """The times of rows of `sorted()`, shape (rows,)."""
        if not self.has_moments:
            return Stamps(rows["moment"], None, self.zone)
        return Stamps(np.ascontiguousarray(rows["values"][:, -1]).view(np.int64), rows["moment"], self.zone)

    def stamps_at(self, ends: tuple[int, int]) -> Stamps:
        """The times of `earliest` or `latest`."""
        local, moment = np.array([ends[0]]), np.array([ends[1]])
        return Stamps(local, moment if self.has_moments else None, self.zone)

    @property
    def names(self) -> list[tuple[str, ...]]:
        """The id of each series."""
        return list(self.ids)

    def write_ids(self, folder: Path) -> None:
        """Writes the ids into a store's folder."""
        rows = self.names
        columns = {f"id{k}": pl.Series([row[k] for row in rows], dtype=pl.String) for k in range(len(rows[0]))}
        pl.DataFrame({"number": range(len(rows)), **columns}).write_parquet(folder / IDS)


def ids_in(folder: Path) -> list[tuple[str, ...]]:
    """The id of each series of a store."""
    ids = pl.read_parquet(folder / IDS, glob=False)
    # A table of one series has no column that names it.
    return ids.drop("number").rows() if ids.width > 1 else [()] * ids.height


def whole_series(pieces: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Sorted rows in pieces, shape (rows,), that each hold whole series."""
    open_rows: list[np.ndarray] = []
    for piece in pieces:
        last = int(np.searchsorted(piece["code"], piece["code"][-1]))
        if open_rows and int(open_rows[0]["code"][0]) == int(piece["code"][-1]):
            open_rows.append(piece)
            continue
        done = np.concatenate([*open_rows, piece[:last]])
        open_rows = [piece[last:]]
        if len(done):
            yield done
    if open_rows:
        yield np.concatenate(open_rows)


@dataclass(frozen=True)
class SampledSeries:
    """Which series of very many, and how much of each, are held in memory.

    Attributes:
        numbers: Their numbers, shape (series,).
        most: The last so many rows of each; of a series that is not held, what its training part is counted by.
        is_whole: Whether they are all there is.
    """

    numbers: np.ndarray
    most: int
    is_whole: bool

    @classmethod
    def of(cls, lengths: np.ndarray, most: int, fewest: int) -> SampledSeries:
        """All series where they have at most so many rows; else some, evenly spread, or the ends of long ones.

        Args:
            lengths: The rows of each series, shape (series,), int64.
            most: The most rows that are held.
            fewest: The fewest series that share them.
        """
        total = int(lengths.sum())
        if total <= most:
            return cls(np.arange(len(lengths)), int(lengths.max(initial=1)), True)
        count = min(len(lengths), max(fewest, most * len(lengths) // total))
        return cls(np.arange(count) * len(lengths) // count, max(most // count, 1), False)

    def first(self, lengths: np.ndarray) -> np.ndarray:
        """The first row of each series that is held, or would be, from their lengths, both of shape (series,)."""
        return np.maximum(lengths - self.most, 0)


def total_before(counts: np.ndarray) -> np.ndarray:
    """How many come before each series, and in the end all, int64, shape (series + 1,)."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


def within(before: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The series of each place and the place within it, shape (places,) all three, given `total_before()`."""
    # Of series of one length the number is a quotient, which takes less than looking it up.
    numbers = np.minimum(places // max(int(before[1]), 1), len(before) - 2)
    if not ((before[numbers] <= places) & (places < before[numbers + 1])).all():
        numbers = np.searchsorted(before, places, side="right") - 1
    return numbers, places - before[numbers]
