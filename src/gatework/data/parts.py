"""A folder of Parquet files part by part, so that it may be larger than memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from gatework.data._content import printable
from gatework.data.tables import Table, is_parquet_folder, parquet_files, with_partition
from gatework.errors import DataError

__all__ = ["ROWS", "is_parquet_folder", "parquet_files", "parquet_parts", "with_partition"]

ROWS = 65_536
"""The most rows of a part."""


def parquet_parts(folder: Path) -> Iterator[Table]:
    """The rows of every file, in order of the files' names; folders as `year=2024` add a column.

    Raises:
        DataError: A file cannot be read.
    """
    for file in parquet_files(folder):
        where, first = printable(str(file)), 0
        try:
            for frame in with_partition(pl.scan_parquet(file), file, folder).collect_batches(chunk_size=ROWS):
                yield _part(frame, where, first)
                first += frame.height
        except (OSError, pl.exceptions.PolarsError) as error:
            reason = str(error).splitlines()[0]
            raise DataError(f"{where} cannot be read as Parquet: {reason}") from None


def _part(frame: pl.DataFrame, where: str, first: int) -> Table:
    return Table(frame, where, where, lambda position: f"row {first + position + 1:,}", fingerprint="")
