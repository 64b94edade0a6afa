"""Rows as they come, each answered at once: the state of every series is carried, and memory does not grow."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from gatework.data.lines import SOURCE, as_float, number_of, text_of
from gatework.data.numbers import NumberReader, plain_texts
from gatework.data.reading import Reading
from gatework.data.timestamps import read_stamps
from gatework.errors import DataError
from gatework.tasks.detect.detector import LIMIT, Detector

if TYPE_CHECKING:
    from gatework.tasks.detect.online_scorer import LabelledWatch, OnlineScorer

_EPOCH = datetime.datetime(1970, 1, 1)
_MICROSECOND = datetime.timedelta(microseconds=1)


class DetectStream:
    """Every series of a stream under watch.

    Args:
        detector: The trained detector.
        reading: How texts become values: as in the training table, but for what a person says.
    """

    def __init__(self, detector: Detector, reading: Reading) -> None:
        self.detector, self.task, self.reading = detector, detector.task, reading
        self.columns = (str(self.task.columns["time"]), *self.task.columns["series"], *self.task.variables)
        self.number = NumberReader(reading)
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
        ids = tuple(self._id(row, name, where) for name in names["series"])
        series = ", ".join(ids)
        time = self._field(row, str(names["time"]), where)
        stamp = self._stamp(time, where)
        values = np.array([[self._number(row, name, where) for name in self.task.variables]])
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
            raise DataError(f'{SOURCE}, {where} has no column "{name}": there is {", ".join(map(str, row))}')
        return row[name]

    def _id(self, row: Mapping[str, Any], name: str, where: str) -> str:
        value = self._field(row, name, where)
        series = plain_texts(pl.Series(name, [text_of(value)], dtype=pl.String), SOURCE, self.task.scales.by_name)[0]
        if series is None:
            raise DataError(f'{SOURCE}, column "{name}": {where} is empty; every row must say which series it is of')
        return str(series)

    def _number(self, row: Mapping[str, Any], name: str, where: str) -> float:
        return number_of(self._field(row, name, where), name, where, self.number)

    def _stamp(self, time: Any, where: str) -> int:
        """Microseconds since 1970 on the local clock: quickly where the time is written plainly."""
        pattern = self.reading.time_format
        if isinstance(time, str) and self.reading.time_zone is None and (pattern is None or "%" in pattern):
            try:
                is_plain = pattern is None or pattern.startswith("%Y-%m-%d")
                plain = (
                    datetime.datetime.fromisoformat(time)
                    if is_plain
                    else datetime.datetime.strptime(time, str(pattern))
                )
            except ValueError:
                plain = None
            if plain is not None and plain.tzinfo is None and plain.year >= 1000:
                return (plain - _EPOCH) // _MICROSECOND
        number = isinstance(time, (int, float)) and not isinstance(time, bool)
        name = str(self.task.columns["time"])
        column = pl.Series(
            name, [as_float(time) if number else text_of(time)], dtype=pl.Float64 if number else pl.String
        )
        codes = np.zeros(1, dtype=np.int64)
        found = read_stamps(column, codes, source=SOURCE, row=lambda _: where, reading=self.reading, is_kept=True)
        return int(found.local[0])


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
