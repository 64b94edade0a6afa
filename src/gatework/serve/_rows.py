"""Rows of a stream, answered with the state that they carry."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from gatework.data.lines import LineReader
from gatework.data.reading import Reading
from gatework.errors import GateworkError
from gatework.serve._refusal import sentence_of
from gatework.tasks._stream import Stream, answers_of

Row = tuple[str, Mapping[str, Any]]
"""What to call a row in messages, and its values by column."""


class Pace:
    """What a row of a model's streams takes.

    Attributes:
        seconds: Time on the clock, a running mean without most of what other processes add; infinite before the first.
    """

    def __init__(self) -> None:
        self.seconds = math.inf

    def measured(self, stream: Stream, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """The answers to the next rows of a stream, whose time counts; that to a wrong one says why, as "error"."""
        if len(rows) == 1:
            return [self.measured_one(stream, *rows[0])]
        started = time.perf_counter()
        answers = _answers(stream, rows)
        self._count((time.perf_counter() - started) / max(len(rows), 1))
        return answers

    def measured_one(self, stream: Stream, where: str, row: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one row, likewise."""
        started = time.perf_counter()
        try:
            answer = stream.answer(row, where)
        except GateworkError as error:
            answer = {"error": sentence_of(error)}
        self._count(time.perf_counter() - started)
        return answer

    def _count(self, each: float) -> None:
        if each < self.seconds:
            self.seconds = each
        else:
            self.seconds += _SLOW * (min(each, _MOST * self.seconds) - self.seconds)


_SLOW, _MOST = 0.05, 4.0
"""How much the last rows count in the running mean, and how many times the mean one of them may be in it."""
Asked = tuple[Pace, Stream, Sequence[Row]]
"""A stream with the rows that come next in it, and the pace of its model."""


def answer_rows(asked: Sequence[Asked]) -> Sequence[list[dict[str, Any]] | Exception]:
    """The answers to the next rows of some streams; that to a row which cannot be answered says why, as "error".

    Such a row counts for nothing: the stream goes on as if it had not come. A stream that fails does so alone, as the
    others have gone on.
    """
    return [_measured(*one) for one in asked]


def _measured(pace: Pace, stream: Stream, rows: Sequence[Row]) -> list[dict[str, Any]] | Exception:
    try:
        return pace.measured(stream, rows)
    except Exception as error:
        return error


def _answers(stream: Stream, rows: Sequence[Row]) -> list[dict[str, Any]]:
    answered: list[dict[str, Any]] = []
    while len(answered) < len(rows):
        try:
            answered.extend(answers_of(stream, rows[len(answered) :]))
        except GateworkError as error:
            answered.append({"error": sentence_of(error)})
    return answered


def reader_of(stream: Stream) -> LineReader:
    """What reads the lines of a stream as those of its training table."""
    # A stream of one's own need not say how its rows are read.
    reading, columns = getattr(stream, "reading", Reading()), getattr(stream, "columns", ())
    return LineReader(reading.separator, columns)


class LineCutter:
    """Cuts a body that comes in pieces into lines."""

    def __init__(self) -> None:
        self._rest = b""

    def __len__(self) -> int:
        """Bytes of the line that has begun."""
        return len(self._rest)

    def feed(self, piece: bytes) -> list[bytes]:
        """The lines that are whole now."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        return lines

    def end(self) -> list[bytes]:
        """The last line, where nothing stands behind it."""
        rest, self._rest = self._rest, b""
        return [rest] if rest else []
