"""The dialect of a delimited file: line ends, the rows above the header, and what separates fields.

The rules are few and look at rows, not at letters: the separator is the one that cuts most rows into the same number
of fields. DuckDB's and CleverCSV's detectors find the same on the files of our tests, at the price of half a second
and more to import, and neither knows Excel's `sep=;` line.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from gatework.data._header import are_in_order

SEPARATORS = (",", ";", "\t", "|")
_SAMPLE = 1 << 18
_ROWS = 200
_HIGHEST, _MOST_SETTINGS = 10, 40
# A setting has a name and a value.
_SETTING = 2
_NUMBER = re.compile(r"[\s\d.,:/+-]*\d[\s\d.,:/+-]*")


@dataclass(frozen=True)
class Dialect:
    """How a delimited text is cut into rows and fields.

    Attributes:
        separator: What stands between fields.
        start: Where the header begins, in bytes.
        lines: How many lines stand above the header.
        rows: How many of them say something.
    """

    separator: str
    start: int = 0
    lines: int = 0
    rows: int = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided that a person may not expect, one sentence each."""
        if not self.rows:
            return ()
        rows = f"The first {self.rows} rows, which stand" if self.rows > 1 else "The first row, which stands"
        return (f"{rows} above the header, {'were' if self.rows > 1 else 'was'} left out.",)


def take_long_fields() -> None:
    """Lets Python's csv module read fields of more than 131,072 characters; a C long of Windows ends at 2^31."""
    csv.field_size_limit(2**31 - 1)


def with_plain_line_ends(content: bytes) -> bytes:
    """The content with every line ended by a newline: bare carriage returns are the old Macintosh's."""
    if b"\r" not in content:
        return content
    bare = content.count(b"\r") - content.count(b"\r\n")
    if bare > content.count(b"\n"):
        return re.sub(rb"\r\n?", b"\n", content)
    return content.replace(b"\r\r\n", b"\n")


def with_plain_quotes(content: bytes, separator: str) -> tuple[bytes, tuple[str, ...]]:
    r"""The content with quotes as CSV has them, and what is to be said of it.

    Some programs write a quote inside a text as `\"`, or a space before one that opens a text. They are only read so
    where the first rows can be read in no other way.
    """
    if b'\\"' not in content and separator.encode() + b' "' not in content:
        return content, ()
    start = content[:_SAMPLE].decode(errors="ignore")
    for name, how in _QUOTES.items():
        rows = _strictly(start, separator, how)[: -1 if len(content) > _SAMPLE else None]
        if len({len(fields) for fields in rows if fields}) != 1 or any(map(_begins_with_a_quote, rows)):
            continue
        every = _strictly(content.decode(), separator, how) if name else []
        if not every:
            break
        out = io.StringIO(newline="")
        csv.writer(out, delimiter=separator, lineterminator="\n").writerows(every)
        return out.getvalue().encode(), (name,)
    return content, ()


def with_quotes_within(content: bytes, separator: str) -> bytes | None:
    """The content with the quotes doubled that stand for inches, as in `5" pipe`; None where it has others, or none.

    Polars takes them for quotes where it cuts a file into parts.
    """
    if re.search(rb'(?<!\d)"', content):
        return None
    try:
        rows = list(csv.reader(io.StringIO(content.decode(), newline=""), delimiter=separator, strict=True))
    except csv.Error:
        return None
    # One row a line: no quote was taken for one that opens a text.
    is_plain = len({len(fields) for fields in rows if fields}) == 1 and len(rows) == len(content.splitlines())
    if not is_plain or not any('"' in field for fields in rows for field in fields):
        return None
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


_QUOTES: dict[str, dict[str, Any]] = {
    "": {},
    "A space before the quote that opens a text was left out.": {"skipinitialspace": True},
    'Quotes inside texts are written \\" and were read as ".': {"escapechar": "\\", "doublequote": False},
}


def _strictly(text: str, separator: str, how: dict[str, Any]) -> list[list[str]]:
    """The rows; none where quotes do not fit."""
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True, **how))
    except csv.Error:
        return []


def _begins_with_a_quote(fields: list[str]) -> bool:
    return any(field.lstrip(" ").startswith('"') for field in fields if field.startswith(" "))


def sniffed(content: bytes, separator: str | None) -> Dialect:
    """The dialect of a file, UTF-8 with plain line ends.

    Args:
        content: The file.
        separator: What separates fields, where that is known.
    """
    take_long_fields()
    said = re.match(rb'"?sep=(.)"?[;,\t]*\r?\n', content, re.IGNORECASE)
    start = said.end() if said else 0
    is_cut = len(content) > start + _SAMPLE
    text = content[start : start + _SAMPLE].decode(errors="ignore")
    separators = [separator] if separator else [said[1].decode(errors="ignore")] if said else list(SEPARATORS)
    rows = {mark: _rows(text, mark, is_cut) for mark in separators}
    chosen = max(separators, key=lambda mark: _fit([fields for fields, _ in rows[mark]]))
    above = _above(rows[chosen])
    at = start
    for _ in range(rows[chosen][above - 1][1] if above else 0):
        at = content.index(b"\n", at) + 1
    # Blank lines stand between a title and the header, or before all of it.
    blank = re.match(rb"(?:[ \t]*\r?\n)*", content[at : at + _SAMPLE])
    at += blank.end() if blank else 0
    return Dialect(chosen, at, content.count(b"\n", 0, at), above + (1 if said else 0))


def _rows(text: str, separator: str, is_cut: bool) -> list[tuple[list[str], int]]:
    """The first rows that are not blank, each with the number of the line that it ends on."""
    rows: list[tuple[list[str], int]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for fields in reader:
            if len(rows) >= _ROWS:
                return rows
            if fields:
                rows.append((fields, reader.line_num))
    except csv.Error:
        return rows
    return rows[:-1] if is_cut and len(rows) > 1 else rows


def _fit(rows: list[list[str]]) -> tuple[float, bool, int]:
    """How well a separator fits: the share of rows of the commonest width, the header's agreement, that width."""
    if not rows:
        return (0.0, False, 0)
    (width, count), *_ = Counter(map(len, rows)).most_common(1)
    if width == 1:
        return (0.0, False, len(rows[0]))
    return (count / len(rows) if len(rows[0]) == width else 0.9 * count / len(rows), len(rows[0]) == width, width)


def _above(rows: list[tuple[list[str], int]]) -> int:
    """How many rows stand above the header: comments and titles, and what follows them until a row of names."""
    if len(rows) < 3:
        return 0
    width = Counter(len(fields) for fields, _ in rows).most_common(1)[0][0]
    first = rows[0][0]
    # Campbell's loggers write TOA5 and what they are above the names.
    is_title = (
        first[0].lstrip().startswith("#")
        or first[0] == "TOA5"
        or (width > 1 and first[0].strip() != "" and not any(map(str.strip, first[1:])))
    )
    if width == 1:
        return 0
    if at := _below_settings([fields for fields, _ in rows], width):
        return at
    for at in range(len(rows) - 1 if is_title else 0):
        if _is_names(rows[at][0], width):
            return at
    # A title that holds the separator looks like a header, but a row of one field stands between it and the names.
    alone = [at for at, (fields, _) in enumerate(rows[:_HIGHEST]) if len(_filled(fields)) < 2]
    at = alone[-1] + 1 if alone else 0
    if not 1 < at < len(rows) - 1 or any(map(_holds_numbers, (fields for fields, _ in rows[:at]))):
        return 0
    return at if _is_names(rows[at][0], width) and _holds_numbers(rows[at + 1][0]) else 0


def _below_settings(rows: list[list[str]], width: int) -> int:
    """Where names stand below rows such as "Operator;Ada": with fewer fields than the table, or two of them filled."""
    first = [fields if len(_filled(fields)) > _SETTING else [] for fields in rows[:_MOST_SETTINGS]]
    at = next((at for at, fields in enumerate(first) if _is_names(fields, width) or _are_years(fields, width)), 0)
    if not at or width < 3 or not any(map(_holds_numbers, rows[at + 1 : at + 3])):
        return 0
    is_apart = len(rows[0]) < width or (at > 1 and all(len(_filled(fields)) <= _SETTING for fields in rows[:at]))
    return at if is_apart else 0


def _are_years(fields: list[str], width: int) -> bool:
    """Whether a row may be names and then years."""
    numbers = [field for field in fields if _NUMBER.fullmatch(field)]
    return len(fields) == width and 1 < len(numbers) < width - 1 and are_in_order(numbers)


def _is_names(fields: list[str], width: int) -> bool:
    """Whether a row may be the names of columns."""
    # Database consoles draw a line on both sides.
    most = width - 2 if fields and not fields[0].strip() and not fields[-1].strip() else width
    is_filled = len(fields) == width and len(_filled(fields)) >= max(2, most - 1)
    is_comment = is_filled and fields[0].lstrip().startswith("#") and fields[0].strip() != "#"
    return is_filled and not is_comment and not _holds_numbers(fields)


def _filled(fields: list[str]) -> list[str]:
    return [field for field in fields if field.strip()]


def _holds_numbers(fields: list[str]) -> bool:
    return any(map(_NUMBER.fullmatch, _filled(fields)))
