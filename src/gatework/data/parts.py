"""A folder of Parquet files part by part, so that it may be larger than memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from gatework.data._content import printable
from gatework.data.tables import Table
from gatework.errors import DataError

ROWS = 65_536
"""The most rows of a part."""


def is_parquet_folder(path: Path) -> bool:
    """Whether a path is a folder with Parquet files in it, or in folders below it."""
    return path.is_dir() and next(path.rglob("*.parquet"), None) is not None


def parquet_parts(folder: Path) -> Iterator[Table]:
    """The rows of every file, in order of the files' names; folders as `year=2024` add a column.

    Raises:
        DataError: A file cannot be read.
    """
    for file in sorted(folder.rglob("*.parquet")):
        where, first = printable(str(file)), 0
        steps = (step.partition("=") for step in file.relative_to(folder).parts[:-1])
        partition = [pl.lit(value).alias(name) for name, is_named, value in steps if is_named]
        try:
            for frame in pl.scan_parquet(file).with_columns(partition).collect_batches(chunk_size=ROWS):
                yield _part(frame, where, first)
                first += frame.height
        except (OSError, pl.exceptions.PolarsError) as error:
            reason = str(error).splitlines()[0]
            raise DataError(f"{where} cannot be read as Parquet: {reason}") from None


def _part(frame: pl.DataFrame, where: str, first: int) -> Table:
    return Table(frame, where, where, lambda position: f"row {first + position + 1:,}", fingerprint="")
