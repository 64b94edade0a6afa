"""A person's table, in a file or in memory, to columns: text, labels and numbers, with errors that name the row.

CSV (also with semicolons), TSV, JSONL and Parquet files, each also gzipped; pandas, polars and pyarrow frames.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from gatework.data._content import as_utf8, existing, file_content, printable
from gatework.data._delimited import TextTable, read_delimited, read_json_lines
from gatework.data._listing import files_below
from gatework.data._panic import panics_kept_back
from gatework.data.numbers import as_texts, number_marks, numbers, parsed_numbers, plain_texts
from gatework.data.reading import Reading
from gatework.errors import DataError, UsageError, nearest

if TYPE_CHECKING:
    import narwhals as nw

SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
"""The kinds of file that are read; each may be followed by ".gz"."""


# How files begin that have the ending of a table and are none; in lower case.
_OTHER_KINDS = {
    b"pk\x03\x04": "a spreadsheet or another zip archive, whatever its ending; save the table as CSV",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet, whatever its ending; save the table as CSV",
    b"%pdf": "a PDF, whatever its ending; save the table as CSV",
    b"sqlite format 3": "an SQLite database, whatever its ending; save a table as CSV (sqlite3 -csv -header)",
    b"par1": "a Parquet file; let its name end in .parquet",
    b"<!doctype html": "a web page; download the file itself",
    b"<html": "a web page; download the file itself",
}


@dataclass(frozen=True, eq=False)
class Table:
    """Columns with what is needed to name a row in a message.

    Attributes:
        frame: The columns.
        where: The file's path, or "the data frame".
        name: The file's name without its endings.
        row: A row's name for a person, as "row 7", from its position.
        fingerprint: SHA-256 of the content.
        reading: What was decided of how its texts become values.
        notes: What is to be said of that, one sentence each.
        licence: Its licence, for the report.
    """

    frame: pl.DataFrame
    where: str
    name: str
    row: Callable[[int], str]
    fingerprint: str
    reading: Reading = field(default_factory=Reading)
    notes: tuple[str, ...] = ()
    licence: str = "yours"

    @classmethod
    def of(cls, frame: pl.DataFrame, where: str = "the data frame", name: str = "frame") -> Table:
        """A table in memory, whose rows are counted from 0."""
        fingerprint = hashlib.sha256(_serialised(frame)).hexdigest()
        return cls(frame, where, name, lambda position: f"row {position:,} (counted from 0)", fingerprint)

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
        return as_texts(self.column(name), self._column(name)).fill_null("").rename("text")

    def labels(self, name: str, known: Collection[str] = ()) -> pl.Series:
        """A column as class names without outer spaces, the same however a program wrote them (1.0 is 1).

        Args:
            name: The column.
            known: The classes that a model was trained on.

        Raises:
            DataError: There is no such column, or some rows have no label.
        """
        labels = plain_texts(self.column(name), self._column(name), known)
        missing = labels.is_null().arg_true()
        if len(missing):
            have = "have" if len(missing) > 1 else "has"
            raise DataError(
                f'{self.where}: {len(missing):,} of {len(self):,} rows {have} no label in column "{name}", the first '
                f"of them {self.row(missing[0])}; fill them in or remove those rows"
            )
        return labels

    def is_numeric(self, name: str) -> bool:
        """Whether the column holds numbers: written as text, if any value is one."""
        column = self.frame[name]
        if column.dtype == pl.String:
            return bool(parsed_numbers(column, number_marks([column], self.reading)[0]).is_not_null().any())
        return column.dtype.is_numeric()

    def deciding(self, columns: Sequence[str], kept: Reading | None = None, given: Reading | None = None) -> Table:
        """The table with the reading of these columns decided, and what is to be said of it.

        Args:
            columns: The columns of numbers that are used; the marks are decided from all of them together.
            kept: What a model's training table decided.
            given: What a person says, which holds whatever was decided.
        """
        reading = (kept or Reading()).overridden(self.reading).overridden(given or Reading())
        reading, notes = number_marks([self.column(name) for name in columns], reading)
        return replace(self, reading=reading, notes=(*self.notes, *notes))

    def numbers(self, name: str) -> np.ndarray:
        """A column as finite numbers, shape (rows,), float64.

        Raises:
            DataError: There is no such column, or a value is missing, infinite or no number; its row is named.
        """
        return numbers(self.column(name), self.where, self.row, self.reading, is_whole=True)

    def _column(self, name: str) -> str:
        return f'{self.where}, column "{name}"'


_SHEETS = (".xlsx", ".xlsm", ".xls", ".ods")
_DATABASES = (".db", ".sqlite", ".sqlite3")
_PLAIN = (".txt", ".dat", ".tab", ".asc", ".log", "")


def is_path(text: str) -> bool:
    """Whether a string is meant as a path: it exists, or it is one word that ends as a table or a text file does."""
    if len(text) < 1024 and "\n" not in text and "\0" not in text and os.path.exists(text):
        return True
    return not any(char.isspace() for char in text) and text.lower().removesuffix(".gz").endswith((*SUFFIXES, ".txt"))


def read_table(source: Any, reading: Reading | None = None) -> Table:
    """Reads a table from a file, or takes a data frame.

    Args:
        source: A path, a pandas, polars or pyarrow frame, or a table as it is.
        reading: What is decided already of how texts become values.

    Raises:
        DataError: The file is missing, empty, truncated, or not what its ending says.
        UsageError: The source is neither a path of a known kind nor a frame.
    """
    reading = reading or Reading()
    if isinstance(source, (str, os.PathLike)):
        table = _read_file(Path(source), reading)
    elif isinstance(source, Table):
        table = replace(source, reading=reading)
    else:
        table = replace(_from_frame(source), reading=reading)
    if not len(table):
        raise DataError(f"{table.where} is empty: a header and at least one row were expected")
    return table


def stem(path: Path) -> str:
    """A file's name without the endings of its kind."""
    name = path.name.removesuffix(".gz")
    return printable(Path(name).stem if Path(name).suffix.lower() in SUFFIXES else name)


def is_parquet_folder(path: Path) -> bool:
    """Whether a path is a folder with Parquet files in it, or in folders below it."""
    return path.is_dir() and next(files_below(path, ".parquet"), None) is not None


def parquet_files(folder: Path) -> list[Path]:
    """The Parquet files of a folder and of the folders below it, in order of their names."""
    return sorted(files_below(folder, ".parquet"))


def with_partition(frame: pl.LazyFrame, file: Path, folder: Path) -> pl.LazyFrame:
    """A file's rows with a column for each folder above it that is called as `year=2024`."""
    steps = (step.partition("=") for step in (file.relative_to(folder).parts[:-1] if file != folder else ()))
    return frame.with_columns([pl.lit(value).alias(name) for name, is_named, value in steps if is_named])


def _read_parquet_folder(path: Path, reading: Reading) -> Table:
    """The rows of all files of a folder, one after the other."""
    digest, frames = hashlib.sha256(), []
    for file in parquet_files(path):
        content = file_content(file)
        digest.update(os.fsencode(file.relative_to(path)) + f"\0{len(content)}\0".encode() + content)
        frames.append(with_partition(_parquet(content, file).lazy(), file, path).collect())
    where = printable(str(path))
    if odd := next((k for k, frame in enumerate(frames) if frame.columns != frames[0].columns), None):
        first, other = parquet_files(path)[0], parquet_files(path)[odd]
        raise DataError(f"{where}: {other.name} has other columns than {first.name}; a folder is one table")
    frame = pl.concat(frames, how="vertical_relaxed")
    name = printable(path.resolve().name)
    return Table(frame, where, name, lambda at: f"row {at + 1:,}", digest.hexdigest(), reading)


def _read_file(path: Path, reading: Reading) -> Table:
    if is_parquet_folder(path):
        return _read_parquet_folder(path, reading)
    kind, where = Path(path.name.lower().removesuffix(".gz")).suffix, printable(str(path))
    existing(path)
    if kind not in SUFFIXES:
        hint = "give one of " + ", ".join(SUFFIXES) + " (or one of these gzipped)"
        if kind in _SHEETS:
            hint = "save its sheet as CSV there, or with pandas: pandas.read_excel(FILE).to_csv(NAME)"
        elif kind in _DATABASES:
            hint = f"save one of its tables as CSV: sqlite3 -csv -header {where} 'SELECT * FROM TABLE' > TABLE.csv"
        elif kind == ".json":
            hint = "write each of its objects on a line of its own, as by jq -c '.[]' FILE > FILE.jsonl"
        elif kind in _PLAIN:
            hint = "if it holds rows with separators, name it .csv (any separator) or .tsv (tabs)"
        raise UsageError(f"{where} is not a kind of table that can be read; {hint}")
    content = file_content(path)
    fingerprint = hashlib.sha256(content).hexdigest()
    if not content.strip():
        raise DataError(f"{where} is empty: a header and at least one row were expected")
    if kind == ".parquet":
        frame = _parquet(content, path)
        return Table(frame, where, stem(path), lambda at: f"row {at + 1:,}", fingerprint, reading)
    if other := next(
        (what for mark, what in _OTHER_KINDS.items() if content[:200].lower().strip().startswith(mark)), None
    ):
        raise DataError(f"{where} is {other}")
    content, encoding, notes = as_utf8(content, path, reading.encoding)
    is_json = kind in (".jsonl", ".ndjson")
    # A file that is all tabs says so by its ending.
    known = replace(reading, separator="\t") if kind == ".tsv" else reading
    content_table: TextTable = (read_json_lines if is_json else read_delimited)(content, where, known)
    reading = replace(reading, encoding=encoding, separator=content_table.separator or reading.separator)
    return Table(
        content_table.frame,
        where,
        stem(path),
        content_table.row,
        fingerprint,
        reading,
        (*notes, *content_table.notes),
    )


def _parquet(content: bytes, path: Path) -> pl.DataFrame:
    try:
        with panics_kept_back():
            return pl.read_parquet(content)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = str(error).splitlines()[0]
        where = printable(str(path))
        raise DataError(f"{where} cannot be read as Parquet ({reason}); if it is cut off, download it again") from None


def _from_frame(source: Any) -> Table:
    import narwhals as nw

    try:
        wide = nw.from_native(with_plain_names(source), eager_only=True)
    except nw.exceptions.NarwhalsError as error:
        raise DataError(f"the data frame cannot be read: {' '.join(str(error).split())}") from None
    except ModuleNotFoundError as error:
        raise UsageError(f"this data frame needs the package {error.name}: pip install {error.name}") from None
    except TypeError:
        raise UsageError(
            f"a {type(source).__name__} is not data that can be read; give a data set's name, the path of a table or "
            "folder, or a pandas, polars or pyarrow frame (a lazy one collected)"
        ) from None
    return Table.of(pl.DataFrame([_from_native(wide[name]) for name in wide.columns]))


def with_plain_names(source: Any) -> Any:
    """A pandas frame whose columns have texts for names, with an index of times, or of several levels with names, as
    columns; another frame as it is.
    """
    if not (hasattr(source, "set_axis") and hasattr(source, "columns")):
        return source
    kind, names = type(source.index).__name__, source.index.names
    is_named = kind == "MultiIndex" and None not in names
    if (kind in ("DatetimeIndex", "PeriodIndex") or is_named) and not set(names) & set(source.columns):
        source = source.reset_index()
    if all(isinstance(name, str) for name in source.columns):
        return source
    names = [" ".join(map(str, name)) if isinstance(name, tuple) else str(name) for name in source.columns]
    return source.set_axis(names, axis=1)


def _from_native(column: nw.Series[Any]) -> pl.Series:
    """A column of any library; one whose values are of several kinds becomes texts."""
    name = str(column.name)
    try:
        texts = column.to_polars()
    except ModuleNotFoundError as error:
        raise UsageError(f"this data frame needs the package {error.name}: pip install {error.name}") from None
    # Arrow, pandas and polars each have errors of their own for values that do not go together.
    except Exception:
        texts = pl.Series(name, [_text_of(value) for value in column.to_list()], dtype=pl.String)
    # Periods and intervals are extensions that other libraries do not read.
    if texts.dtype == pl.Object or isinstance(texts.dtype, pl.BaseExtension):
        texts = pl.Series(name, [_text_of(value) for value in column.to_list()], dtype=pl.String)
    return texts.alias(name)


def _text_of(value: Any) -> str | None:
    is_missing = value is None or (isinstance(value, float) and value != value) or str(value) in ("<NA>", "NaT")
    return None if is_missing else str(value).encode("utf-8", "replace").decode("utf-8")


def _serialised(frame: pl.DataFrame) -> bytes:
    """The frame's content as bytes, the same for the same values."""
    plain = [
        column.cast(pl.Int64)
        if column.dtype == pl.Duration
        else column.bin.encode("hex")
        if column.dtype == pl.Binary
        else column
        for column in frame
    ]
    return pl.DataFrame(plain).write_json().encode()
