"""Files of the time-series classification archive (`.ts`), as a long table with a row for each step.

A header of lines that begin with "@", then one line for each series: its variables with ":" between them, the values of
each with "," between them, "?" where one is missing, and the class at the end.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from gatework.data._content import as_utf8, existing, file_content, printable
from gatework.data.tables import Table
from gatework.errors import DataError

SERIES, STEP, LABEL = "series", "step", "label"
"""The columns beside those of the values."""


def is_ts_file(source: Any) -> bool:
    """Whether a source is the path of such a file."""
    return isinstance(source, (str, os.PathLike)) and str(source).lower().removesuffix(".gz").endswith(".ts")


def read_ts(source: Any) -> Table:
    """Reads such a file.

    Raises:
        DataError: It is missing or no such file, a series has no class, or its variables have several lengths.
    """
    path = Path(source)
    existing(path)
    where, content = printable(str(path)), file_content(path)
    lines = [line.strip() for line in as_utf8(content, path)[0].decode().splitlines()]
    start = next((at for at, line in enumerate(lines) if line.lower() == "@data"), None)
    if start is None:
        raise DataError(f'{where} has no line "@data"; a header of such lines and then the series were expected')
    header = [line.lower().split() for line in lines[:start]]
    if ["@timestamps", "true"] in header or ["@classlabel", "false"] in header:
        raise DataError(f"{where} has times of its own or no classes; write it as a long table and name its columns")
    numbered = [(at, line) for at, line in enumerate(lines[start + 1 :], start + 2) if line and line[0] not in "#%"]
    series = [_series(line, f"{where}, line {at:,}") for at, line in numbered]
    if not series:
        raise DataError(f'{where} is empty: one line for each series was expected after "@data"')
    widths = [len(variables) for variables, _ in series]
    if len(set(widths)) > 1:
        at = next(k for k, width in enumerate(widths) if width != widths[0])
        raise DataError(f"{where}, line {numbered[at][0]:,} has {widths[at]} variables, expected {widths[0]}")
    frame = _frame(series, widths[0])
    fingerprint = hashlib.sha256(content).hexdigest()
    rows = [at for (at, _), (variables, _) in zip(numbered, series, strict=True) for _ in variables[0]]
    return Table(frame, where, path.name.removesuffix(".gz")[:-3], lambda at: f"line {rows[at]:,}", fingerprint)


def _series(line: str, where: str) -> tuple[list[list[str]], str]:
    """The texts of each variable of a series, and its class."""
    *parts, label = line.split(":")
    variables = [part.split(",") for part in parts]
    if not variables or not label.strip():
        raise DataError(f'{where} has no class; the class was expected behind the last ":"')
    lengths = {len(values) for values in variables}
    if len(lengths) > 1:
        raise DataError(f"{where} has variables of {min(lengths)} to {max(lengths)} steps, expected one length")
    return variables, label.strip()


def _frame(series: Iterable[tuple[list[list[str]], str]], width: int) -> pl.DataFrame:
    columns: dict[str, list[Any]] = {name: [] for name in (SERIES, STEP, LABEL)}
    values: list[list[str]] = [[] for _ in range(width)]
    for number, (variables, label) in enumerate(series, start=1):
        steps = len(variables[0])
        columns[SERIES] += [str(number)] * steps
        columns[STEP] += range(steps)
        columns[LABEL] += [label] * steps
        for column, texts in zip(values, variables, strict=True):
            column += [text.strip() for text in texts]
    return pl.DataFrame(columns | {f"value{k}": column for k, column in enumerate(values, start=1)})
