"""A CSV file or one of JSON lines, some whole rows at a time, in memory that does not grow with it.

polars reads a file ahead in pieces that grow with the file up to 16 MB, of which it holds several as texts: 230 MB more
for a file of 280 MB than for one of 28 MB.
"""

from __future__ import annotations

import glob
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import polars as pl

from gatework.data._content import printable
from gatework.data._delimited import header_of, json_object, may_hold_breaks, parsed_rows, with_names
from gatework.data._table_rows import TableRows

_BLOCK = 1 << 21
"""Bytes that are read at once."""
_INFERRED = 10_000
"""Lines that say what kinds of values there are."""


ROW, LINE = "\0row", "\0line"
"""The columns of a block that say where each row stands in its file."""


def csv_blocks(
    path: Path, separator: str, above: int, tell: Callable[[Sequence[str]], None] | None = None
) -> Iterator[pl.DataFrame]:
    """The rows of a file's table as texts, block by block, with where each stands; see `TableRows`.

    Args:
        path: The file, in UTF-8, with a header.
        separator: What stands between its values.
        above: The lines before the header.
        tell: Is given what was left out, in sentences, once all was read.

    Raises:
        DataError: A row does not fit the header.
    """
    header, where = b"", printable(str(path))
    rows: TableRows | None = None
    notes: tuple[str, ...] = ()
    with path.open("rb") as file:
        for _ in range(above):
            file.readline()
        for block, is_last in _with_end(whole_rows(file, _BLOCK), _BLOCK // 32):
            if rows is None:
                frame, below = parsed_rows(block, separator, where, above)
                names = header_of(block, separator)
                frame, rows, notes = with_names(frame, names, above, where, separator)
                header = _header(frame.columns, separator)
            else:
                frame, below = parsed_rows(header + block, separator, where, rows.row - 2, rows.line - 2)
            taken = rows.taken(frame, has_breaks=may_hold_breaks(block, frame), is_last=is_last)
            yield taken.frame.with_columns(pl.Series(ROW, taken.rows), pl.Series(LINE, taken.lines))
            if is_last and tell is not None:
                tell((*notes, *rows.notes, *below))


def json_blocks(path: Path) -> Iterator[pl.DataFrame]:
    """The rows of a file of JSON lines, block by block, with the kinds of values of its first ones, and their lines.

    Args:
        path: The file.

    Raises:
        DataError: A line is not a JSON object.
    """
    with path.open("rb") as file:
        try:
            schema = pl.scan_ndjson(glob.escape(str(path)), infer_schema_length=_INFERRED).collect_schema()
            first = 1
            for block in whole_lines(file, _BLOCK):
                frame = pl.read_ndjson(io.BytesIO(block), schema=schema)
                lines = block.split(b"\n")
                filled = [number for number, line in enumerate(lines, start=first) if line.strip()]
                yield frame.with_columns(pl.Series(ROW, filled), pl.Series(LINE, filled))
                first += len(lines) - (not lines[-1])
        except pl.exceptions.PolarsError:
            file.seek(0)
            for number, line in enumerate(file, start=1):
                if line.strip():
                    json_object(line, printable(str(path)), number)
            raise


def whole_lines(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The content of a file, cut where a line ends: blocks of so many bytes and the rest of a line."""
    while content := file.read(size):
        yield content + file.readline()


def _with_end(blocks: Iterator[bytes], least: int) -> Iterator[tuple[bytes, bool]]:
    """The same blocks, each with whether it is the last, which has at least so many bytes."""
    held = b""
    for block in blocks:
        if len(block) > least and held:
            yield held, False
            held = block
        else:
            held += block
    if held:
        yield held, True


def _header(names: list[str], separator: str) -> bytes:
    """A row of names for the blocks behind the first one."""
    quoted = ['"{}"'.format(name.replace('"', '""')) for name in names]
    return f"{separator.join(quoted)}\n".encode()


def whole_rows(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The content of a CSV file, cut where a row ends.

    Args:
        file: The file.
        size: The bytes of a block; more where a row is longer.
    """
    rest = b""
    # What has no end of a row yet is doubled, so that each byte is looked at about twice.
    while content := file.read(max(size, len(rest))):
        rest += content
        if end := _last_end(rest):
            yield rest[:end]
            rest = rest[end:]
    if rest:
        yield rest


def _last_end(content: bytes) -> int:
    """Where the last whole row ends: behind a line break outside quotes; 0 where there is none."""
    quotes, end = content.count(b'"'), len(content)
    while (line := content.rfind(b"\n", 0, end)) >= 0:
        quotes -= content.count(b'"', line, end)
        if quotes % 2 == 0:
            return line + 1
        end = line
    return 0


def evenly(frames: Iterator[pl.DataFrame], rows: int) -> Iterator[pl.DataFrame]:
    """The same rows, so many at a time and the rest at the end, however many came together."""
    rest = pl.DataFrame()
    for frame in frames:
        rest = pl.concat([rest, frame], rechunk=True) if rest.height else frame
        while rest.height >= rows:
            yield rest[:rows]
            rest = rest[rows:]
    if rest.height:
        yield rest
