"""A table that nobody has said anything of yet: what each of its columns holds, as far as its values show."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import polars as pl

from gatework.data.numbers import MISSING_WORDS, as_texts, number_marks, parsed_numbers
from gatework.data.tables import Table
from gatework.data.time_formats import TIME_OF_DAY, are_times, number_kind
from gatework.options import ColumnKind, ColumnSummary

_EXAMPLES = 3
# Words that come again: so many rows for each of them, on average.
_ROWS_A_WORD = 5
# Times come again, and not by mistake, where so few of the rows have one of their own.
_OWN_TIMES = 0.9
# Numbers count time in a column that is called so.
_CALLED_TIME = re.compile(
    r"(?i)(^|_|\b)(time|date|day|month|year|stamp|datetime|ts|ds|datum|zeit|tag|monat|jahr|fecha|hora|mes|año|heure|jour|"
    r"mois|année|data|ora|giorno|mese|anno|tijd|dag|maand|jaar|dato|tid|czas)(\b|_|$)|timestamp|zeitstempel"
)


def column_summaries(table: Table) -> tuple[ColumnSummary, ...]:
    """What each column of a table holds, in order.

    Args:
        table: The table, with what a person says of how it is read.
    """
    columns = tuple(_summary(table, name) for name in table.frame.columns)
    time = next((column for column in columns if column.kind == "times"), None)
    distinct = len(table) if time is None else table.frame[time.name].n_unique()
    if time is None or distinct == len(table):
        return columns
    again = distinct < _OWN_TIMES * len(table)
    return tuple(
        replace(one, tells_apart=_tells_apart(table, time.name, one), comes_again=again and one is time)
        for one in columns
    )


def _tells_apart(table: Table, time: str, column: ColumnSummary) -> bool:
    if column.kind == "words" and table.frame[column.name].cast(pl.String).str.contains(TIME_OF_DAY).all():
        return False
    if column.kind not in ("words", "number") or table.frame.select(time, column.name).n_unique() < len(table):
        return False
    # Measurements differ at each time by chance; the numbers of shops have nearly all times each.
    return column.kind == "words" or 2 * len(table) > table.frame[time].n_unique() * column.distinct


def _summary(table: Table, name: str) -> ColumnSummary:
    column = table.frame[name]
    if column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object):
        return ColumnSummary(name, "nested", 0, 0, ())
    texts = as_texts(column, name).str.strip_chars()
    present = texts.filter(texts.is_not_null() & ~texts.is_in(["", *MISSING_WORDS]))
    examples = tuple(present.unique(maintain_order=True).head(_EXAMPLES))
    distinct = present.n_unique()
    return ColumnSummary(name, _kind(column, present, distinct, table), distinct, len(table) - len(present), examples)


def _kind(column: pl.Series, present: pl.Series, distinct: int, table: Table) -> ColumnKind:
    if distinct < 2:
        return "nothing"
    if column.dtype.is_temporal():
        return "times"
    values = parsed_numbers(present, number_marks([present], table.reading)[0]).drop_nulls().to_numpy()
    is_number = len(values) > len(present) / 2 and not present.str.contains(r"(?i)^(true|false)$").all()
    if is_number and _CALLED_TIME.search(column.name) and number_kind(values):
        return "times"
    if not is_number and are_times(present):
        return "times"
    if is_number:
        is_numbering = len(values) == len(table) and bool((np.diff(values) == 1).all())
        return "numbering" if is_numbering else "number"
    if distinct <= len(present) / _ROWS_A_WORD:
        return "words"
    return "text" if present.str.contains(r"\S\s+\S").sum() > len(present) / 2 else "names"
