r"""Pairs of sentences: read from tables, two aligned files, a folder of them or a translation memory, and tidied.

- A table (CSV, JSONL, Parquet, a data frame) has a column for each side, by its name or its number counted from 1.
- A TSV or text file with tabs has them too; its fields are taken as they stand, as quotes belong to the sentences. Its
  first line is a header where it holds the names that were given, or words such as "source" or language codes.
- Two aligned files have a sentence a line: the file of the one side is named, and of the other its ending or its path.
- A folder holds `train.SOURCE` and `train.TARGET`, and likewise `val` or `validation` and `test` (or `test...`).
- A TMX file has the languages by their codes.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from gatework.data._content import as_utf8, existing, file_content, printable
from gatework.data.dataset import Split
from gatework.data.reading import Reading
from gatework.data.tables import SUFFIXES, Table, read_table, stem
from gatework.data.text import Texts
from gatework.data.tmx import read_tmx
from gatework.errors import DataError, UsageError, nearest

if TYPE_CHECKING:
    from gatework.options import DataOptions

_PLAIN = (".tsv", ".tab", ".txt")
_CODE = re.compile(r"(?:[a-z]{2,3}(?:[-_][A-Za-z]{2,4})?|source|target|src|tgt|trg)")
_OTHERS = (".json", ".po", ".xlf", ".xliff", ".xlsx", ".xlsm", ".xls", ".ods", ".docx", ".pdf", ".zip", ".html", ".xml")
_SUBTITLES = (".srt", ".vtt", ".ass", ".ssa", ".sub")
# The line of a subtitle's times, under whatever name; it is among the first few.
_TIMING, _HEAD = re.compile(r"\s*(?:\d+:)?\d+:\d+[.,]\d+ --> "), 20
# What the sides are called where nothing names them.
_NAMELESS = ("1", "2")
_PARTS = {"train": ("train",), "validation": ("val", "validation", "dev", "valid"), "test": ("test",)}


@dataclass(frozen=True, eq=False)
class Pairs:
    """Sentences of one language beside those of another.

    Attributes:
        source: What is given, strings.
        target: What belongs to it, strings.
        where: The file's path, for messages.
        name: The file's name without its endings.
        fingerprint: SHA-256 of the content.
        notes: What was found and how it was handled, one sentence each.
        columns: The columns, languages or endings of both sides, by "source" and "target".
    """

    source: pl.Series
    target: pl.Series
    where: str
    name: str
    fingerprint: str
    notes: tuple[str, ...] = ()
    columns: tuple[str, str] = _NAMELESS

    def __len__(self) -> int:
        return len(self.source)

    def filtered(self, is_kept: pl.Series, note: str) -> Pairs:
        """The pairs that are kept, and a note of how many are not, with `{count}` in its place."""
        dropped = int((~is_kept).sum())
        if not dropped:
            return self
        said = note.format(count=f"{dropped:,} of {len(self):,}")
        return replace(
            self, source=self.source.filter(is_kept), target=self.target.filter(is_kept), notes=(*self.notes, said)
        )


def read_pairs(source: Any, config: DataOptions, sides: tuple[str | None, str | None]) -> Pairs:
    """Reads pairs of sentences.

    Args:
        source: A path, or a data frame.
        config: How a table is read.
        sides: The columns, languages or endings of the two sides, where they are named.

    Raises:
        UsageError: A side must be named.
        DataError: The file is missing or is not what was expected.
    """
    if not isinstance(source, (str, os.PathLike)):
        return _of_table(source, config, sides)
    path = Path(source)
    kind = _kind(path)
    if kind == ".tmx":
        return _of_memory(path, sides)
    if kind in SUFFIXES and kind != ".tsv":
        return _of_table(path, config, sides)
    if kind in _OTHERS:
        raise UsageError(
            f"{printable(str(path))} is not a kind of file whose pairs can be read; write them into a table (.csv, "
            ".tsv, .jsonl, .parquet) with a column for each side, or into two text files with a sentence a line"
        )
    lines, fingerprint, notes = _lines(path, config.encoding)
    if not any(map(str.strip, lines)):
        raise DataError(f"{printable(str(path))} is empty: sentences and their counterparts were expected")
    if kind in _SUBTITLES or any(map(_TIMING.match, lines[:_HEAD])):
        raise DataError(
            f"{printable(str(path))} holds subtitles, whose lines are numbers, times and parts of sentences, cut "
            "otherwise in every language; write whole sentences into a table (.csv, .tsv), each beside its translation"
        )
    if kind in (".tsv", ".tab") or sum("\t" in line for line in lines[:100]) * 2 > len(lines[:100]):
        return _of_lines(path, lines, fingerprint, notes, sides)
    return _of_files(path, lines, fingerprint, notes, config, sides)


def examples_of(source: pl.Series, target: pl.Series) -> Split:
    """Pairs as examples: texts, and for targets their counterparts, shape (examples,), object."""
    return Split(Texts(source.rename("text")), np.array(target.to_list(), dtype=object))


def read_parts(folder: Path, config: DataOptions, sides: tuple[str | None, str | None]) -> dict[str, Pairs]:
    """The parts that a folder of aligned files holds: "train" at least, "validation" and "test" where they are there.

    Raises:
        UsageError: The endings are not named.
        DataError: A file is missing.
    """
    source, target = sides
    if not (source and target):
        raise UsageError(
            f"{printable(str(folder))} is a folder: name the endings of its files, as --source en --target de for "
            "train.en and train.de"
        )
    parts = {}
    for part, names in _PARTS.items():
        files = [f for f in sorted(folder.iterdir()) if f.name.removesuffix(".gz").endswith(f".{source}")]
        files = [
            f for f in files if f.name.partition(".")[0] in names or f.name.startswith(tuple(f"{n}_" for n in names))
        ]
        if files:
            parts[part] = read_pairs(files[0], config, (source, target))
    if "train" not in parts:
        raise DataError(f"{printable(str(folder))} has no train.{source} and train.{target}, which were expected")
    return parts


def read_sources(source: Any, config: DataOptions, column: str) -> tuple[pl.Series, pl.DataFrame | None]:
    """The sentences of the first side alone, as many as there are lines or rows; empty ones stay.

    Args:
        source: A text file with a sentence a line, the path of a table, or a data frame.
        config: How a table is read.
        column: The name of the side; the only column of a table is taken where it has another, and "text" where the
            side has no name.

    Returns:
        The sentences, and the table that they were read from where there is one.

    Raises:
        DataError: The file is missing, or has no such column.
    """
    is_path = isinstance(source, (str, os.PathLike))
    if is_path and (_kind(Path(source)) in _PLAIN or _kind(Path(source)) not in SUFFIXES):
        lines = _lines(Path(source), config.encoding)[0]
        columns = _with_header(lines) if _kind(Path(source)) == ".tsv" else {}
        if column in columns:
            return pl.Series(column, columns[column], dtype=pl.String), pl.DataFrame(columns)
        return pl.Series("text", lines, dtype=pl.String), None
    table = _table(source, config)
    names = table.frame.columns
    if column not in names and len(names) == 1:
        column = names[0]
    if column not in names and column in _NAMELESS and "text" in names:
        column = "text"
    if column not in names:
        raise DataError(
            f'{table.where} has no column "{column}", which is translated from: {nearest(column, names)}; rename the '
            "column, or give a table of that one alone"
        )
    return table.texts(column), table.frame


def _with_header(lines: Sequence[str]) -> dict[str, list[str]]:
    """The columns of lines with tabs, by the names in the first one; marks of quotation are part of a text."""
    names, *rows = [line.split("\t") for line in lines] or [[]]
    return {name: [row[k] if k < len(row) else "" for row in rows] for k, name in enumerate(names)}


def _kind(path: Path) -> str:
    return Path(path.name.lower().removesuffix(".gz")).suffix


def _lines(path: Path, encoding: str | None) -> tuple[list[str], str, tuple[str, ...]]:
    content = file_content(path)
    text, _, notes = as_utf8(content, path, encoding)
    lines = text.decode().replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines and not lines[-1] else lines, hashlib.sha256(content).hexdigest(), notes


def _table(source: Any, config: DataOptions) -> Table:
    """A table; of one column with texts by language, as {"translation": {"en": ..., "de": ...}}, a column for each."""
    table = read_table(source, Reading.given(config))
    if table.frame.width == 1 and isinstance(table.frame.dtypes[0], pl.Struct):
        return replace(table, frame=table.frame.unnest(table.frame.columns))
    return table


def _of_table(source: Any, config: DataOptions, sides: tuple[str | None, str | None]) -> Pairs:
    table = _table(source, config)
    names = table.frame.columns
    if len(names) < 2:
        raise DataError(f"{table.where} has one column; two were expected, a sentence and its counterpart")
    first, second = _columns(names, sides, table.where)
    return Pairs(
        table.texts(first), table.texts(second), table.where, table.name, table.fingerprint, table.notes,
        (first, second),
    )  # fmt: skip


def _columns(names: Sequence[str], sides: Sequence[str | None], where: str) -> tuple[str, str]:
    """The columns of both sides, by name or by number counted from 1; of two, each is one where none is named."""
    if sides[0] is None and sides[1] is None and len(names) == 2:
        return names[0], names[1]
    missing = " and ".join(flag for flag, side in zip(("--source", "--target"), sides, strict=True) if side is None)
    if missing and len(names) > 2:
        what = "are the two sides? Name them" if " and " in missing else "is the other side? Name it"
        raise UsageError(f"which of the columns of {where} {what} with {missing}: there is {', '.join(names)}")
    first, second = (None if side is None else _column(names, side, where) for side in sides)
    # Of two columns, one is the other side.
    first = first or next(name for name in names if name != second)
    second = second or next(name for name in names if name != first)
    if first == second:
        raise UsageError(f'both sides are the column "{first}" of {where}; name two of {", ".join(names)}')
    return first, second


def _column(names: Sequence[str], side: str, where: str) -> str:
    if side in names:
        return side
    if side.isdigit() and 1 <= int(side) <= len(names):
        return names[int(side) - 1]
    raise DataError(f'{where} has no column "{side}", which is one of both sides: there is {", ".join(names)}')


def _of_lines(
    path: Path, lines: list[str], fingerprint: str, notes: tuple[str, ...], sides: tuple[str | None, str | None]
) -> Pairs:
    """Fields between tabs, one pair a line; lines that lack one of the two are left out."""
    where = printable(str(path))
    first = [field.strip() for field in (lines[0] if lines else "").split("\t")]
    has_header = any(side in first for side in sides if side) or (
        len(first) > 1 and all(_CODE.fullmatch(field) for field in first)
    )
    names = first if has_header else [str(number) for number in range(1, len(first) + 1)]
    if len(first) < 2:
        raise DataError(f"{where}: line 1 has no tab; a sentence, a tab and its counterpart were expected")
    wanted = [side or str(at + 1) for at, side in enumerate(sides)]
    chosen = _columns(names, wanted, where)
    places = [names.index(name) for name in chosen]
    rows = [line.split("\t") for line in lines[has_header:]]
    kept = [row for row in rows if len(row) > max(places)]
    broken = sum(len(row) > 1 or bool(row[0].strip()) for row in rows) - len(kept)
    said = (f"{broken:,} of {len(rows):,} lines lack one of the two sides and were left out.",) if broken else ()
    source, target = (pl.Series("text", [_unquoted(row[place]) for row in kept], dtype=pl.String) for place in places)
    return Pairs(source, target, where, _stem(path), fingerprint, (*notes, *said), chosen)


def _unquoted(field: str) -> str:
    """A field as a spreadsheet writes it where it holds quotes: in quotes, its own doubled."""
    is_quoted = len(field) > 3 and field[0] == field[-1] == '"' and '""' in field[1:-1]
    return field[1:-1].replace('""', '"') if is_quoted else field


def _of_files(
    path: Path,
    lines: list[str],
    fingerprint: str,
    notes: tuple[str, ...],
    config: DataOptions,
    sides: tuple[str | None, str | None],
) -> Pairs:
    """A sentence a line, and its counterpart in the same line of the other file."""
    where, target = printable(str(path)), sides[1]
    if sum("|||" in line for line in lines) * 2 > len(lines):
        raise DataError(f'{where} has "|||" between the sides; put a tab in its place')
    if target and target.isdigit() and not Path(target).is_file():
        raise DataError(f"{where} has no tabs, and the column {target} of lines with tabs was expected")
    if not target:
        raise UsageError(
            f"{where} has no tabs, so it holds one side; name the file of the other, or its ending, with --target"
        )
    other = _aligned(path, target)
    beside, digest, said = _lines(other, config.encoding)
    if len(beside) != len(lines):
        raise DataError(
            f"{where} has {len(lines):,} lines and {printable(str(other))} {len(beside):,}; aligned files have as many "
            "lines as each other, one sentence a line"
        )
    joined = hashlib.sha256((fingerprint + digest).encode()).hexdigest()
    source, counterpart = (pl.Series("text", side, dtype=pl.String) for side in (lines, beside))
    endings = (_kind(path).removeprefix("."), _kind(other).removeprefix("."))
    return Pairs(source, counterpart, where, _stem(path), joined, (*notes, *said), endings)


def _aligned(path: Path, target: str) -> Path:
    """The file of the other side: that path, or the same name with that ending, gzipped or not."""
    bare = path.with_name(path.name.removesuffix(".gz"))
    candidates = [Path(target), path.parent / target, path.parent / f"{bare.stem}.{target}"]
    candidates += [c.with_name(c.name + ".gz") for c in candidates[1:]]
    return next((c for c in candidates if c.is_file()), None) or existing(candidates[2])


def _of_memory(path: Path, sides: tuple[str | None, str | None]) -> Pairs:
    content = file_content(path)
    where = printable(str(path))
    source, target, languages, notes = read_tmx(content, where, sides)
    first, second = (pl.Series("text", side, dtype=pl.String) for side in (source, target))
    return Pairs(first, second, where, _stem(path), hashlib.sha256(content).hexdigest(), notes, languages)


def _stem(path: Path) -> str:
    bare = Path(path.name.removesuffix(".gz"))
    return stem(path) if bare.suffix in SUFFIXES else printable(bare.stem)
