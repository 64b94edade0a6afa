"""Rows of a table from lines as they come, CSV with a header or JSON objects."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any

from gatework.errors import DataError

SOURCE = "standard input"
"""What lines are said to come from in messages."""


def rows_of_lines(lines: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each row, and what to call it in messages.

    Args:
        lines: CSV with a header, or JSON objects, one a line; each is read when the one before has been answered.

    Raises:
        DataError: A line cannot be read.
    """
    header: list[str] | None = None
    is_json: bool | None = None
    for number, line in enumerate(_decoded(lines), start=1):
        text = line.strip().removeprefix("\ufeff")
        if not text:
            continue
        where = f"line {number}"
        if is_json is None:
            is_json = text.startswith("{")
        if is_json:
            yield where, _json_row(text, where)
        elif header is None:
            header = _fields(text, where)
        else:
            fields = _fields(text, where)
            if len(fields) != len(header):
                raise DataError(
                    f"{SOURCE}, {where} has {len(fields)} fields, expected {len(header)}: {', '.join(header)}"
                )
            yield where, dict(zip(header, fields, strict=True))


def _decoded(lines: Iterable[str]) -> Iterator[str]:
    """The lines as they are; a sentence instead of what Python says where one is no text."""
    try:
        yield from lines
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise DataError(f"{SOURCE}: byte 0x{byte:02x} is not valid UTF-8, which was expected") from None


def _fields(text: str, where: str) -> list[str]:
    try:
        return next(csv.reader([text]))
    except csv.Error as error:
        raise DataError(f"{SOURCE}, {where} is no CSV ({error}); one row a line was expected") from None


def _json_row(text: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(text)
    except ValueError as error:
        raise DataError(f"{SOURCE}, {where} is no JSON object ({error}); one object a line was expected") from None
    if not isinstance(row, dict):
        raise DataError(f"{SOURCE}, {where} is {text[:40]}, expected a JSON object")
    return row
