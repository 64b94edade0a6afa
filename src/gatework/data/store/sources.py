"""A table that may be larger than memory, piece by piece: Parquet files, folders of them, CSV, TSV and JSON lines."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from gatework.data._content import as_utf8, declared_encoding, existing, printable
from gatework.data._delimited import read_delimited
from gatework.data._dialect import sniffed, with_plain_line_ends, with_plain_quotes
from gatework.data._table_rows import row_name
from gatework.data.reading import Reading
from gatework.data.store.text_blocks import LINE, ROW, csv_blocks, evenly, json_blocks
from gatework.data.tables import SUFFIXES, Table, is_parquet_folder, parquet_files, stem, with_partition
from gatework.errors import DataError, UsageError

if TYPE_CHECKING:
    from gatework.options import DataOptions

ROWS = 65_536
"""The most rows of a part."""
LARGE = 1 << 30
"""The bytes from which on a file is packed into a store where nobody says so."""
_MANY = 1 << 23
"""The bytes from which on a table whose rows are examples of their own is answered part by part."""
_PARQUET = 4
"""A Parquet file holds about so many times its size."""
_HEAD = 1 << 20
_JSON = (".jsonl", ".ndjson")


def table_on_disk(source: Any) -> Path:
    """The path that was named as the table to be packed.

    Raises:
        UsageError: It is none.
    """
    if not isinstance(source, (str, os.PathLike)):
        raise UsageError("--store is of a table on disk; name its path, or leave --store out")
    return Path(source)


def is_table_path(path: Path) -> bool:
    """Whether a path is what this reads: a table's file that is not packed, or a folder of Parquet files."""
    return (path.is_file() and path.name.lower().endswith(SUFFIXES)) or is_parquet_folder(path)


def is_large(path: Path) -> bool:
    """Whether a table is packed into a store where nobody says so."""
    return is_table_path(path) and _size(path) > LARGE


def is_answered_in_parts(path: Path, reading: Reading) -> bool:
    """Whether a table is read part by part to be answered, where each row is an example of its own.

    Args:
        path: Its file, or a folder.
        reading: What is decided already of how it is read.
    """
    if not is_table_path(path) or _size(path) <= _MANY:
        return False
    # What a column of JSON lines holds is known once all lines are read.
    if path.suffix.lower() in _JSON:
        return False
    return _is_parquet(path) or not _hindrance(_head(path), path, reading)


def _is_parquet(path: Path) -> bool:
    return path.is_dir() or path.suffix.lower() == ".parquet"


def _size(path: Path) -> int:
    """About how many bytes a table takes in memory."""
    size = sum(file.stat().st_size for file in (parquet_files(path) if path.is_dir() else [path]))
    return size * (_PARQUET if _is_parquet(path) else 1)


def is_stored(source: Any, config: DataOptions) -> bool:
    """Whether data are packed into a store: where a person says so, or where they are a large table on disk."""
    return config.store is not None or (isinstance(source, (str, os.PathLike)) and is_large(Path(source)))


@dataclass(frozen=True)
class TableSource:
    """A table on disk.

    Attributes:
        path: The file, or the folder of Parquet files.
        reading: What is decided of how its texts become values.
        left_out: What was left out of each file that was read, in sentences.
    """

    path: Path
    reading: Reading
    left_out: dict[Path, tuple[str, ...]] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, path: Path, reading: Reading) -> TableSource:
        """The table at a path.

        Raises:
            DataError: There is none, or one that cannot be read piece by piece.
        """
        if not is_table_path(existing(path)):
            raise DataError(
                f"{printable(str(path))} cannot be read piece by piece: a folder of Parquet files, or a file that ends "
                f"with {', '.join(SUFFIXES)}, was expected; unpack a .gz file first"
            )
        if path.is_file() and path.suffix.lower() in (".csv", ".tsv"):
            reading = _with_separator(path, reading)
        return cls(path, reading)

    @property
    def where(self) -> str:
        """The path for messages."""
        return printable(str(self.path))

    @property
    def name(self) -> str:
        """What the data are called."""
        return printable(self.path.resolve().name) if self.path.is_dir() else stem(self.path)

    @property
    def files(self) -> list[Path]:
        """Every file, in the order of reading."""
        return parquet_files(self.path) if self.path.is_dir() else [self.path]

    def stamps(self) -> list[list[Any]]:
        """What tells this source from another."""
        return stamps_of(self.path, self.files)

    def rows(self) -> int:
        """How many rows there are; of text files about how many, by their first ones."""
        if _is_parquet(self.path):
            return sum(_rows_of(file) for file in self.files)
        with self.path.open("rb") as file:
            head = file.read(_HEAD)
        lines = max(head.count(b"\n"), 1)
        return max(self.path.stat().st_size * lines // len(head), 1)

    def parts(self, rows: int | None = None, columns: Sequence[str] = ()) -> Iterator[Table]:
        """The rows in their order, so many at a time.

        Args:
            rows: The most rows of a part; 65,536 if None.
            columns: The columns that are read; all if empty.

        Raises:
            DataError: A file cannot be read.
        """
        most = rows or ROWS
        for file in self.files:
            where, first = printable(str(file)), 1
            name = _line_name if file.suffix.lower() in _JSON else row_name
            try:
                for frame in self._frames(file, most, columns):
                    has_numbers = ROW in frame.columns
                    counted = np.arange(first, first + frame.height)
                    places = [frame[column].to_numpy() if has_numbers else counted for column in (ROW, LINE)]
                    plain = frame.drop(ROW, LINE) if has_numbers else frame
                    yield Table(plain, where, self.name, _naming(name, *places), "", self.reading)
                    first += frame.height
            except (OSError, pl.exceptions.PolarsError) as error:
                raise _unreadable(file, error) from None

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out where all rows were read, one sentence each."""
        return tuple(note for notes in self.left_out.values() for note in notes)

    def _tell(self, file: Path, notes: Sequence[str]) -> None:
        self.left_out[file] = tuple(notes)

    def _frames(self, file: Path, most: int, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """The rows of a file, at most so many at a time."""
        kind = file.suffix.lower()
        if kind != ".parquet":
            blocks = json_blocks(file) if kind in _JSON else self._csv_blocks(file)
            yield from evenly((block.select(*columns, ROW, LINE) for block in blocks) if columns else blocks, most)
            return
        scanned = with_partition(pl.scan_parquet(file, glob=False), file, self.path)
        for batch in (scanned.select(columns) if columns else scanned).collect_batches(chunk_size=most):
            yield from batch.iter_slices(most)

    def _csv_blocks(self, file: Path) -> Iterator[pl.DataFrame]:
        above = _dialect(file, self.reading).lines
        return csv_blocks(file, self.reading.separator or ",", above, partial(self._tell, file))


def _line_name(_: int, line: int) -> str:
    return f"line {line:,}"


def _naming(name: Callable[[int, int], str], rows: np.ndarray, lines: np.ndarray) -> Callable[[int], str]:
    return lambda at: name(int(rows[at]), int(lines[at]))


def _rows_of(file: Path) -> int:
    """The rows of a Parquet file.

    Raises:
        DataError: It cannot be read.
    """
    try:
        return int(pl.scan_parquet(file, glob=False).select(pl.len()).collect().item())
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _unreadable(file, error) from None


def _unreadable(file: Path, error: Exception) -> DataError:
    return DataError(f"{printable(str(file))} cannot be read: {str(error).splitlines()[0]}")


def _head(path: Path) -> bytes:
    """The first whole lines of a file, or the beginning of one that has no end."""
    with path.open("rb") as file:
        content = file.read(_HEAD)
    end = max(content.rfind(b"\n"), content.rfind(b"\r")) + 1
    return content[:end] if end and len(content) == _HEAD else content


def _hindrance(head: bytes, path: Path, reading: Reading) -> str:
    """What keeps a delimited file from being read piece by piece, as the end of a sentence; empty where nothing does.

    Args:
        head: Its first lines.
        path: The file, for messages.
        reading: What is decided already of how it is read.

    Raises:
        DataError: It is in no encoding that can be told.
    """
    encoding = declared_encoding(head, reading.encoding)
    if encoding == "utf-8":
        head, encoding, _ = as_utf8(head, path)
    if encoding != "utf-8":
        return f"is in the encoding {encoding}, and a file is read piece by piece in UTF-8; convert it"
    if with_plain_line_ends(head) != head:
        return "has lines that end with carriage returns, and a file is read piece by piece by newlines; convert it"
    if with_plain_quotes(head, sniffed(head, reading.separator).separator)[1]:
        return "has no quotes as CSV has them, in which a file is read piece by piece; save it anew as CSV"
    return ""


def _dialect(path: Path, reading: Reading) -> Any:
    return sniffed(with_plain_line_ends(_head(path)), reading.separator)


def _with_separator(path: Path, reading: Reading) -> Reading:
    """The reading with the separator that the first rows have.

    Raises:
        DataError: The file is empty, or cannot be read piece by piece.
    """
    where = printable(str(path))
    head = _head(path)
    if not head.strip():
        raise DataError(f"{where} is empty: a header and at least one row were expected")
    if hindrance := _hindrance(head, path, reading):
        raise DataError(f"{where} {hindrance}")
    known = Reading(separator="\t") if path.suffix.lower() == ".tsv" else reading
    separator = read_delimited(head, where, known).separator
    return reading.overridden(Reading(separator=separator, encoding="utf-8"))


def stamps_of(path: Path, files: Sequence[Path]) -> list[list[Any]]:
    """Name, size and time of change of each file.

    A name is that below the folder which the path stands in: it is the same by a relative path, and where all moved.
    """
    folder, status = path.absolute().parent, [(file.absolute(), file.stat()) for file in files]
    return [[printable(str(file.relative_to(folder))), s.st_size, s.st_mtime_ns] for file, s in status]


def source_key(source: TableSource, settings: dict[str, Any]) -> str:
    """What tells a store of this source, packed by these settings, from any other."""
    return hashlib.sha256(repr((source.stamps(), sorted(settings.items()))).encode()).hexdigest()
