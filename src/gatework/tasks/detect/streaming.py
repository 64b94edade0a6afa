"""Rows as they come, each answered at once: the state of every series is carried, and memory does not grow."""

from __future__ import annotations

import csv
import datetime
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.config import TimeConfig
from gatework.data.timestamps import MISSING_WORDS, read_stamps
from gatework.errors import DataError
from gatework.tasks.detect.detector import LIMIT, Detector

if TYPE_CHECKING:
    from gatework.tasks.detect.online_scorer import LabelledWatch, OnlineScorer
    from gatework.training.run import Run

_SOURCE = "standard input"
_EPOCH = datetime.datetime(1970, 1, 1)
_MICROSECOND = datetime.timedelta(microseconds=1)


class Stream:
    """Every series of a stream under watch.

    Args:
        detector: The trained detector.
        config: How times are written.
    """

    def __init__(self, detector: Detector, config: TimeConfig) -> None:
        self.detector, self.task, self.config = detector, detector.task, config
        self.watches: dict[str, OnlineScorer | LabelledWatch] = {}
        self.since_flag: dict[str, int] = {}

    def answer(self, row: Mapping[str, Any], where: str) -> dict[str, Any]:
        """The answer for the row that comes next.

        Args:
            row: Its values by column, as texts or numbers.
            where: What to call it in messages, such as "line 12".

        Returns:
            The series' columns and the time; `score`, `is_anomaly`, and `is_start`, whether a span begins; `cause` and
            for each variable `value`, `expected`, `low` and `high` where something is expected.

        Raises:
            DataError: A column is missing, or a value is no number or no time.
        """
        names = self.task.columns
        ids = tuple(str(self._field(row, name, where)) for name in names["series"])
        series = ", ".join(ids)
        time = self._field(row, str(names["time"]), where)
        stamp = self._stamp(time, where)
        values = np.array([[_number(self._field(row, name, where), name, where) for name in self.task.variables]])
        if series not in self.watches:
            self.watches[series] = self.detector.watch(series)
        found = self.watches[series].answer(values, np.array([stamp]))
        score = float(found.scores[0])
        is_anomaly = score > LIMIT
        since = self.since_flag.get(series, self.task.settings.gap + 1)
        self.since_flag[series] = 0 if is_anomaly else min(since + 1, self.task.settings.gap + 1)
        answer: dict[str, Any] = dict(zip(names["series"], ids, strict=True))
        answer |= {str(names["time"]): time, "score": None if math.isnan(score) else score, "is_anomaly": is_anomaly}
        answer["is_start"] = is_anomaly and since > self.task.settings.gap
        if found.causes[0] >= 0:
            answer["cause"] = self.task.variables[found.causes[0]]
            for k, name in enumerate(self.task.variables):
                fields = ("expected", "low", "high")
                answer[name] = {"value": _or_none(values[0, k])}
                answer[name] |= {field: _or_none(getattr(found, field)[0, k]) for field in fields}
        return answer

    def _field(self, row: Mapping[str, Any], name: str, where: str) -> Any:
        if name not in row:
            raise DataError(f'{_SOURCE}, {where} has no column "{name}": there is {", ".join(map(str, row))}')
        return row[name]

    def _stamp(self, time: Any, where: str) -> int:
        """Microseconds since 1970 on the local clock: quickly where the time is written plainly."""
        if isinstance(time, str) and self.config.time_format is None and self.config.time_zone is None:
            try:
                plain = datetime.datetime.fromisoformat(time)
            except ValueError:
                plain = None
            if plain is not None and plain.tzinfo is None:
                return (plain - _EPOCH) // _MICROSECOND
        import polars as pl

        column = pl.Series(str(self.task.columns["time"]), [time])
        found = read_stamps(
            column,
            np.zeros(1, dtype=np.int64),
            source=_SOURCE,
            row=lambda _: where,
            pattern=self.config.time_format,
            zone=self.config.time_zone,
        )
        return int(found.local[0])


def answer_lines(run: Run, lines: Iterable[str]) -> Iterator[str]:
    """Answers lines one by one, each before the next is read.

    Args:
        run: The finished run of a detector.
        lines: CSV with a header, or JSON objects, one a line.

    Yields:
        One JSON object a row, as `Stream.answer()` gives it.

    Raises:
        RunError: The run is of another task.
        DataError: A line cannot be read, or there is none.
    """
    stream = Stream(Detector.of(run), run.recipe.time or TimeConfig())
    is_empty = True
    for where, row in _rows(lines):
        yield json.dumps(stream.answer(row, where), ensure_ascii=False)
        is_empty = False
    if is_empty:
        raise DataError(f"{_SOURCE} holds no rows; CSV with a header, or a JSON object a line, was expected")


def _rows(lines: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each row, and what to call it in messages."""
    header: list[str] | None = None
    is_json: bool | None = None
    for number, line in enumerate(_decoded(lines), start=1):
        text = line.strip().removeprefix("\ufeff")
        if not text:
            continue
        where = f"line {number}"
        if is_json is None:
            is_json = text.startswith("{")
        if is_json:
            yield where, _json_row(text, where)
        elif header is None:
            header = _fields(text, where)
        else:
            fields = _fields(text, where)
            if len(fields) != len(header):
                raise DataError(
                    f"{_SOURCE}, {where} has {len(fields)} fields, expected {len(header)}: {', '.join(header)}"
                )
            yield where, dict(zip(header, fields, strict=True))


def _decoded(lines: Iterable[str]) -> Iterator[str]:
    """The lines as they are; a sentence instead of what Python says where one is no text."""
    try:
        yield from lines
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise DataError(f"{_SOURCE}: byte 0x{byte:02x} is not valid UTF-8, which was expected") from None


def _fields(text: str, where: str) -> list[str]:
    try:
        return next(csv.reader([text]))
    except csv.Error as error:
        raise DataError(f"{_SOURCE}, {where} is no CSV ({error}); one row a line was expected") from None


def _json_row(text: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(text)
    except ValueError as error:
        raise DataError(f"{_SOURCE}, {where} is no JSON object ({error}); one object a line was expected") from None
    if not isinstance(row, dict):
        raise DataError(f"{_SOURCE}, {where} is {text[:40]}, expected a JSON object")
    return row


def _number(value: Any, name: str, where: str) -> float:
    if value is None or (isinstance(value, str) and value.strip() in MISSING_WORDS):
        return math.nan
    try:
        found = float(value)
    except (TypeError, ValueError):
        wrong = f'is "{value}", expected a number'
    else:
        if not math.isinf(found):
            return found
        wrong = "is infinite, expected a finite number"
    raise DataError(f'{_SOURCE}, column "{name}": {where} {wrong}, or nothing where missing')


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
