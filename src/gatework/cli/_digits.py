"""How many digits a person reads in a table of answers: few of the answers, all of what the person gave."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_DIGITS = 6
# A large value keeps these: on a level of a thousand million the first six digits say nothing.
_PLACES = 3


def few_digits(rows: pl.DataFrame, given: Collection[str] = ()) -> pl.DataFrame:
    """A flat table for reading: six significant digits, and no fewer than three places behind the point.

    Args:
        rows: The table.
        given: The columns that a person gave, whose values stay as they are.
    """
    import polars as pl
    import polars.selectors as cs

    number = cs.float() - cs.by_name(*given, require_all=False)
    is_large = number.abs() >= 10 ** (_DIGITS - _PLACES)
    return rows.with_columns(pl.when(is_large).then(number.round(_PLACES)).otherwise(number.round_sig_figs(_DIGITS)))
