"""Text files of rows: delimited ones and JSON lines, with the number of every row as a person counts it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from gatework.data._content import refuse_too_many_fields
from gatework.data._dialect import sniffed, with_plain_line_ends, with_plain_quotes, with_quotes_within
from gatework.data._footers import are_footers
from gatework.data._header import NAMELESS, names_of, names_over_two_rows
from gatework.data._table_rows import TableRows, last_rows_left_out, row_name
from gatework.data.reading import Reading
from gatework.errors import DataError


@dataclass(frozen=True)
class TextTable:
    """A text file's rows.

    Attributes:
        frame: The columns.
        row: A row's name for a person, as "row 7", from its position.
        separator: What stands between fields; None for JSON lines.
        notes: What was decided that a person may not expect, one sentence each.
    """

    frame: pl.DataFrame
    row: Callable[[int], str]
    separator: str | None = None
    notes: tuple[str, ...] = ()


def read_delimited(content: bytes, where: str, reading: Reading) -> TextTable:
    """Reads CSV or TSV; every value stays a string, an absent one is null.

    Args:
        content: The file's content, UTF-8.
        where: The file's path, for messages.
        reading: May say what separates fields; found from the first rows if not.

    Returns:
        The rows; the file's first row is row 1, as in a spreadsheet. What is no row of the table is left out.

    Raises:
        DataError: The header repeats a name, or a row does not fit it.
    """
    content = with_plain_line_ends(content)
    dialect = sniffed(content, reading.separator)
    content, separator = content[dialect.start :], dialect.separator
    content, quotes = with_plain_quotes(content, separator)
    refuse_too_many_fields(content, separator, where)
    frame, below = parsed_rows(content, separator, where, dialect.lines)
    header = header_of(content, separator)
    if len(header) != frame.width:
        raise DataError(f"{where}: the header has {len(header)} fields and the rows {frame.width}; check its quotes")
    frame, rows, notes = with_names(frame, header, dialect.lines, where, separator)
    taken = rows.taken(frame, has_breaks=may_hold_breaks(content, frame), is_last=True)
    # Spreadsheets write empty columns beside a table.
    frame, names = taken.frame, taken.frame.columns
    empty = [name for name in names if (not name or name.startswith(NAMELESS)) and frame[name].is_null().all()]
    frame = frame.drop(empty) if len(empty) < len(names) else frame
    return TextTable(frame, taken.name, separator, (*dialect.notes, *quotes, *notes, *rows.notes, *below))


def header_of(content: bytes, separator: str) -> list[str]:
    """The fields of a file's first row."""
    start = content[:_LONGEST_HEADER].decode(errors="ignore").removeprefix("\ufeff")
    return next(csv.reader(io.StringIO(start, newline=""), delimiter=separator), [])


def with_names(
    frame: pl.DataFrame, header: list[str], above: int, where: str, separator: str
) -> tuple[pl.DataFrame, TableRows, tuple[str, ...]]:
    """The rows below a header with its names, what takes those of the table from them, and what is to be said.

    Args:
        frame: The rows below the first one, as texts.
        header: The fields of the first row.
        above: How many lines stand above it.
        where: The file's path, for messages.
        separator: What stands between fields.

    Raises:
        DataError: A name is repeated, or the first row is one of values.
    """
    names, more = names_over_two_rows(header, frame)
    names, frame = names_of(names, frame[more:], where, separator), frame[more:]
    frame = frame.rename(dict(zip(frame.columns, names, strict=True)))
    rows = TableRows(above + 2 + more, above + 2 + more + sum(name.count("\n") for name in header))
    notes = (f'The names of columns were put together from {1 + more} rows, such as "{names[-1]}".',) if more else ()
    return frame, rows, notes


def may_hold_breaks(content: bytes, frame: pl.DataFrame) -> bool:
    """Whether a field of a table may hold an end of a line: there are more lines than rows, and quotes."""
    return b'"' in content and content.count(b"\n") > frame.height


def parsed_rows(
    content: bytes, separator: str, where: str, above: int, line: int | None = None
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The rows of delimited text below its first one, and what is to be said of rows at the end that do not fit.

    Args:
        content: The text.
        separator: What stands between fields.
        where: The file's path, for messages.
        above: How many rows stand above the first one.
        line: How many lines do; as many if None.

    Raises:
        DataError: A row does not fit the first one.
    """
    try:
        return pl.read_csv(content, separator=separator, infer_schema=False), ()
    except pl.exceptions.PolarsError as error:
        if (plain_content := with_quotes_within(content, separator)) is not None:
            return pl.read_csv(plain_content, separator=separator, infer_schema=False), ()
        if (plain_content := _with_longer_header(content, separator)) is not None:
            # An empty column behind the others has no name in the first row.
            return pl.read_csv(plain_content, separator=separator, infer_schema=False)[:, :-1], ()
        if _are_quotes_letters(content, separator):
            frame = pl.read_csv(content, separator=separator, infer_schema=False, quote_char=None)
            return frame, ("Quotes were read as letters, as they do not stand around fields.",)
        plain_content, notes = _without_wide_footers(content, separator)
        if plain_content:
            return pl.read_csv(plain_content, separator=separator, infer_schema=False), notes
        reason = _misfit(content, separator, str(error), above, above if line is None else line)
        raise DataError(f"{where}{reason}") from None


_LONGEST_HEADER = 1 << 20


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
    return TextTable(frame, lambda at: f"line {numbers[at]:,}")


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


def _with_longer_header(content: bytes, separator: str) -> bytes | None:
    """The text with one more separator in its first row, where every other one ends with one more; else None."""
    reader = csv.reader(io.StringIO(content.decode(), newline=""), delimiter=separator, strict=True)
    try:
        width, line = len(next(reader)), reader.line_num
        if any(len(fields) != width + 1 or fields[-1].strip() for fields in reader if fields):
            return None
    except csv.Error:
        return None
    lines = content.split(b"\n")
    lines[line - 1] = lines[line - 1].removesuffix(b"\r") + separator.encode()
    return b"\n".join(lines)


def _are_quotes_letters(content: bytes, separator: str) -> bool:
    """Whether no field begins with a quote, and every line has as many fields as the first."""
    if re.search(rb'(?m)(?:^|%b)"' % re.escape(separator).encode(), content):
        return False
    return len({line.count(separator.encode()) for line in content.splitlines() if line.strip()}) == 1


def _without_wide_footers(content: bytes, separator: str) -> tuple[bytes, tuple[str, ...]]:
    """The text without rows at its end that are sentences with more separators than a row has, and what to say of it.

    Nothing, and nothing to say, where the rows that do not fit are not such.
    """
    rows: list[list[str]] = []
    starts = [0]
    reader = csv.reader(io.StringIO(content.decode(), newline=""), delimiter=separator, strict=True)
    try:
        for fields in reader:
            rows.append(fields)
            starts.append(reader.line_num)
    except csv.Error:
        return b"", ()
    first = next((at for at, fields in enumerate(rows) if len(fields) > len(rows[0])), len(rows))
    above = pl.Series([fields[0] for fields in rows[1:first] if any(fields)], dtype=pl.String)
    texts = [fields[0] for fields in rows[first:] if any(fields)]
    if not texts or above.is_empty() or not are_footers(texts, above):
        return b"", ()
    lines = content.split(b"\n")[: starts[first]]
    return b"\n".join(lines), (last_rows_left_out("text and no values", rows[first], len(texts)),)


def _misfit(content: bytes, separator: str, reason: str, above: int, above_lines: int) -> str:
    """Why a delimited file cannot be read, with the row, as the end of a sentence that begins with its path."""
    reader = csv.reader(io.StringIO(content.decode(), newline=""), delimiter=separator, strict=True)
    width, name = 0, row_name(above + 1, above_lines + 1)
    try:
        for number, fields in enumerate(reader, start=above + 1):
            width = width or len(fields)
            if len(fields) == width + 1 and not fields[-1].strip():
                return f', {name} ends with "{separator}" and the header does not; take it away, or add one there'
            if len(fields) > width:
                return (
                    f", {name}: {len(fields)} fields where the header has {width}; "
                    f'put double quotes around a text that holds "{separator}"'
                )
            name = row_name(number + 1, above_lines + reader.line_num + 1)
    except csv.Error as error:
        return f", {name}: the quotes do not fit ({error}); write a quote inside a quoted text twice"
    if content.count(b'"') % 2:
        last = above_lines + 1 + content[: content.rindex(b'"')].count(b"\n")
        return (
            f" has a quote that no other one closes, the last of all in line {last:,}; "
            "write a quote inside a text twice, or copy the file again if it was cut"
        )
    return f" cannot be read as a table: {reason.splitlines()[0]}"
