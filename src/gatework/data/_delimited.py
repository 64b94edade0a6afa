"""Text files of rows: delimited ones and JSON lines, with the number of every row as a person counts it."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from gatework.data._content import refuse_too_many_fields
from gatework.data._dialect import sniffed, with_plain_line_ends, with_plain_quotes, with_quotes_within
from gatework.data._header import NAMELESS, headers_again, names_of
from gatework.data._totals import totals_at_end
from gatework.data.reading import Reading
from gatework.errors import DataError


@dataclass(frozen=True)
class TextTable:
    """A text file's rows.

    Attributes:
        frame: The columns.
        numbers: Each row's number as a person counts it.
        separator: What stands between fields; None for JSON lines.
        notes: What was decided that a person may not expect, one sentence each.
    """

    frame: pl.DataFrame
    numbers: np.ndarray
    separator: str | None = None
    notes: tuple[str, ...] = ()


def read_delimited(content: bytes, where: str, reading: Reading) -> TextTable:
    """Reads CSV or TSV; every value stays a string, an absent one is null.

    Args:
        content: The file's content, UTF-8.
        where: The file's path, for messages.
        reading: May say what separates fields; found from the first rows if not.

    Returns:
        The rows; the file's first row is row 1, as in a spreadsheet. Blank rows are left out.

    Raises:
        DataError: The header repeats a name, or a row does not fit it.
    """
    content = with_plain_line_ends(content)
    dialect = sniffed(content, reading.separator)
    content, separator = content[dialect.start :], dialect.separator
    content, quotes = with_plain_quotes(content, separator)
    refuse_too_many_fields(content, separator, where)
    start = content[:_LONGEST_HEADER].decode(errors="ignore")
    header = next(csv.reader(io.StringIO(start, newline=""), delimiter=separator), [])
    try:
        frame = pl.read_csv(content, separator=separator, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        plain_content = with_quotes_within(content, separator)
        if plain_content is None:
            raise DataError(f"{where}{_misfit(content, separator, str(error), dialect.lines)}") from None
        frame = pl.read_csv(plain_content, separator=separator, infer_schema=False)
    if len(header) != frame.width:
        raise DataError(f"{where}: the header has {len(header)} fields and the rows {frame.width}; check its quotes")
    names = names_of(header, frame, where, separator)
    frame = frame.rename(dict(zip(frame.columns, names, strict=True)))
    # Spreadsheets write empty columns beside a table.
    empty = [name for name in names if (not name or name.startswith(NAMELESS)) and frame[name].is_null().all()]
    frame = frame.drop(empty) if len(empty) < len(names) else frame
    frame, numbers = _without_blank_rows(frame, first=dialect.lines + 2)
    notes, again = [*dialect.notes, *quotes], headers_again(frame)
    if again.any():
        first, count = numbers[again][0], int(again.sum())
        more = f"Row {first:,} repeats" if count == 1 else f"{count:,} rows, the first of them row {first:,}, repeat"
        notes.append(f"{more} the header and {'was' if count == 1 else 'were'} left out.")
        frame, numbers = frame.filter(~again), numbers[~again]
    if count := totals_at_end(frame):
        rows = "The last row holds" if count == 1 else f"The last {count} rows hold"
        notes.append(f"{rows} totals ({_shown(frame[-count])}) and {'was' if count == 1 else 'were'} left out.")
        frame, numbers = frame[:-count], numbers[:-count]
    return TextTable(frame, numbers, separator, tuple(notes))


def _shown(row: pl.DataFrame) -> str:
    fields = [field or "" for field in row.row(0)]
    return ", ".join(fields[:_MOST_SHOWN]) + (", ..." if len(fields) > _MOST_SHOWN else "")


_LONGEST_HEADER, _MOST_SHOWN = 1 << 20, 4


def read_json_lines(content: bytes, where: str, _: Reading) -> TextTable:
    """Reads one JSON object per line.

    Args:
        content: The file's content, UTF-8.
        where: The file's path, for messages.

    Returns:
        The rows, with their lines' numbers, counted from 1. Blank lines are left out.

    Raises:
        DataError: A line is not a JSON object.
    """
    if re.match(rb"\s*\[\s*\{", content):
        raise DataError(f"{where} is one JSON array; write each of its objects on a line of its own (jq -c '.[]')")
    lines = content.split(b"\n")
    numbers = np.array([number for number, line in enumerate(lines, start=1) if line.strip()])
    try:
        frame = pl.read_ndjson(content, infer_schema_length=None)
    except pl.exceptions.PolarsError as error:
        rows: list[Any] = []
        for number in numbers:
            rows.append(json_object(lines[number - 1], where, number))
        try:
            # Python writes NaN, and numbers of any length, which are not JSON.
            frame = pl.DataFrame(rows, infer_schema_length=None, strict=False)
        except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError):
            raise DataError(f"{where} cannot be read as JSON lines: {str(error).splitlines()[0]}") from None
    return TextTable(frame, numbers)


def json_object(line: bytes, where: str, number: int) -> dict[str, Any]:
    """The JSON object of a line.

    Args:
        line: The line.
        where: The file's path, for messages.
        number: The line's number, counted from 1.

    Raises:
        DataError: It is none.
    """
    try:
        value = json.loads(line, parse_int=_whole)
        if isinstance(value, dict):
            return value
        what = "another value"
    except RecursionError:
        what = "one that is nested too deeply"
    except ValueError as problem:
        what = str(problem)
    raise DataError(f"{where}, line {number:,}: a JSON object was expected, found {what}")


def _whole(digits: str) -> float:
    """A whole number, or a fraction's kind of number where it is too long for one."""
    return int(digits) if len(digits) < 19 else float(digits)


def _without_blank_rows(frame: pl.DataFrame, first: int) -> tuple[pl.DataFrame, np.ndarray]:
    is_blank = frame.select(pl.all_horizontal(pl.all().is_null())).to_series().to_numpy()
    if frame.width > 1:
        # A row of nothing but spaces has them in its first field.
        is_empty = frame.select(pl.all_horizontal(pl.nth(range(1, frame.width)).is_null())).to_series()
        places = (is_empty & frame[:, 0].is_not_null()).arg_true()
        is_blank = is_blank.copy()
        is_blank[places] = (frame[:, 0].gather(places).str.strip_chars() == "").to_numpy()
    if frame.width == 1 and len(frame):
        # A blank line may be an empty text of the only column; those at the end are not.
        is_blank[: len(is_blank) - int(np.argmin(is_blank[::-1]))] = False
    kept = np.flatnonzero(~is_blank)
    return frame[kept], kept + first


def _misfit(content: bytes, separator: str, reason: str, above: int) -> str:
    """Why a delimited file cannot be read, with the row, as the end of a sentence that begins with its path."""
    reader = csv.reader(io.StringIO(content.decode(), newline=""), delimiter=separator, strict=True)
    width, number = 0, above
    try:
        for number, fields in enumerate(reader, start=above + 1):
            width = width or len(fields)
            if len(fields) == width + 1 and not fields[-1].strip():
                return (
                    f', row {number:,} ends with "{separator}" and the header does not; take it away, or add one there'
                )
            if len(fields) > width:
                return (
                    f", row {number:,}: {len(fields)} fields where the header has {width}; "
                    f'put double quotes around a text that holds "{separator}"'
                )
    except csv.Error as error:
        return f", row {number + 1:,}: the quotes do not fit ({error}); write a quote inside a quoted text twice"
    if content.count(b'"') % 2:
        last = above + 1 + content[: content.rindex(b'"')].count(b"\n")
        return (
            f" has a quote that no other one closes, the last of all in line {last:,}; "
            "write a quote inside a text twice, or copy the file again if it was cut"
        )
    return f" cannot be read as a table: {reason.splitlines()[0]}"
