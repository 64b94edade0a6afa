"""Which rows of a delimited file are those of its table, with the number of each as a person counts it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from gatework.data._footers import footers_at_end
from gatework.data._header import headers_again, is_row
from gatework.data._totals import totals_at_end
from gatework.data._units import units_at_start
from gatework.formatting import printable

_MOST_SHOWN, _LONGEST_SHOWN = 4, 80


@dataclass(frozen=True)
class NumberedRows:
    """Rows with their numbers.

    Attributes:
        frame: The rows.
        rows: The number of each among the rows of its file, the first of which is 1, as in a spreadsheet.
        lines: The line that each begins in, as an editor counts; fields in quotes may go on over several.
    """

    frame: pl.DataFrame
    rows: np.ndarray
    lines: np.ndarray

    def __len__(self) -> int:
        return self.frame.height

    def but(self, is_left_out: np.ndarray) -> NumberedRows:
        """The rows but for these, shape (rows,), bool."""
        if not is_left_out.any():
            return self
        return NumberedRows(self.frame.filter(~is_left_out), self.rows[~is_left_out], self.lines[~is_left_out])

    def but_last(self, count: int) -> NumberedRows:
        """The rows but for the last ones."""
        return NumberedRows(self.frame[:-count], self.rows[:-count], self.lines[:-count])

    def name(self, at: int) -> str:
        """What a row is called in messages."""
        return row_name(int(self.rows[at]), int(self.lines[at]))


def row_name(row: int, line: int) -> str:
    """What a row is called in messages."""
    return f"row {row:,}" if row == line else f"row {row:,} (line {line:,} of the file)"


class TableRows:
    """Takes the rows of a table from those of a delimited file, part by part; what was left out is told.

    Left out are empty rows, headers that come again, rows of units below the header, and footers below the table.

    Args:
        row: The number of the first row below the header.
        line: The line that it begins in.
    """

    def __init__(self, row: int, line: int) -> None:
        self.row, self.line = row, line
        self._units: list[tuple[str | None, ...]] = []
        self._headers, self._first_header, self._has_begun = 0, "", False
        self._notes = {"units": "", "headers": ""}

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out so far, one sentence each."""
        return tuple(filter(None, self._notes.values()))

    def taken(self, frame: pl.DataFrame, *, has_breaks: bool, is_last: bool) -> NumberedRows:
        """The rows of a table that are among the next rows of its file.

        Args:
            frame: The next rows, as texts.
            has_breaks: Whether a field may hold an end of a line.
            is_last: Whether the file ends with them.
        """
        numbered = self._numbered(frame, has_breaks)
        numbered = numbered.but(_are_blank(frame, is_last=is_last))
        numbered = self._without_units(self._without_headers(numbered))
        return self._without_end(numbered) if is_last else numbered

    def _numbered(self, frame: pl.DataFrame, has_breaks: bool) -> NumberedRows:
        rows = np.arange(self.row, self.row + frame.height)
        lines = rows if self.line == self.row else rows + (self.line - self.row)
        self.row, self.line = self.row + frame.height, self.line + frame.height
        if has_breaks and frame.height:
            breaks = pl.sum_horizontal(pl.all().str.count_matches("\n", literal=True).fill_null(0))
            more = np.cumsum(frame.select(breaks).to_series().to_numpy().astype(np.int64))
            lines, self.line = lines + np.append(0, more[:-1]), self.line + int(more[-1])
        return NumberedRows(frame, rows, lines)

    def _without_headers(self, numbered: NumberedRows) -> NumberedRows:
        again = headers_again(numbered.frame)
        if again.any():
            self._first_header = self._first_header or numbered.name(int(again.argmax()))
            self._headers += int(again.sum())
            several = f"{self._headers:,} rows, the first of them {self._first_header}, repeat the header and were"
            one = f"{_capital(self._first_header)} repeats the header and was"
            self._notes["headers"] = f"{one if self._headers == 1 else several} left out."
        return numbered.but(again)

    def _without_units(self, numbered: NumberedRows) -> NumberedRows:
        if not self._has_begun and len(numbered):
            self._has_begun = True
            if count := units_at_start(numbered.frame):
                self._units = numbered.frame[:count].rows()
                rows = _capital(numbered.name(0))
                rows = f"{rows} describes" if count == 1 else f"{rows} and the {_more(count)} below it describe"
                self._notes["units"] = f"{rows} the columns and {_was(count)} left out: {_shown(self._units[0])}."
                numbered = numbered.but(np.arange(len(numbered)) < count)
        for fields in self._units:  # where files were put together, they come again with the headers
            numbered = numbered.but(is_row(numbered.frame, fields))
        return numbered

    def _without_end(self, numbered: NumberedRows) -> NumberedRows:
        if count := footers_at_end(numbered.frame, numbered.rows):
            numbered = self._without_last(numbered, "text and no values", count)
        if count := totals_at_end(numbered.frame):
            numbered = self._without_last(numbered, "totals", count)
        return numbered

    def _without_last(self, numbered: NumberedRows, what: str, count: int) -> NumberedRows:
        self._notes[what] = last_rows_left_out(what, numbered.frame.row(len(numbered) - count), count)
        return numbered.but_last(count)


def _are_blank(frame: pl.DataFrame, *, is_last: bool) -> np.ndarray:
    """Which rows are empty, shape (rows,), bool."""
    is_blank = frame.select(pl.all_horizontal(pl.all().is_null())).to_series().to_numpy()
    if frame.width > 1:
        # A row of nothing but spaces has them in its first field.
        is_empty = frame.select(pl.all_horizontal(pl.nth(range(1, frame.width)).is_null())).to_series()
        places = (is_empty & frame[:, 0].is_not_null()).arg_true()
        is_blank = is_blank.copy()
        is_blank[places] = (frame[:, 0].gather(places).str.strip_chars() == "").to_numpy()
    elif frame.height:
        # A blank line may be an empty text of the only column; those at the end are not.
        at_end = int(np.argmin(is_blank[::-1])) if not is_blank.all() else frame.height
        is_blank = np.arange(frame.height) >= frame.height - (at_end if is_last else 0)
    return np.asarray(is_blank, dtype=bool)


def last_rows_left_out(what: str, first: Sequence[str | None], count: int) -> str:
    """What is said of the last rows of a file, given the first of them."""
    rows = "The last row holds" if count == 1 else f"The last {count} rows hold"
    return f"{rows} {what} and {_was(count)} left out: {_shown(first)}."


def _was(count: int) -> str:
    return "was" if count == 1 else "were"


def _more(count: int) -> str:
    return "one" if count == 2 else "two"


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _shown(row: Sequence[str | None]) -> str:
    fields = [field.strip() for field in row if field and field.strip()]
    shown = ", ".join(fields[:_MOST_SHOWN])
    shown = shown if len(shown) <= _LONGEST_SHOWN else shown[:_LONGEST_SHOWN] + "..."
    return printable(" ".join(shown.split()) + (", ..." if len(fields) > _MOST_SHOWN else ""))
