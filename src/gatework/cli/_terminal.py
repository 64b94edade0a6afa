"""What data may do to whoever reads it: nothing on a terminal, and nothing in a spreadsheet."""

from __future__ import annotations

import codecs
import io
import sys
from typing import TYPE_CHECKING, Any, TextIO, cast

from gatework.formatting import printable

if TYPE_CHECKING:
    import polars as pl

# A spreadsheet takes a cell that begins so for a formula; a number with its sign is none.
_FORMULA = r"^[=@\t\r\n]|^[+-]"
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?%?$"


class GuardedStream:
    """A terminal that shows control characters as their codes, so that no text can steer it.

    Attributes:
        rich_proxied_file: The terminal itself, to which rich draws; texts that it is given are made printable before.
    """

    def __init__(self, stream: TextIO) -> None:
        self.rich_proxied_file = stream

    def write(self, text: str) -> int:
        """Writes a text; bytes are refused as by every stream of texts, which is how click tells the two apart."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self.rich_proxied_file.write(printable(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rich_proxied_file, name)


def guard() -> None:
    """Guards standard output, where it is a terminal; in a file or a pipe every character stays as it is.

    Where another encoding than UTF-8 is set, as by Windows, a terminal shows what it has no letter for by its code. A
    file or a pipe gets UTF-8, as written files have it.
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and codecs.lookup(sys.stdout.encoding).name != "utf-8":
        if sys.stdout.isatty():
            sys.stdout.reconfigure(errors="backslashreplace")
        else:
            sys.stdout.reconfigure(encoding="utf-8")
    if sys.stdout.isatty() and not isinstance(sys.stdout, GuardedStream):
        sys.stdout = cast(TextIO, GuardedStream(sys.stdout))


def without_formulas(rows: pl.DataFrame) -> pl.DataFrame:
    """A table for CSV in which no text is a spreadsheet's formula: before one that would be stands an apostrophe."""
    import polars as pl

    def is_formula(text: pl.Expr) -> pl.Expr:
        return text.str.contains(_FORMULA) & ~text.str.contains(_NUMBER)

    text = pl.col(pl.String)
    shown = rows.with_columns(pl.when(is_formula(text)).then("'" + text).otherwise(text).name.keep())
    names = pl.Series(rows.columns, dtype=pl.String)
    marked = pl.select(pl.when(is_formula(pl.lit(names))).then("'" + pl.lit(names)).otherwise(pl.lit(names)))
    shown.columns = marked.to_series().to_list()
    return shown
