"""The columns of a table with a time column, by role, as numbers: texts are read, categories become indicators."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from gatework.data.numbers import MISSING_WORDS, numbers, parsed_numbers, plain_texts
from gatework.data.reading import Reading
from gatework.errors import DataError, UsageError, nearest
from gatework.options import TimeOptions, column_names

_MOST_CATEGORIES = 50
_MOST_NAMED = 10


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

    @property
    def numbers(self) -> tuple[str, ...]:
        """The columns that become numbers."""
        return (*self.targets, *self.known, *self.past, *self.static)

    def features(self, names: Sequence[str]) -> tuple[str, ...]:
        """The names of the numbers that these columns become."""
        return tuple(
            label
            for name in names
            for label in ([f"{name}={value}" for value in self.categories[name]] if name in self.categories else [name])
        )

    def slices(self) -> dict[str, slice]:
        """Where the targets, known, past and static numbers stand in a row of `matrix()`."""
        slices, start = {}, 0
        for role in ("targets", "known", "past", "static"):
            width = len(self.features(getattr(self, role)))
            slices[role] = slice(start, start + width)
            start += width
        return slices


def series_of(
    frame: pl.DataFrame,
    names: tuple[str, ...],
    source: str,
    row: Callable[[int], str],
    known: Collection[tuple[str, ...]] = (),
) -> tuple[np.ndarray, list[tuple[str, ...]]]:
    """Which series each row is of.

    Args:
        frame: The rows.
        names: The columns that tell series apart; the whole table is one series if empty.
        source: The file, for messages.
        row: Names a row for messages, given its position in the frame.
        known: The ids that a model was trained on.

    Returns:
        The series of each row as a number, int64, shape (rows,), and the ids in the order of those numbers, which is
        that of their first rows.

    Raises:
        DataError: A row does not say which series it is of.
    """
    if not names:
        return np.zeros(len(frame), dtype=np.int64), [()]
    keys = ids_of(frame, names, source, row, known)
    unique = keys.unique(maintain_order=True)
    codes = codes_from(keys, unique.with_columns(code=pl.int_range(len(unique), eager=True)))
    return codes.to_numpy(), unique.rows()


def as_written(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """The columns that tell series apart as a table has them, called "id0", "id1" and so on."""
    columns = [frame[name].rename(f"id{k}") for k, name in enumerate(names)]
    return pl.DataFrame([c.cast(pl.String) if c.dtype in (pl.Categorical, pl.Enum) else c for c in columns])


def codes_from(keys: pl.DataFrame, numbered: pl.DataFrame) -> pl.Series:
    """The number of each row's key, int64; missing where it has none.

    Args:
        keys: One row for each row of a table.
        numbered: Keys, each once, and their "code".
    """
    return keys.join(numbered, on=keys.columns, how="left", maintain_order="left")["code"]


def ids_of(
    frame: pl.DataFrame,
    names: tuple[str, ...],
    source: str,
    row: Callable[[int], str],
    known: Collection[tuple[str, ...]] = (),
) -> pl.DataFrame:
    """The id of each row, as texts, the same however a program wrote them (1.0 is 1), in the columns "id0", "id1" ...

    Raises:
        DataError: A row does not say which series it is of.
    """
    columns = []
    for at, name in enumerate(names):
        where = f'{source}, column "{name}"'
        columns.append(_plain(frame[name], where, {id[at] for id in known}).rename(f"id{at}"))
        if columns[-1].null_count():
            empty = int(columns[-1].is_null().arg_max() or 0)
            raise DataError(f"{where}: {row(empty)} is empty; every row must say which series it is of")
    return pl.DataFrame(columns)


def _plain(column: pl.Series, where: str, known: Collection[str]) -> pl.Series:
    """`plain_texts()`, which looks at every value but once where many rows have the same."""
    if not (column.dtype.is_integer() or column.dtype == pl.String):
        return plain_texts(column, where, known)
    distinct = column.unique()
    if 2 * len(distinct) > len(column):
        return plain_texts(column, where, known)
    return column.replace_strict(distinct, plain_texts(distinct, where, known), return_dtype=pl.String)


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
    ids, known, past, static = (
        column_names(names, frame.columns) for names in (config.series, config.known, config.past, config.static)
    )
    columns = Columns(config.time, ids, tuple(targets), known, past, static)
    every = [columns.time, *columns.ids, *columns.targets, *columns.known, *columns.past, *columns.static]
    for name in every:
        if every.count(name) > 1:
            raise UsageError(f'the column "{name}" is named {every.count(name)} times; a column has one role')
        if name not in frame.columns:
            raise DataError(f'{source} has no column "{name}": {nearest(name, frame.columns)}')
    return columns


def unused_notes(names: Sequence[str], columns: Columns) -> tuple[str, ...]:
    """A sentence on the columns of a table that have no role; nothing where all have one."""
    used = {columns.time, *columns.ids, *columns.numbers}
    unused = [name for name in names if name not in used]
    if not unused:
        return ()
    more = f" and {len(unused) - _MOST_NAMED:,} more" if len(unused) > _MOST_NAMED else ""
    return (
        f"Not used: {', '.join(unused[:_MOST_NAMED])}{more}. --known takes columns that are known ahead, such as a "
        "holiday or a promotion, --past those known up to now.",
    )


def matrix(
    frame: pl.DataFrame,
    columns: Columns,
    source: str,
    row: Callable[[int], str],
    like: Columns | None,
    reading: Reading | None = None,
) -> tuple[Columns, np.ndarray]:
    """The numbers of every row.

    Args:
        frame: The rows.
        columns: The columns by role.
        source: The file, for messages.
        row: Names a row, given its position.
        like: The columns that a model was trained on, whose categories are used.
        reading: The marks of numbers that are written as texts.

    Returns:
        The columns with their categories, and the numbers, shape (rows, features), float64, NaN where missing.

    Raises:
        DataError: A value is not a finite number.
    """
    others = (name for name in (*columns.known, *columns.past, *columns.static) if is_texts(frame[name]))
    categories = dict(like.categories) if like else categories_of({n: frame[n] for n in others}, source, reading)
    columns = replace(columns, categories=categories)
    parts: list[np.ndarray] = []
    for name in columns.numbers:
        if name in categories:
            parts.append(_indicators(frame[name], categories[name], source, row))
        else:
            parts.append(numbers(frame[name], source, row, reading)[:, None])
    return columns, np.concatenate([np.zeros((len(frame), 0)), *parts], axis=1)


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
    indicators = np.stack([(texts == value).to_numpy() for value in values], axis=1).astype(np.float64)
    indicators[~indicators.any(axis=1)] = np.nan
    return indicators


def is_texts(column: pl.Series) -> bool:
    """Whether a column holds texts, which may be categories."""
    return column.dtype in (pl.String, pl.Categorical, pl.Enum)


def categories_of(columns: Mapping[str, pl.Series], source: str, reading: Reading | None) -> dict[str, tuple[str, ...]]:
    """The values of each column of texts that is one of categories, in order.

    Args:
        columns: Columns of texts by name.
        source: The file, for messages.
        reading: The marks of numbers that are written as texts.

    Raises:
        DataError: A column holds too many different ones.
    """
    categories = {}
    for name, column in columns.items():
        texts = _texts(column)
        present = texts.filter(texts != "")
        if len(present) and parsed_numbers(present, reading or Reading()).null_count() == len(present):
            # A field left empty is a category of its own, as where most days are no holiday.
            values = texts.unique().sort().to_list()
            if len(values) > _MOST_CATEGORIES:
                raise DataError(
                    f'{source}: the column "{name}" holds {len(values)} different texts, at most {_MOST_CATEGORIES} '
                    "are taken as categories; leave it out or put its values into groups"
                )
            categories[name] = tuple(values)
    return categories


def _listed(columns: Sequence[str]) -> str:
    return "the columns are " + ", ".join(columns[:20])
