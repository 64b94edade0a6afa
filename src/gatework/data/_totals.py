"""Rows of totals at the end of a table, as spreadsheets and reports write them."""

from __future__ import annotations

import re

import numpy as np
import polars as pl

from gatework.data.numbers import number_marks, parsed_numbers
from gatework.data.reading import Reading

TOTALS = re.compile(
    r"(?i)(?:grand |sub[- ]?)?totals?|sum|average|mean|(?:gesamt|zwischen|end)?summen?|gesamt(?:ergebnis)?|insgesamt|"
    r"ergebnis|mittelwert|durchschnitt|(?:total|somme|ensemble)(?: g[ée]n[ée]ral)?|moyenne|(?:suma|totale?s?|media)"
    r"(?: general| generale)?|totaal|summa|razem|celkem"
)
"""What stands in place of a time or a name in a row of totals; a colon may follow."""
_MOST_ROWS = 3
# A total is rounded as its table is.
_ROUNDING = 1e-3


def totals_at_end(frame: pl.DataFrame) -> int:
    """How many of the last rows hold totals: a word that says so, and the sum or mean of a column above them.

    Args:
        frame: The rows of a text file.
    """
    count = 0
    while count < min(_MOST_ROWS, frame.height - 2) and _has_word(frame.row(frame.height - 1 - count)):
        count += 1
    above = frame[: frame.height - count]
    while count and not _are_totals(frame[frame.height - count :], above):
        count, above = count - 1, frame[: frame.height - count + 1]
    return count


def _has_word(fields: tuple[str | None, ...]) -> bool:
    return any(field and TOTALS.fullmatch(field.strip().rstrip(":")) for field in fields)


def _are_totals(rows: pl.DataFrame, above: pl.DataFrame) -> bool:
    """Whether each row holds the sum or the mean of a column above it."""
    proven = np.zeros(rows.height, dtype=bool)
    for name in rows.columns:
        if not rows[name].str.contains(r"\d").any():
            continue
        reading = number_marks([above[name]], Reading())[0]
        values = parsed_numbers(above[name], reading).drop_nulls().to_numpy()
        written = parsed_numbers(rows[name], reading).fill_null(float("nan")).to_numpy()
        if len(values) > 1:
            for expected in (values.sum(), values.mean()):
                proven |= np.abs(written - expected) <= _ROUNDING * np.abs(values).sum() / len(values)
    return bool(proven.all())
