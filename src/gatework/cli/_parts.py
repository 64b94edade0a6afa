"""Predictions that come part by part, written as they come."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from gatework._files import atomic, folder_of, whole_folder
from gatework.cli._predictions import flat, for_csv
from gatework.errors import UsageError

if TYPE_CHECKING:
    import polars as pl


class Part(NamedTuple):
    """A part of predictions.

    Attributes:
        rows: The predictions.
        given: The columns that a person gave, whose values keep all their digits.
    """

    rows: pl.DataFrame
    given: Collection[str] = ()


def write_parts(parts: Iterable[Part], out: Path | None) -> None:
    """Writes parts to a .csv, .jsonl or .parquet file, to a folder of Parquet files, or prints them as CSV.

    What is written appears whole, or not at all.

    Raises:
        UsageError: The file's ending is none of these, or the folder is there already.
    """
    if out is None:
        _append(parts, sys.stdout.buffer, is_csv=True)
        return
    with folder_of(out):
        _write(parts, out)


def _write(parts: Iterable[Part], out: Path) -> None:
    if out.suffix in (".csv", ".jsonl"):
        with atomic(out) as temporary, open(temporary, "wb") as file:
            _append(parts, file, is_csv=out.suffix == ".csv")
    elif out.suffix == ".parquet":
        _write_file(parts, out)
    elif not out.suffix:
        _write_folder(parts, out)
    else:
        raise UsageError(f'--out {out} ends with "{out.suffix}", expected .csv, .jsonl, .parquet, or a folder')


def _append(parts: Iterable[Part], file: IO[bytes], *, is_csv: bool) -> None:
    for place, part in enumerate(parts):
        if is_csv:
            for_csv(*part).write_csv(file, include_header=place == 0)
        else:
            flat(part.rows).write_ndjson(file)


def _write_file(parts: Iterable[Part], out: Path) -> None:
    import polars as pl

    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as folder, atomic(out) as temporary:
        _fill(parts, Path(folder))
        pl.scan_parquet(sorted(Path(folder).iterdir()), glob=False).sink_parquet(temporary)


def _write_folder(parts: Iterable[Part], out: Path) -> None:
    if out.exists():
        raise UsageError(f"--out {out} is there already; name a new folder, or a .csv, .jsonl or .parquet file")
    with whole_folder(out) as temporary:
        _fill(parts, temporary)


def _fill(parts: Iterable[Part], folder: Path) -> None:
    for place, part in enumerate(parts):
        flat(part.rows).write_parquet(folder / f"part-{place:06}.parquet")
