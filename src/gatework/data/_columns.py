"""The columns of a table with a time column, by role, as numbers: texts are read, categories become indicators."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from gatework.data.timestamps import MISSING_WORDS
from gatework.errors import DataError, UsageError, nearest
from gatework.options import TimeOptions, column_names

_MOST_CATEGORIES = 50


@dataclass(frozen=True)
class Columns:
    """What the columns are.

    Attributes:
        time: The time column.
        ids: The columns that tell series apart.
        targets: The columns to predict or watch.
        known: Columns known ahead.
        past: Columns known up to now.
        static: Columns that never change within a series.
        categories: The values of each column of `known`, `past` and `static` that holds texts, in order; such a column
            becomes one indicator per value.
    """

    time: str
    ids: tuple[str, ...]
    targets: tuple[str, ...]
    known: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def features(self, names: Sequence[str]) -> tuple[str, ...]:
        """The names of the numbers that these columns become."""
        return tuple(
            label
            for name in names
            for label in ([f"{name}={value}" for value in self.categories[name]] if name in self.categories else [name])
        )

    def slices(self) -> dict[str, slice]:
        """Where the targets, known, past and static numbers stand in a row of `matrix()`."""
        found, start = {}, 0
        for role in ("targets", "known", "past", "static"):
            width = len(self.features(getattr(self, role)))
            found[role] = slice(start, start + width)
            start += width
        return found


def series_of(
    frame: pl.DataFrame, names: tuple[str, ...], source: str, row: Callable[[int], str]
) -> tuple[np.ndarray, list[tuple[str, ...]]]:
    """Which series each row is of.

    Args:
        frame: The rows.
        names: The columns that tell series apart; the whole table is one series if empty.
        source: The file, for messages.
        row: Names a row for messages, given its position in the frame.

    Returns:
        The series of each row as a number, int64, shape (rows,), and the ids in the order of those numbers, which is
        that of their first rows.

    Raises:
        DataError: A row does not say which series it is of.
    """
    if not names:
        return np.zeros(len(frame), dtype=np.int64), [()]
    keys = frame.select(pl.col(name).cast(pl.String) for name in names)
    for name in names:
        if keys[name].null_count():
            at = int(keys[name].is_null().arg_max() or 0)
            raise DataError(f'{source}, column "{name}": {row(at)} is empty; every row must say which series it is of')
    unique = keys.unique(maintain_order=True).with_row_index("code")
    codes = keys.join(unique, on=list(names), how="left", maintain_order="left")["code"]
    return codes.to_numpy().astype(np.int64), unique.drop("code").rows()


def roles(frame: pl.DataFrame, config: TimeOptions, targets: Sequence[str], source: str) -> Columns:
    """The columns by role, each found in the table and used once.

    Raises:
        UsageError: The time column or the target is not named, or a column has two roles.
        DataError: The table has no such column.
    """
    if config.time is None:
        raise UsageError(f"{source}: name the column that holds the time by --time ({_listed(frame.columns)})")
    if not targets:
        raise UsageError(f"{source}: name the column to predict by --target ({_listed(frame.columns)})")
    columns = Columns(
        config.time,
        column_names(config.series, frame.columns),
        tuple(targets),
        column_names(config.known, frame.columns),
        column_names(config.past, frame.columns),
        column_names(config.static, frame.columns),
    )
    every = [columns.time, *columns.ids, *columns.targets, *columns.known, *columns.past, *columns.static]
    for name in every:
        if every.count(name) > 1:
            raise UsageError(f'the column "{name}" is named {every.count(name)} times; a column has one role')
        if name not in frame.columns:
            raise DataError(f'{source} has no column "{name}": {nearest(name, frame.columns)}')
    return columns


def matrix(
    frame: pl.DataFrame, columns: Columns, source: str, row: Callable[[int], str], like: Columns | None
) -> tuple[Columns, np.ndarray]:
    """The numbers of every row.

    Args:
        frame: The rows.
        columns: The columns by role.
        source: The file, for messages.
        row: Names a row, given its position.
        like: The columns that a model was trained on, whose categories are used.

    Returns:
        The columns with their categories, and the numbers, shape (rows, features), float64, NaN where missing.

    Raises:
        DataError: A value is not a finite number.
    """
    categories = dict(like.categories) if like else _categories(frame, columns, source)
    columns = replace(columns, categories=categories)
    parts: list[np.ndarray] = []
    for name in (*columns.targets, *columns.known, *columns.past, *columns.static):
        if name in categories:
            parts.append(_indicators(frame[name], categories[name], source, row))
        else:
            parts.append(numbers(frame[name], source, row)[:, None])
    return columns, np.concatenate(parts, axis=1)


def _texts(column: pl.Series) -> pl.Series:
    """A column's texts; an empty one where a value is missing."""
    texts = column.cast(pl.String).str.strip_chars()
    return texts.set(texts.is_in(list(MISSING_WORDS)), "").fill_null("")


def _indicators(column: pl.Series, values: tuple[str, ...], source: str, row: Callable[[int], str]) -> np.ndarray:
    """One column per category, 1 where it holds, shape (rows, categories); NaN where a text is missing.

    Raises:
        DataError: A text is none of the categories.
    """
    texts = _texts(column)
    unknown = ~texts.is_in(list(values)) & (texts != "")
    if unknown.any():
        at = int(unknown.arg_max() or 0)
        raise DataError(
            f'{source}, column "{column.name}": {row(at)} is "{texts[at]}", which the table learnt from never held; '
            f"expected one of {', '.join(value or 'an empty field' for value in values)}"
        )
    found = np.stack([(texts == value).to_numpy() for value in values], axis=1).astype(np.float64)
    found[~found.any(axis=1)] = np.nan
    return found


def _categories(frame: pl.DataFrame, columns: Columns, source: str) -> dict[str, tuple[str, ...]]:
    found = {}
    for name in (*columns.known, *columns.past, *columns.static):
        if frame[name].dtype not in (pl.String, pl.Categorical, pl.Enum):
            continue
        texts = _texts(frame[name])
        present = texts.filter(texts != "")
        if len(present) and present.cast(pl.Float64, strict=False).null_count() == len(present):
            # A field left empty is a category of its own, as where most days are no holiday.
            values = texts.unique().sort().to_list()
            if len(values) > _MOST_CATEGORIES:
                raise DataError(
                    f'{source}: the column "{name}" holds {len(values)} different texts, at most {_MOST_CATEGORIES} '
                    "are taken as categories; leave it out or put its values into groups"
                )
            found[name] = tuple(values)
    return found


def numbers(column: pl.Series, source: str, row: Callable[[int], str]) -> np.ndarray:
    """A column's numbers, float64, NaN where a value is missing.

    Raises:
        DataError: A value is a text or infinite.
    """
    where = f'{source}, column "{column.name}"'
    if column.dtype == pl.String:
        texts = column.str.strip_chars()
        texts = texts.set(texts.is_in(list(MISSING_WORDS)), None)
        parsed = texts.cast(pl.Float64, strict=False)
        wrong = parsed.is_null() & texts.is_not_null()
        if wrong.any():
            at = int(wrong.arg_max() or 0)
            raise DataError(f'{where}: {row(at)} is "{column[at]}", expected a number; mend the row or empty the field')
        values = parsed.fill_null(float("nan")).to_numpy()
    elif column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.Null):
        values = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    else:
        raise DataError(f"{where} holds {column.dtype}, expected numbers")
    if np.isinf(values).any():
        at = int(np.argmax(np.isinf(values)))
        raise DataError(f"{where}: {row(at)} is infinite, expected a finite number; mend the row or empty the field")
    return np.array(values, dtype=np.float64)


def _listed(columns: Sequence[str]) -> str:
    return "the columns are " + ", ".join(columns[:20])
