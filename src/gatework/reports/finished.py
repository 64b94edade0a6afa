"""A finished folder with a page, as `gatework.compare` and `gatework.tune` give it back."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from gatework._files import read_json
from gatework.formatting import number


@dataclass(frozen=True)
class Finished:
    """What a command has left in a folder.

    Attributes:
        path: The folder.
        file: The name of the file that holds what came of it.
    """

    file: ClassVar[str]

    path: Path

    @property
    def report(self) -> Path:
        """The page."""
        return self.path / "report.html"

    @cached_property
    def content(self) -> dict[str, Any]:
        """What its file holds."""
        return read_json(self.path / self.file)

    @property
    def verdict(self) -> str:
        """What follows from the figures, in a sentence or two."""
        return str(self.content["verdict"])

    def above(self, rows: Iterable[Sequence[Any]], head: Sequence[str] = ()) -> str:
        """The verdict above a table, for a notebook; without a head the first cell of each row heads it."""
        written = [_row("th", head)] if head else []
        for row in rows:
            written.append(_row("td", row) if head else f"<tr>{_cells('th', row[:1])}{_cells('td', row[1:])}</tr>")
        return f"<p>{html.escape(self.verdict)}</p><table>{''.join(written)}</table>"


def _row(tag: str, values: Sequence[Any]) -> str:
    return f"<tr>{_cells(tag, values)}</tr>"


def _cells(tag: str, values: Sequence[Any]) -> str:
    texts = (number(v) if isinstance(v, float) else html.escape(str(v)) for v in values)
    return "".join(f"<{tag}>{text}</{tag}>" for text in texts)
