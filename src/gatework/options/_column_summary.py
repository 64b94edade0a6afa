"""What a column holds as far as its values show, by which a task says what it could learn from a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

ColumnKind = Literal["times", "number", "numbering", "words", "names", "text", "nested", "nothing"]


@dataclass(frozen=True)
class ColumnSummary:
    """What a column holds.

    Attributes:
        name: The column.
        kind: Times; numbers; a numbering of the rows; words that come again; words that each come once or so; texts of
            several words; values within values; or nothing, where every value is the same or missing.
        distinct: How many values differ.
        missing: How many rows have none.
        examples: A few values, as they are written.
        tells_apart: Whether there is one row of each time for each of its values, where the table has times.
        comes_again: Whether these are times of which many stand in several rows.
    """

    name: str
    kind: ColumnKind
    distinct: int
    missing: int
    examples: tuple[str, ...]
    tells_apart: bool = False
    comes_again: bool = False


def columns_holding(columns: Iterable[ColumnSummary], *kinds: ColumnKind) -> list[str]:
    """The names of the columns of these kinds, in the order of the table."""
    return [column.name for column in columns if column.kind in kinds]


def over_time(columns: Iterable[ColumnSummary]) -> tuple[str, ...] | None:
    """The options by which a table is one of series over time, "--series" where it holds several; None if it is not."""
    columns = list(columns)
    times, apart = columns_holding(columns, "times"), [column.name for column in columns if column.tells_apart]
    targets = [name for name in columns_holding(columns, "number") if name not in apart]
    if not times or not targets:
        return None
    return ("--time", times[0], "--target", targets[0], *(("--series", apart[0]) if apart else ()))


def step_by_step(columns: Iterable[ColumnSummary]) -> tuple[str, ...] | None:
    """As `over_time()`, for tables with one row at most of each time and series: of comments by day this is None."""
    columns = list(columns)
    is_one = any(column.tells_apart for column in columns) or not any(column.comes_again for column in columns)
    return over_time(columns) if is_one else None
