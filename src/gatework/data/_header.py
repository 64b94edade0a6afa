"""The names of a delimited file's columns, told from values: a table without a header loses a row and has no names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import polars as pl

from gatework.data._footers import holds
from gatework.data._units import units_at_start
from gatework.data.numbers import MISSING_WORDS
from gatework.errors import DataError

NAMELESS = "column "
"""The beginning of the name of a column that has none."""
# Byte-order marks in the middle of a file that was put together, and spaces of no width.
_UNSEEN = "\ufeff\u200b\u2060"
_LOOKED_AT, _SHOWN, _FEWEST_ROWS = 200, 3, 3
_NUMBER = re.compile(r"[+-]?(\d[\d .,'\u00a0\u202f]*|[.,]\d+)([eE][+-]?\d+)?")
_STAMP = re.compile(r"\d+([-/.:T ]+\d+){2,}(Z|[+-]\d\d:?\d\d)?")
_SENTENCE = re.compile(r"\S+ +\S+ +\S")
_YEARS = range(1800, 2200)
# So many numbers in order, up or down, are wavelengths or positions, and fewer are by chance.
_FEWEST_IN_ORDER = 4


def names_of(header: Sequence[str], rows: pl.DataFrame, where: str, separator: str) -> list[str]:
    """The columns' names without outer spaces; a number in place of an empty one.

    Args:
        header: The fields of the first row.
        rows: The rows below it, as texts.
        where: The file's path, for messages.
        separator: What stands between fields.

    Raises:
        DataError: A name is repeated, or the first row is one of values.
    """
    names = [_plain(name) for name in header]
    if _are_values(names, rows.head(_LOOKED_AT)):
        shown, example = names[:_SHOWN], [f"name{at + 1}" for at in range(min(len(names), _SHOWN))]
        more = "..." if len(names) > _SHOWN else ""
        are_words = all(_kind(name) == "word" for name in names)
        raise DataError(
            f"{where} begins with values ({', '.join(shown)}{more and ', ' + more}), where a row with the names of "
            "the columns was expected; write one above them, such as "
            f'"{separator.join(example)}{more and separator + more}"'
            f"{'' if are_words else ', or put a letter before names that are numbers or dates'}"
        )
    names = plain_names(names)
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        count = Counter(names)[repeated[0]]
        raise DataError(f'{where} has {count} columns named "{repeated[0]}"; give each its own name')
    return names


def plain_names(header: Iterable[str]) -> list[str]:
    """The fields of a header without outer spaces and marks that nobody sees, a number where several are empty."""
    names = [_plain(name) for name in header]
    return [name or (f"{NAMELESS}{at}" if names.count("") > 1 else "") for at, name in enumerate(names, start=1)]


def names_over_two_rows(header: Sequence[str], rows: pl.DataFrame) -> tuple[list[str], int]:
    """The fields of a header that goes on in the row below it, as merged cells leave it, and how many rows it takes.

    It does where fields of the first row are empty or repeated, and where the second one holds words above numbers and
    times alone. A third row may name the first column, as pandas writes it.

    Args:
        header: The fields of the first row.
        rows: The rows below it, as texts.

    Returns:
        The fields as they were, and 0, where it does not go on.
    """
    upper = [_plain(name) for name in header]
    if rows.height < _FEWEST_ROWS:
        return list(header), 0
    lower, third = ([_plain(field or "") for field in rows.row(at)] for at in (0, 1))
    has_index = bool(third[0]) and not any(third[1:]) and _kind(third[0]) == "word"
    is_merged = any(low and (not name or upper.count(name) > 1) for name, low in zip(upper[1:], lower[1:], strict=True))
    is_second = all(name == "" or _kind(name) == "word" for name in lower) and (has_index or is_merged)
    if not is_second or units_at_start(rows.head(_LOOKED_AT)):
        return list(header), 0
    kinds = [holds(column) for column in rows[2:_LOOKED_AT]]
    typed = {name for name, kind in zip(lower, kinds, strict=True) if kind}
    if not any(typed) or typed & MISSING_WORDS - {""}:
        return list(header), 0
    has_index = has_index and bool(kinds[0])
    if has_index and not is_merged and len(set(lower[1:])) == 1:
        return [third[0], *upper[1:]], 2  # the second level says the same of all, as a share's name
    if not is_merged:
        return list(header), 0
    last = ""
    for at, name in enumerate(upper):
        last = upper[at] = name or (last if lower[at] else "")
    names = [" ".join(filter(None, pair)) for pair in zip(upper, lower, strict=True)]
    if has_index:
        return [third[0], *names[1:]], 2
    return (names, 1) if len(set(names)) == len(names) else (list(header), 0)


def _plain(name: str) -> str:
    return name.strip(_UNSEEN).strip()


def headers_again(rows: pl.DataFrame) -> np.ndarray:
    """Which rows are the header once more, as in files that were put together; shape (rows,), bool.

    A single column may well hold its own name.
    """
    return is_row(rows, [None if name.startswith(NAMELESS) else name for name in rows.columns], rows.columns)


def is_row(rows: pl.DataFrame, fields: Sequence[str | None], others: Sequence[str] = ()) -> np.ndarray:
    """Which rows have these fields but for outer spaces, shape (rows,), bool; none of a single column.

    Args:
        rows: The rows, as texts.
        fields: The fields.
        others: What each may be besides, if given.
    """
    is_same = np.zeros(rows.height, dtype=bool)
    if rows.width > 1:
        texts = [pl.nth(at).fill_null("").str.strip_chars(_UNSEEN).str.strip_chars() for at in range(rows.width)]
        known = [[_plain(field or ""), *others[at : at + 1]] for at, field in enumerate(fields)]
        alike = [text.is_in(may_be) for text, may_be in zip(texts, known, strict=True)]
        likely = rows.select(alike[0]).to_series().arg_true()
        if len(likely):
            is_same[likely] = rows[likely].select(pl.all_horizontal(alike)).to_series().to_numpy()
    return is_same


def _are_values(names: Sequence[str], rows: pl.DataFrame) -> bool:
    """Whether a first row is one of values: one of them is as those below it are, and no word stands above numbers."""
    kinds = [_kind(name) for name in names]
    if not rows.height or "" in names or not (set(kinds) - {"word"} or any(map(_SENTENCE.match, names))):
        return False
    if are_in_order([name for name, kind in zip(names, kinds, strict=True) if kind == "number"]):
        return False
    # Where files were put together, their headers come again as whole rows.
    come_again = tuple(names) in rows.iter_rows()
    is_like = False
    for name, kind, column in zip(names, kinds, rows, strict=True):
        below = {_kind(value.strip()) for value in column.drop_nulls()}
        if below and kind not in below:
            return False
        if kind != "word":
            is_like |= below == {kind}
        elif not (come_again or _SENTENCE.match(name)):
            is_like |= int((column == name).sum()) > 1  # one of the classes
    return is_like


def _kind(text: str) -> str:
    """What a field holds: "stamp", "number" or "word"."""
    if _STAMP.fullmatch(text):
        return "stamp"
    return "number" if _NUMBER.fullmatch(text) else "word"


def are_in_order(numbers: Sequence[str]) -> bool:
    """Whether the numbers among the names are such as columns have: years, positions, wavelengths."""
    try:
        values = [float(number.replace(",", ".")) for number in numbers]
    except ValueError:
        return False
    are_whole = all(value.is_integer() for value in values)
    if values and are_whole and all(value in _YEARS for value in values):
        return True
    is_rising = len(values) > 1 and all(before < after for before, after in pairwise(values))
    is_falling = all(before > after for before, after in pairwise(values))
    return (is_rising and are_whole) or ((is_rising or is_falling) and len(values) >= _FEWEST_IN_ORDER)
