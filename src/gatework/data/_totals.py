"""Rows of totals at the end of a table, as spreadsheets and reports write them."""

from __future__ import annotations

import re

import numpy as np
import polars as pl

from gatework.data.numbers import number_marks, parsed_numbers
from gatework.data.reading import Reading

TOTALS = re.compile(
    r"(?i)(?:grand |sub[- ]?)?totals?|sum|average|mean|count|anzahl|(?:min|max)(?:imum)?|"
    r"(?:gesamt|zwischen|end)?summen?|gesamt(?:ergebnis)?|insgesamt|"
    r"ergebnis|mittelwert|durchschnitt|(?:total|somme|ensemble)(?: g[ée]n[ée]ral)?|moyenne|(?:suma|totale?s?|media)"
    r"(?: general| generale)?|totaal|summa|razem|celkem"
)
"""What stands in place of a time or a name in a row of totals; a colon may follow."""
_MOST_ROWS = 3
# A total is rounded as its table is.
_ROUNDING = 1e-3


def totals_at_end(frame: pl.DataFrame) -> int:
    """How many of the last rows hold totals: a word that stands nowhere above, and what it says of a column.

    That is its sum, mean, count, least or largest value.

    Args:
        frame: The rows of a text file.
    """
    count = 0
    while count < min(_MOST_ROWS, frame.height - 2) and _word(frame.row(frame.height - 1 - count)) is not None:
        count += 1
    above = frame[: frame.height - count]
    while count and not _are_totals(frame[frame.height - count :], above):
        count, above = count - 1, frame[: frame.height - count + 1]
    return count


def _word(fields: tuple[str | None, ...]) -> int | None:
    """Where a word for totals stands in a row."""
    return next((at for at, field in enumerate(fields) if field and TOTALS.fullmatch(field.strip().rstrip(":"))), None)


def _are_totals(rows: pl.DataFrame, above: pl.DataFrame) -> bool:
    """Whether each row holds the sum, the mean, the count, the least or the largest of a column above it."""
    places = {(_word(fields), fields[_word(fields) or 0]) for fields in rows.iter_rows()}
    if any(at is not None and (above.to_series(at) == word).any() for at, word in places):
        return False  # it is one of the classes
    proven = np.zeros(rows.height, dtype=bool)
    for name in rows.columns:
        if not rows[name].str.contains(r"\d").any():
            continue
        reading = number_marks([above[name]], Reading())[0]
        values = parsed_numbers(above[name], reading).drop_nulls().to_numpy()
        written = parsed_numbers(rows[name], reading).fill_null(float("nan")).to_numpy()
        if len(values) > 1:
            for expected in (values.sum(), values.mean(), values.min(), values.max(), len(values)):
                proven |= np.abs(written - expected) <= _ROUNDING * np.abs(values).sum() / len(values)
    return bool(proven.all())
