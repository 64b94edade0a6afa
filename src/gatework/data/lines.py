"""Rows of a table from lines as they come, CSV with a header or JSON objects."""

from __future__ import annotations

import codecs
import csv
import io
import json
import math
import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO, TypeVar

import msgspec

from gatework.data._content import as_utf8
from gatework.data._dialect import SEPARATORS, take_long_fields
from gatework.data.numbers import LARGEST, NumberReader
from gatework.errors import DataError

T = TypeVar("T")

SOURCE = "standard input"
"""What lines are said to come from in messages."""

_CONVERT = "name its encoding by --encoding, or convert it first, as by iconv -f cp1252 -t utf-8"
_PIECE = 1 << 16
_READ_JSON = msgspec.json.Decoder().decode


def waiting_lines(file: TextIO) -> Iterator[list[str]]:
    """The lines of a file as they come: all that wait, or else the next one as soon as it is whole.

    Bytes that are not UTF-8 come as lone surrogates, so that the lines before them can be answered.

    Args:
        file: Standard input, or another file; of one that is no file of the system, each line comes alone.
    """
    try:
        number = file.fileno()
    except (OSError, AttributeError):
        yield from ([line] for line in file)
        return
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    ends = io.IncrementalNewlineDecoder(decoder, translate=True)
    rest = ""
    while data := os.read(number, _PIECE):
        *lines, rest = (rest + ends.decode(data)).split("\n")
        if lines:
            yield lines
    if last := rest + ends.decode(b"", final=True):
        yield last.split("\n")


class LineReader:
    """Reads lines that come one by one; the first with anything in it says whether they are CSV or JSON.

    Args:
        separator: What stood between the fields of the training table.
        columns: The columns that are needed, by which a separator is known.
        encoding: The encoding of lines that are not UTF-8; guessed from the first of them if None, as a file's is.

    Attributes:
        notes: What was decided that a person may not expect, one sentence each.
    """

    def __init__(
        self, separator: str | None = None, columns: Collection[str] = (), encoding: str | None = None
    ) -> None:
        take_long_fields()
        self._separator, self._columns = separator, columns
        self._encoding = None if encoding in (None, "utf-8") else encoding
        self.notes: list[str] = []
        self._said_of, self._has_said_again = "", False
        self._header: list[str] | None = None
        self._is_json: bool | None = None
        self._number = 0

    def read(self, line: str) -> tuple[str, dict[str, Any]] | None:
        """What to call the line in messages, and its row; None where it holds none, as the header, also once more.

        Raises:
            DataError: It cannot be read.
        """
        self._number += 1
        if not line.isascii() and (self._is_json is not None or "\0" not in line):
            line = self._as_text(line)
        text = line.strip("\r\n \0").removeprefix("\ufeff")
        if self._is_json is None and "\0" in text:
            way = "convert it first, by iconv -f utf-16 -t utf-8"
            raise DataError(f"{SOURCE}, line {self._number} is not UTF-8 and looks like UTF-16; {way}")
        if not text.strip():
            return None
        where = f"line {self._number}"
        if self._is_json is None:
            self._is_json = text.startswith("{")
        if self._is_json:
            return where, _json_row(text, where)
        if self._header is None:
            self._read_header(text, where)
            return None
        fields = _fields(text, where, self._separator or ",")
        if len(fields) != len(self._header):
            raise DataError(
                f"{SOURCE}, {where} has {len(fields)} fields, expected {len(self._header)}: {', '.join(self._header)}"
            )
        # As in a file: a column alone may hold its name.
        is_header = len(fields) > 1 and fields[0].strip() == self._header[0]
        if is_header and [field.strip() for field in fields] == self._header:
            if not self._has_said_again:
                self._has_said_again = True
                self.notes.append(f"{SOURCE}, {where} repeats the header and was left out, as lines like it will be.")
            return None
        return where, dict(zip(self._header, fields, strict=True))

    def rows(self, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The rows of a whole text, whose quoted fields may go on over ends of lines, as those of a file.

        Raises:
            DataError: One cannot be read.
        """
        lines = io.StringIO(text, newline=None).readlines()
        place = 0
        while place < len(lines) and self._header is None:
            if row := self.read(lines[place]):
                yield row
            place += 1
        first, records = place, csv.reader(lines[place:], delimiter=self._separator or ",")
        while place < len(lines):
            self._number = place
            try:
                next(records)
            except csv.Error as error:
                raise DataError(f"{SOURCE}, line {place + 1} is no CSV ({error}); a row was expected") from None
            end = first + records.line_num
            if row := self.read("".join(lines[place:end])):
                yield row
            place = end

    def _as_text(self, line: str) -> str:
        """A line whose bytes that are not UTF-8 stand in it as lone surrogates, where Python lets them through."""
        try:
            line.encode()
        except UnicodeEncodeError as error:
            byte, where = ord(error.object[error.start]) & 0xFF, f"{SOURCE}, line {self._number}"
            content = line.encode("utf-8", "surrogatepass" if byte < 0x80 else "surrogateescape")
            try:
                text, encoding, _ = as_utf8(content, Path(where), self._encoding)
            except DataError:
                raise DataError(f"{where}: byte 0x{byte:02x} is not valid UTF-8; {_CONVERT}") from None
            if encoding != self._said_of:
                self._said_of = encoding
                self.notes.append(f"{where} is not UTF-8 and was read as {encoding}, as lines like it will be.")
            self._encoding = encoding
            return text.decode()
        return line

    def _read_header(self, text: str, where: str) -> None:
        """Notes the names of the columns, or the separator where a line says nothing else."""
        if text.lower().startswith("sep=") and len(text) == 5:
            self._separator = text[4]
            return
        self._separator = _separator(text, self._separator, self._columns, where)
        self._header = [name.strip() for name in _fields(text, where, self._separator)]


def _separator(header: str, kept: str | None, columns: Collection[str], where: str) -> str:
    """What cuts a header into the columns that are needed; that of the training table, where nothing does."""
    if not columns:
        return kept if kept and kept in header else max(SEPARATORS, key=header.count)
    every = dict.fromkeys((kept or ",", *SEPARATORS))
    cut = {mark: [name.strip() for name in _fields(header, where, mark)] for mark in every}
    return next((mark for mark, names in cut.items() if set(columns) <= set(names)), kept or ",")


def decoded(blocks: Iterable[T]) -> Iterator[T]:
    """The same; a sentence instead of what Python says where a line is no text.

    Raises:
        DataError: A line is no text.
    """
    try:
        yield from blocks
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise DataError(f"{SOURCE}: byte 0x{byte:02x} is not valid UTF-8; {_CONVERT}") from None


def _fields(text: str, where: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=separator))
    except csv.Error as error:
        raise DataError(f"{SOURCE}, {where} is no CSV ({error}); one row a line was expected") from None


def _json_row(text: str, where: str) -> dict[str, Any]:
    try:
        try:
            row = _READ_JSON(text)
        except (msgspec.DecodeError, UnicodeEncodeError):
            # Ten times as slow, this reads NaN, halves of characters and numbers that are too large too.
            row = json.loads(text)
    except RecursionError:
        raise DataError(f"{SOURCE}, {where} is nested too deeply; one flat JSON object a line was expected") from None
    except ValueError as error:
        raise DataError(f"{SOURCE}, {where} is no JSON object ({error}); one object a line was expected") from None
    if not isinstance(row, dict):
        raise DataError(f"{SOURCE}, {where} is {text[:40]}, expected a JSON object")
    if "\\" in text and "\\ud" in text.lower():
        _check_surrogates(row, where)
    return row


def _check_surrogates(row: dict[str, Any], where: str) -> None:
    """Refuses half a character, which JSON can escape and UTF-8 cannot hold.

    Raises:
        DataError: There is one.
    """
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        raise DataError(f"{SOURCE}, {where} holds {half}, half a character; whole ones were expected") from None


def text_of(value: Any, most: int = 4000) -> str | None:
    """A value of JSON or CSV as a text; None where it is missing."""
    if value is None:
        return None
    text = ("true" if value else "false") if isinstance(value, bool) else _written(value)
    return text if len(text) <= most else text[:most] + "..."


def _written(value: Any) -> str:
    try:
        return str(value)
    except ValueError:
        # Python writes no whole number of thousands of digits.
        return "inf"


def as_float(number: float) -> float:
    """A number of JSON; one of hundreds of digits is infinite."""
    try:
        return float(number)
    except OverflowError:
        return math.inf


def number_of(value: Any, name: str, where: str, read: NumberReader) -> float:
    """The number in a row's field, NaN where it is missing.

    Args:
        value: The field, of JSON or CSV.
        name: The column, for messages.
        where: What to call the row, such as "line 12".
        read: Reads texts.

    Raises:
        DataError: It is no finite number.
    """
    # What JSON has as a number is one, whatever marks the texts of the training table had.
    number = as_float(value) if isinstance(value, (int, float)) else read(text_of(value) or "")
    if number is not None and not abs(number) > LARGEST:
        return number
    what = "no number" if number is None else "infinite" if math.isinf(number) else f"beyond {LARGEST:g}"
    raise DataError(
        f'{SOURCE}, column "{name}": {where} is "{text_of(value, 40)}", {what}; expected a finite number, or '
        "nothing where it is missing"
    )
