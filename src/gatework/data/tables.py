"""A person's table, in a file or in memory, to columns: text, labels and numbers, with errors that name the row.

CSV (also with semicolons), TSV, JSONL and Parquet files, each also gzipped; pandas, polars and pyarrow frames.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from gatework.data._delimited import read_delimited, read_json_lines
from gatework.errors import DataError, UsageError, nearest

SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
"""The kinds of file that are read; each may be followed by ".gz"."""


@dataclass(frozen=True, eq=False)
class Table:
    """Columns with what is needed to name a row in a message.

    Attributes:
        frame: The columns.
        where: The file's path, or "the data frame".
        name: The file's name without its endings.
        row: A row's name for a person, as "row 7", from its position.
        fingerprint: SHA-256 of the content.
    """

    frame: pl.DataFrame
    where: str
    name: str
    row: Callable[[int], str]
    fingerprint: str

    def __len__(self) -> int:
        return self.frame.height

    def column(self, name: str) -> pl.Series:
        """A column as it is.

        Raises:
            DataError: There is no such column.
        """
        if name not in self.frame.columns:
            raise DataError(f'{self.where} has no column "{name}": {nearest(name, self.frame.columns)}')
        return self.frame[name]

    def texts(self, name: str) -> pl.Series:
        """A column as strings, a missing value as an empty one."""
        return _strings(self.column(name), self.where).fill_null("").rename("text")

    def labels(self, name: str) -> pl.Series:
        """A column as class names without outer spaces.

        Raises:
            DataError: There is no such column, or some rows have no label.
        """
        labels = _strings(self.column(name), self.where).str.strip_chars()
        missing = (labels.is_null() | (labels == "")).arg_true()
        if len(missing):
            raise DataError(
                f'{self.where}: {len(missing):,} of {len(self):,} rows have no label in column "{name}", the first of '
                f"them {self.row(missing[0])}; fill them in or remove those rows"
            )
        return labels

    def is_numeric(self, name: str) -> bool:
        """Whether the column holds numbers: written as text, if any value is one."""
        column = self.frame[name]
        if column.dtype == pl.String:
            return column.str.strip_chars().cast(pl.Float64, strict=False).is_not_null().any()
        return column.dtype.is_numeric()

    def numbers(self, name: str) -> np.ndarray:
        """A column as finite numbers, float32.

        Raises:
            DataError: There is no such column, or a value is missing, infinite or no number; its row is named.
        """
        column = self.column(name)
        if column.dtype == pl.String:
            column = column.str.strip_chars()
            values = column.cast(pl.Float64, strict=False)
        elif column.dtype.is_numeric() or column.dtype == pl.Boolean:
            values = column.cast(pl.Float64)
        else:
            raise DataError(f'{self.where}: column "{name}" holds {column.dtype}, expected numbers')
        with np.errstate(over="ignore"):
            found = values.fill_null(np.nan).to_numpy().astype(np.float32)
        bad = np.flatnonzero(~np.isfinite(found))
        if len(bad):
            first = int(bad[0])
            value = column[first]
            said = "is empty" if value is None or value == "" else f'holds "{value}"'
            more = f" (and {len(bad) - 1:,} more)" if len(bad) > 1 else ""
            raise DataError(
                f'{self.where}, {self.row(first)}: column "{name}" {said}{more}, expected a finite number; '
                "correct it or remove those rows"
            )
        return found


def read_table(source: Any) -> Table:
    """Reads a table from a file, or takes a data frame.

    Args:
        source: A path, or a pandas, polars or pyarrow frame.

    Raises:
        DataError: The file is missing, empty, truncated, not UTF-8 or not what its ending says.
        UsageError: The source is neither a path of a known kind nor a frame.
    """
    table = _read_file(Path(source)) if isinstance(source, (str, os.PathLike)) else _from_frame(source)
    if not len(table):
        raise DataError(f"{table.where} is empty: a header and at least one row were expected")
    return table


def existing(path: Path) -> Path:
    """The path, if it exists.

    Raises:
        DataError: It does not; the nearest name in its folder is suggested.
    """
    if path.exists():
        return path
    folder = path.parent
    if not folder.is_dir():
        raise DataError(f"{path} is not there: the folder {folder} does not exist")
    names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    hint = nearest(path.name, names)
    hint = hint if hint.startswith("did you mean") else "check the name and the folder"
    raise DataError(f"{path} is not there; {hint}")


def stem(path: Path) -> str:
    """A file's name without the endings of its kind."""
    name = path.name.removesuffix(".gz")
    return Path(name).stem if Path(name).suffix.lower() in SUFFIXES else name


def _read_file(path: Path) -> Table:
    kind = Path(path.name.lower().removesuffix(".gz")).suffix
    existing(path)
    if kind not in SUFFIXES:
        hint = "save it as CSV" if kind in (".xlsx", ".xls", ".ods") else "give one of " + ", ".join(SUFFIXES)
        raise UsageError(f"{path} is not a kind of table that can be read; {hint} (or one of these gzipped)")
    content = _content(path)
    fingerprint = hashlib.sha256(content).hexdigest()
    if not content.strip():
        raise DataError(f"{path} is empty: a header and at least one row were expected")
    if kind == ".parquet":
        frame, numbers = _parquet(content, path), None
    else:
        content = _utf8(content, path)
        read = read_json_lines if kind in (".jsonl", ".ndjson") else read_delimited
        frame, numbers = read(content, str(path), "\t" if kind == ".tsv" else None)
    word = "line" if kind in (".jsonl", ".ndjson") else "row"

    def row(position: int) -> str:
        return f"{word} {position + 1 if numbers is None else numbers[position]:,}"

    return Table(frame, str(path), stem(path), row, fingerprint)


def _content(path: Path) -> bytes:
    if path.is_dir():
        raise DataError(f"{path} is a folder, and a file was expected")
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except EOFError:
        raise DataError(f"{path} is truncated: its compressed content ends early; copy or download it again") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} is damaged ({error}); copy or download it again") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from None


def _utf8(content: bytes, path: Path) -> bytes:
    """The content without a byte-order mark, if it is UTF-8."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError(f"{path} is UTF-16, and UTF-8 was expected; convert it: iconv -f UTF-16 -t UTF-8 {path.name}")
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}, row {line:,} (counted in lines of the file): byte 0x{content[error.start]:02x} is not valid "
            f"UTF-8; if the file is Latin-1, convert it: iconv -f LATIN1 -t UTF-8 {path.name}"
        ) from None
    return content


def _parquet(content: bytes, path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(content)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path} is not a Parquet file or is truncated ({reason}); copy or download it again") from None


def _from_frame(source: Any) -> Table:
    try:
        wide = nw.from_native(source, eager_only=True)
        frame = wide.to_polars()
    except nw.exceptions.NarwhalsError as error:
        raise DataError(f"the data frame cannot be read: {str(error).splitlines()[0]}") from None
    except ModuleNotFoundError as error:
        raise UsageError(f"this data frame needs the package {error.name}: pip install {error.name}") from None
    except TypeError:
        raise UsageError(
            f"a {type(source).__name__} is not data that can be read; give a data set's name, the path of a table or "
            "folder, or a pandas, polars or pyarrow frame (a lazy one collected)"
        ) from None
    fingerprint = hashlib.sha256(frame.write_json().encode()).hexdigest()
    return Table(frame, "the data frame", "frame", lambda position: f"row {position:,} (counted from 0)", fingerprint)


def _strings(column: pl.Series, where: str) -> pl.Series:
    if column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object):
        raise DataError(f'{where}: column "{column.name}" holds {column.dtype}, expected text')
    if column.dtype.is_float() and (column.drop_nulls().drop_nans() % 1 == 0).all():
        # Whole numbers become floats where a frame has missing ones: "1" is meant, not "1.0".
        column = column.fill_nan(None).cast(pl.Int64)
    return column.cast(pl.String)
