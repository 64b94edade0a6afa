"""A person's table with a time column, row by row: for tasks that answer every row as it stands and fill no gaps."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from gatework.data._columns import Columns, roles, series_of
from gatework.data.numbers import numbers, plain_texts
from gatework.data.reading import Reading
from gatework.data.tables import Table
from gatework.data.timestamps import read_stamps
from gatework.errors import DataError
from gatework.options import TimeOptions

_LABELS = {"0": False, "false": False, "1": True, "true": True}


@dataclass(frozen=True)
class EventRows:
    """The rows of one series, in the order of time.

    Attributes:
        id: Its value in each column that tells series apart; empty where the table is one series.
        index: Each row's position in the table, int64, shape (rows,).
        stamps: Microseconds since 1970 on the clock that the table was written with, int64, shape (rows,).
        values: The watched columns, float64, NaN where missing, shape (rows, variables).
        labels: Whether each row is labelled as anomalous, shape (rows,); None where no label was asked for.
    """

    id: tuple[str, ...]
    index: np.ndarray
    stamps: np.ndarray
    values: np.ndarray
    labels: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.index)

    @property
    def name(self) -> str:
        """The id in one text."""
        return ", ".join(self.id)


@dataclass(frozen=True)
class EventTable:
    """The rows of a table by series.

    Attributes:
        series: The series, in the order of their first rows.
        columns: What the columns are.
        source: The file, for messages.
        notes: What was found and how it was handled, one sentence each.
        reading: How its texts became values, so that a newer table and a stream are read likewise.
    """

    series: tuple[EventRows, ...]
    columns: Columns
    source: str
    notes: tuple[str, ...] = ()
    reading: Reading = field(default_factory=Reading)


def read_events(
    table: Table,
    config: TimeOptions,
    targets: Sequence[str],
    label: str | None = None,
    *,
    kept: Reading | None = None,
    known: Collection[tuple[str, ...]] = (),
) -> EventTable:
    """Reads a table with a time column row by row.

    Args:
        table: The table; its rows may stand in any order.
        config: The columns of time and series, and how times are written.
        targets: The columns to watch.
        label: The column that says which rows are anomalous: 0 or 1, or false or true.
        kept: How the table was read that a model was trained on.
        known: The ids that it was trained on.

    Raises:
        UsageError: A column is not named.
        DataError: A column is not there, a value is no finite number, or a time cannot be read.
    """
    columns = roles(table.frame, config, targets, table.where)
    given = Reading.given(time=config)
    table = table.deciding(columns.targets, kept, given)
    codes, ids = series_of(table.frame, columns.ids, table.where, table.row, known)
    is_kept = kept is not None and config.time_format is None
    stamps = read_stamps(
        table.frame[columns.time], codes, source=table.where, row=table.row, reading=table.reading, is_kept=is_kept
    )
    parts = [numbers(table.frame[name], table.where, table.row, table.reading) for name in columns.targets]
    values = np.stack(parts, axis=1)
    labels = labels_of(table, label) if label else None
    moments = stamps.local if stamps.moments is None else stamps.moments
    order = np.lexsort((np.arange(len(codes)), moments, codes))
    series = []
    for code, rows in enumerate(np.split(order, np.searchsorted(codes[order], np.arange(1, len(ids))))):
        marked = None if labels is None else labels[rows]
        series.append(EventRows(ids[code], rows, stamps.local[rows], values[rows], marked))
    notes = (*table.notes, *stamps.notes, *_notes(columns, codes, moments, order, values))
    reading = replace(table.reading, time_format=stamps.format or table.reading.time_format)
    return EventTable(tuple(series), columns, table.where, notes, reading)


def labels_of(table: Table, label: str) -> np.ndarray:
    """Whether each row is labelled as anomalous, shape (rows,).

    Raises:
        DataError: A label is none.
    """
    texts = plain_texts(table.column(label), f'{table.where}, column "{label}"', _LABELS).fill_null("")
    labels = texts.replace_strict(_LABELS, default=None, return_dtype=pl.Boolean)
    if labels.null_count():
        at = int(labels.is_null().arg_max() or 0)
        is_what = f'is "{texts[at]}"' if texts[at] else "is empty"
        raise DataError(
            f'{table.where}, column "{label}": {table.row(at)} {is_what}, expected 0 for a normal row or 1 for an '
            "anomalous one"
        )
    return labels.to_numpy()


def _notes(
    columns: Columns, codes: np.ndarray, moments: np.ndarray, order: np.ndarray, values: np.ndarray
) -> list[str]:
    notes = []
    same = np.diff(codes[order]) == 0
    gaps = np.diff(moments[order])[same]
    if ((np.diff(moments) < 0) & (np.diff(codes) == 0)).any():
        notes.append("Rows stood out of order and were sorted by time.")
    if (gaps == 0).any():
        notes.append(f"{int((gaps == 0).sum()):,} rows have the time of the row before; each is answered in its turn.")
    steps = gaps[gaps > 0]
    if len(steps) and (wide := int((steps > 1.5 * np.median(steps)).sum())):
        notes.append(f"{wide:,} gaps in time are wider than the usual step; the row after one follows the row before.")
    for name, missing in zip(columns.targets, np.isnan(values).sum(axis=0), strict=True):
        if missing:
            notes.append(f'{int(missing):,} values of "{name}" are missing; such a value has no score.')
    return notes
