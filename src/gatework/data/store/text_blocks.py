"""A CSV file or one of JSON lines, some whole rows at a time, in memory that does not grow with it.

polars reads a file ahead in pieces that grow with the file up to 16 MB, of which it holds several as texts: 230 MB more
for a file of 280 MB than for one of 28 MB.
"""

from __future__ import annotations

import csv
import glob
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import polars as pl

from gatework.data._content import printable
from gatework.data._delimited import json_object
from gatework.data._header import headers_again, plain_names

_BLOCK = 1 << 21
"""Bytes that are read at once."""
_INFERRED = 10_000
"""Lines that say what kinds of values there are."""


def csv_blocks(
    path: Path, separator: str, above: int, left_out: Callable[[int], None] | None = None
) -> Iterator[pl.DataFrame]:
    """The rows of a file as texts, block by block; rows without any value, or that repeat the header, are left out.

    Args:
        path: The file, in UTF-8, with a header.
        separator: What stands between its values.
        above: The lines before the header.
        left_out: Is given how many rows of a block repeat the header, where there are any.
    """
    header = b""
    with path.open("rb") as file:
        for _ in range(above):
            file.readline()
        for block in whole_rows(file, _BLOCK):
            frame = pl.read_csv(header + block, separator=separator, infer_schema=False)
            if not header:
                text = io.StringIO(block.decode(errors="ignore").removeprefix("\ufeff"), newline="")
                names = plain_names(next(csv.reader(text, delimiter=separator)))
                frame = frame.rename(dict(zip(frame.columns, names, strict=True)))
                header = _header(names, separator)
            frame = frame.filter(~pl.all_horizontal(pl.all().is_null()))
            again = headers_again(frame)
            if left_out is not None and again.any():
                left_out(int(again.sum()))
            yield frame.filter(~again)


def json_blocks(path: Path) -> Iterator[pl.DataFrame]:
    """The rows of a file of JSON lines, block by block, with the kinds of values that its first ones have.

    Args:
        path: The file.

    Raises:
        DataError: A line is not a JSON object.
    """
    with path.open("rb") as file:
        try:
            schema = pl.scan_ndjson(glob.escape(str(path)), infer_schema_length=_INFERRED).collect_schema()
            for block in whole_lines(file, _BLOCK):
                yield pl.read_ndjson(io.BytesIO(block), schema=schema)
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
