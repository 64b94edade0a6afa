"""Text files of rows: delimited ones and JSON lines, with the number of every row as a person counts it."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections import Counter

import numpy as np
import polars as pl

from gatework.errors import DataError

_DELIMITERS = (",", ";", "\t")
_LONGEST_HEADER = 1 << 20


def read_delimited(content: bytes, where: str, delimiter: str | None) -> tuple[pl.DataFrame, np.ndarray]:
    """Reads CSV or TSV; every value stays a string, an absent one is null.

    Args:
        content: The file's content, UTF-8.
        where: The file's path, for messages.
        delimiter: What separates fields; found from the header if None.

    Returns:
        The columns, and each row's number: the header is row 1, as in a spreadsheet. Blank lines are left out.

    Raises:
        DataError: The header repeats a name, or a row does not fit it.
    """
    delimiter = delimiter or _delimiter(content)
    names = [name.strip() for name in _header(content, delimiter)]
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        count = Counter(names)[repeated[0]]
        raise DataError(f'{where} has {count} columns named "{repeated[0]}"; give each its own name')
    try:
        frame = pl.read_csv(content, separator=delimiter, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{where}{_misfit(content, delimiter, str(error))}") from None
    frame = frame.rename(dict(zip(frame.columns, names, strict=True)))
    return _without_blank_rows(frame, first=2)


def read_json_lines(content: bytes, where: str, _: str | None = None) -> tuple[pl.DataFrame, np.ndarray]:
    """Reads one JSON object per line.

    Args:
        content: The file's content, UTF-8.
        where: The file's path, for messages.

    Returns:
        The columns, and each row's line number, counted from 1. Blank lines are left out.

    Raises:
        DataError: A line is not a JSON object.
    """
    lines = content.split(b"\n")
    numbers = np.array([number for number, line in enumerate(lines, start=1) if line.strip()])
    try:
        frame = pl.read_ndjson(content, infer_schema_length=None)
    except pl.exceptions.PolarsError as error:
        for number in numbers:
            try:
                is_object = isinstance(json.loads(lines[number - 1]), dict)
                found = "another value"
            except ValueError as problem:
                is_object, found = False, str(problem)
            if not is_object:
                raise DataError(f"{where}, line {number:,}: a JSON object was expected, found {found}") from None
        raise DataError(f"{where} cannot be read as JSON lines: {str(error).splitlines()[0]}") from None
    return frame, numbers


def _delimiter(content: bytes) -> str:
    """The delimiter that cuts the header into most columns; the comma if none does."""
    return max(_DELIMITERS, key=lambda delimiter: len(_header(content, delimiter)))


def _header(content: bytes, delimiter: str) -> list[str]:
    """The fields of the first row, which may run over several lines."""
    start = content[:_LONGEST_HEADER].decode(errors="ignore")
    try:
        return next(csv.reader(io.StringIO(start, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return []


def _without_blank_rows(frame: pl.DataFrame, first: int) -> tuple[pl.DataFrame, np.ndarray]:
    is_blank = frame.select(pl.all_horizontal(pl.all().is_null())).to_series().to_numpy()
    if frame.width == 1:
        # A blank line may be an empty text of the only column; those at the end are not.
        is_blank[: len(is_blank) - int(np.argmin(is_blank[::-1]))] = False
    kept = np.flatnonzero(~is_blank)
    return frame[kept], kept + first


def _misfit(content: bytes, delimiter: str, reason: str) -> str:
    """Why a delimited file cannot be read, with the row, as the end of a sentence that begins with its path."""
    csv.field_size_limit(sys.maxsize)
    reader = csv.reader(io.StringIO(content.decode(), newline=""), delimiter=delimiter, strict=True)
    width, number = 0, 0
    try:
        for number, fields in enumerate(reader, start=1):
            width = width or len(fields)
            if len(fields) > width:
                return (
                    f", row {number:,}: {len(fields)} fields where the header has {width}; "
                    f'put double quotes around a text that holds "{delimiter}"'
                )
    except csv.Error as error:
        return f", row {number + 1:,}: the quotes do not fit ({error}); write a quote inside a quoted text twice"
    return f" cannot be read as a table: {reason.splitlines()[0]}"
