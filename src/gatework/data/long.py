"""Sequences of a long table: one row per step, the sequence it is of, its values, and one label for the whole sequence.

Rows are put in the order of their times. A missing value becomes the one before it in its sequence, and before the
first known one that one: the whole sequence is there when it is answered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from gatework.data._columns import series_of
from gatework.data.dataset import Columns, Dataset, Provenance, Split
from gatework.data.filling import forward_filled
from gatework.data.inputs import RaggedSeries
from gatework.data.numbers import numbers, parsed_numbers
from gatework.data.own import classes_of
from gatework.data.reading import Reading
from gatework.data.split import divided
from gatework.data.tables import Table, read_table
from gatework.data.timestamps import read_stamps
from gatework.data.ts_files import LABEL, SERIES, STEP, is_ts_file, read_ts
from gatework.errors import DataError, UsageError
from gatework.options import DataOptions, Names, TimeOptions, column_names

_SERIES, _VALUES = "series", "values"


@dataclass(frozen=True)
class LongTable:
    """The sequences of a long table, in the order of their first rows.

    Attributes:
        inputs: The steps of each.
        ids: What the table calls each, one column for each that tells sequences apart.
        labels: The label of each; None where they are not known.
        reading: How the table's texts became values.
        notes: What was found and how it was handled, one sentence each.
    """

    inputs: RaggedSeries
    ids: pl.DataFrame
    labels: pl.Series | None
    reading: Reading
    notes: tuple[str, ...] = ()

    def split(self, classes: tuple[str, ...]) -> Split:
        """The sequences as examples; their classes are all 0 where no label is known.

        Raises:
            DataError: A label is none of the classes.
        """
        if self.labels is None:
            return Split(self.inputs, np.zeros(len(self.ids), dtype=np.int64), self.ids)
        unknown = (~self.labels.is_in(classes)).arg_true()
        if len(unknown):
            raise DataError(
                f'the sequence "{_named(self.ids.row(unknown[0]))}" has the label "{self.labels[unknown[0]]}", which '
                f"is none of the classes {', '.join(classes)}"
            )
        targets = self.labels.cast(pl.Enum(classes)).to_physical().to_numpy().astype(np.int64)
        return Split(self.inputs, targets, self.ids)


def is_long(columns: Columns) -> bool:
    """Whether columns by role are those of a long table."""
    return _SERIES in columns


def long_table(source: Any, config: DataOptions) -> Table:
    """The rows of a table's path, of a file of the time-series classification archive, or of a frame.

    Raises:
        DataError: It cannot be read.
    """
    return read_ts(source) if is_ts_file(source) else read_table(source, Reading.given(config))


def read_long_dataset(source: Any, config: DataOptions, time: TimeOptions, values: Names) -> Dataset:
    """Reads and splits the sequences of a long table, by sequence.

    Args:
        source: A table's path or a frame.
        config: The column of the label, shares and seed.
        time: The columns of the sequences and of the time, and what stands for a missing value.
        values: The columns of the values; every other column of numbers if None.

    Raises:
        UsageError: A column must be named.
        DataError: The table cannot be used.
    """
    table = long_table(source, config)
    if is_ts_file(source):
        time, config = replace(time, series=SERIES, time=STEP), replace(config, label=LABEL)
    columns = long_columns(table, config, time, values)
    long = read_long(table, columns, time)
    labels = long.labels if long.labels is not None else pl.Series("label", [], dtype=pl.String)
    classes = classes_of(labels, table.where, str(columns["label"]), "sequence")
    test, fingerprint = None, table.fingerprint
    if config.test_file is not None:
        other = long_table(config.test_file, config)
        test = replace(read_long(other, columns, time, long.reading, classes).split(classes), beside=None)
        fingerprint = hashlib.sha256(f"{fingerprint} {other.fingerprint}".encode()).hexdigest()
    provenance = Provenance(table.where, "yours", fingerprint, long.notes)
    examples = replace(long.split(classes), beside=None)
    dataset = divided(examples, config, provenance, name=table.name, test=test, classes=classes, columns=columns)
    return replace(dataset, reading=long.reading)


def long_columns(table: Table, config: DataOptions, time: TimeOptions, values: Names) -> Columns:
    """The columns of a long table by role: "series", "time" where one is named, "values" and "label".

    Raises:
        UsageError: A column must be named, or is named twice.
        DataError: There is no such column, or none with numbers.
    """
    names = table.frame.columns
    if config.text is not None:
        raise UsageError("a long table of series (--series) has values in each row and no text; leave --text out")
    label = config.label or "label"
    if config.label is None and label not in names:
        raise UsageError(
            f"which column of {table.where} holds the class of a series? Name it with --label: there is "
            f"{', '.join(names)}"
        )
    ids, wanted = column_names(time.series, names), column_names(values, names)
    used = [*ids, *([time.time] if time.time else []), label]
    chosen = wanted or tuple(name for name in names if name not in used and table.is_numeric(name))
    for name in (*used, *chosen):
        table.column(name)
        if [*used, *chosen].count(name) > 1:
            raise UsageError(f'the column "{name}" is named twice; a column has one role')
    if not chosen:
        raise DataError(f"{table.where} has no column of numbers beside {', '.join(used)}; name the values by --value")
    return {_SERIES: ids, **({"time": time.time} if time.time else {}), _VALUES: chosen, "label": label}


def read_long(
    table: Table, columns: Columns, time: TimeOptions, kept: Reading | None = None, classes: Collection[str] = ()
) -> LongTable:
    """Reads the sequences of a long table.

    Args:
        table: The rows, in any order; without a column of labels, labels are not known.
        columns: By role, as `long_columns()` gives them.
        time: What stands for a missing value, and how times are read.
        kept: How the table that a task was trained on was read.
        classes: The classes that a task was trained on.

    Raises:
        DataError: A value is no number, a time is missing or stands twice, or a label changes within a sequence.
    """
    names = tuple(columns[_VALUES])
    table = table.deciding(names, kept, Reading.given(time=time))
    ids = tuple(columns[_SERIES])
    for name in ids:
        table.column(name)
    codes, known = series_of(table.frame, ids, table.where, table.row)
    order, reading, notes = _order(table, codes, columns, time, known, is_kept=kept is not None)
    in_order = [numbers(table.column(name), table.where, table.row, table.reading)[order] for name in names]
    ends = np.bincount(codes, minlength=len(known)).cumsum()
    values, filled = _filled(np.stack(in_order, axis=1), ends, time, names, [_named(id) for id in known])
    label = str(columns.get("label", ""))
    labels = _labels(table, label, codes, known, classes) if label in table.frame.columns else None
    notes = (*table.notes, *notes, *([filled] if filled else []))
    frame = pl.DataFrame(known, schema=dict.fromkeys(ids, pl.String), orient="row")
    return LongTable(RaggedSeries(values, ends.astype(np.int64)), frame, labels, reading, notes)


def _named(id: Sequence[str]) -> str:
    return ", ".join(id)


def _order(
    table: Table,
    codes: np.ndarray,
    columns: Columns,
    time: TimeOptions,
    known: Sequence[Sequence[str]],
    *,
    is_kept: bool,
) -> tuple[np.ndarray, Reading, tuple[str, ...]]:
    """The rows by sequence and time, how times were read, and what to say of it."""
    if "time" not in columns:
        note = "No column of times was named: the rows of a series were taken in the order of the table."
        return np.argsort(codes, kind="stable"), table.reading, (note,)
    column, reading = table.column(str(columns["time"])), table.reading
    notes: tuple[str, ...] = ()
    if time.time_format is None and _is_count(column):
        moments = table.numbers(column.name)
    else:
        stamps = read_stamps(
            column,
            codes,
            source=table.where,
            row=table.row,
            reading=reading,
            is_kept=is_kept and time.time_format is None,
        )
        moments = stamps.local if stamps.moments is None else stamps.moments
        reading, notes = replace(reading, time_format=stamps.format or reading.time_format), stamps.notes
    order = np.lexsort((moments, codes))
    again = np.flatnonzero((np.diff(codes[order]) == 0) & (np.diff(moments[order]) == 0))
    if len(again):
        first, second = order[again[0]], order[again[0] + 1]
        raise DataError(
            f"{table.where}: {table.row(int(first))} and {table.row(int(second))} of the series "
            f'"{_named(known[codes[first]])}" have the same time {column[int(first)]}; leave one row for each step, or '
            "name a further column by --series where one name stands for several series"
        )
    return order, reading, notes


def _is_count(column: pl.Series) -> bool:
    """Whether times are plain numbers, as steps or seconds are: only their order is of use."""
    if column.dtype.is_numeric():
        return True
    return column.dtype == pl.String and not parsed_numbers(column, Reading()).null_count()


def _filled(
    values: np.ndarray, ends: np.ndarray, time: TimeOptions, names: Sequence[str], known: Sequence[str]
) -> tuple[np.ndarray, str]:
    """The values without missing ones, and what to say of them."""
    missing = np.isnan(values)
    if not missing.any():
        return values, ""
    count = f"{int(missing.sum()):,} missing values were filled by "
    if time.missing == "zero":
        return np.where(missing, 0.0, values), f"{count}zero."
    step, variable = np.argwhere(missing)[0]
    if time.missing == "error":
        at = known[int(np.searchsorted(ends, step, side="right"))]
        raise DataError(f'the series "{at}" has no value in a row of the column "{names[variable]}"; fill it in')
    filled = np.empty_like(values)
    for name, start, end in zip(known, [0, *ends[:-1]], ends, strict=True):
        part = values[start:end]
        empty = np.isnan(part).all(axis=0)
        if empty.any():
            raise DataError(
                f'the series "{name}" has no value at all in the column "{names[int(empty.argmax())]}"; leave out the '
                "series or the column, or let --missing zero stand for it"
            )
        first = part[(~np.isnan(part)).argmax(axis=0), np.arange(part.shape[1])]
        filled[start:end] = forward_filled(part, first)
    return filled, f"{count}the value before them in their series, or the first one."


def _labels(
    table: Table, column: str, codes: np.ndarray, known: Sequence[Sequence[str]], classes: Collection[str]
) -> pl.Series:
    """The label of each sequence.

    Raises:
        DataError: A label is missing, or changes within a sequence.
    """
    labels = table.labels(column, classes)
    first = np.unique(codes, return_index=True)[1]
    changed = (labels != labels[first[codes]]).arg_true()
    if len(changed):
        at = int(changed[0])
        raise DataError(
            f'{table.where}: {table.row(at)} has the label "{labels[at]}" in the column "{column}", and the series '
            f'"{_named(known[codes[at]])}" began with "{labels[int(first[codes[at]])]}"; a series has one label'
        )
    return labels[first].rename("label")
