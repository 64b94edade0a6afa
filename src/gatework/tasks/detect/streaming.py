"""Rows as they come, each answered at once: the state of every series is carried, and memory does not grow."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from gatework.data.lines import SOURCE, as_float, number_of, text_of
from gatework.data.numbers import NumberReader, plain_texts
from gatework.data.reading import Reading
from gatework.data.timestamps import read_stamps
from gatework.errors import DataError
from gatework.tasks.detect.detector import LIMIT, Detector
from gatework.tasks.detect.kinds import KINDS

if TYPE_CHECKING:
    from gatework.tasks._stream import Row
    from gatework.tasks.detect.online_scorer import Answers, LabelledWatch, OnlineScorer

_EPOCH = datetime.datetime(1970, 1, 1)
_MICROSECOND = datetime.timedelta(microseconds=1)
_FIELDS = ("value", "expected", "low", "high")
# How many ids are remembered as they were written; further ones are read anew each time.
_MOST_IDS = 100_000


class _Read(NamedTuple):
    """A row that was read: its series, its time as it stands and in microseconds, and its values."""

    ids: tuple[str, ...]
    time: Any
    stamp: int
    values: list[float]


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
        self._ids: dict[str, str] = {}

    def answer(self, row: Mapping[str, Any], where: str) -> dict[str, Any]:
        """The answer for the row that comes next.

        Args:
            row: Its values by column, as texts or numbers.
            where: What to call it in messages, such as "line 12".

        Returns:
            The series' columns and the time; `score`, `is_anomaly`, and `is_start`, whether a span begins; `kind` where
            the row is anomalous; `cause` and for each variable `value`, `expected`, `low` and `high` where something is
            expected.

        Raises:
            DataError: A column is missing, or a value is no number or no time.
        """
        return next(self.answers([(where, row)]))

    def answers(self, rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
        """The answers to rows that come together, each as `answer()` gives it.

        Args:
            rows: What to call each row, and its values.

        Raises:
            DataError: As for `answer()`; the answers to the rows before have come out.
        """
        read, failure = self._readable(rows)
        places: dict[str, list[int]] = {}
        for place, one in enumerate(read):
            places.setdefault(", ".join(one.ids), []).append(place)
        judged: dict[int, tuple[Answers, int]] = {}
        for series, of_series in places.items():
            if series not in self.watches:
                self.watches[series] = self.detector.watch(series)
            values = np.array([read[place].values for place in of_series])
            answered = self.watches[series].answer(values, np.array([read[place].stamp for place in of_series]))
            for k, place in enumerate(of_series):
                judged[place] = (answered, k)
        for place, one in enumerate(read):
            yield self._said(one, *judged[place])
        if failure is not None:
            raise failure

    def _readable(self, rows: Sequence[Row]) -> tuple[list[_Read], DataError | None]:
        """What was read of each row, up to the first that cannot be read, and what is wrong with that one."""
        read: list[_Read] = []
        try:
            for where, row in rows:
                ids = tuple([self._id(row, name, where) for name in self.task.columns["series"]])
                time = self._field(row, self.columns[0], where)
                stamp = self._stamp(time, where)
                read.append(_Read(ids, time, stamp, [self._number(row, name, where) for name in self.task.variables]))
        except DataError as error:
            return read, error
        return read, None

    def _said(self, read: _Read, answered: Answers, place: int) -> dict[str, Any]:
        """The answer to one row."""
        series, gap = ", ".join(read.ids), self.task.settings.gap
        score = float(answered.scores[place])
        is_anomaly = score > LIMIT
        since = self.since_flag.get(series, gap + 1)
        self.since_flag[series] = 0 if is_anomaly else min(since + 1, gap + 1)
        answer: dict[str, Any] = dict(zip(self.task.columns["series"], read.ids, strict=True))
        answer |= {self.columns[0]: read.time, "score": _or_none(score), "is_anomaly": is_anomaly}
        answer["is_start"] = is_anomaly and since > gap
        if answered.kinds[place] >= 0:
            answer["kind"] = KINDS[answered.kinds[place]]
        cause = int(answered.causes[place])
        if cause >= 0:
            answer["cause"] = self.task.variables[cause]
            columns = (
                read.values,
                answered.expected[place].tolist(),
                answered.low[place].tolist(),
                answered.high[place].tolist(),
            )
            for name, numbers in zip(self.task.variables, zip(*columns, strict=True), strict=True):
                answer[name] = dict(zip(_FIELDS, map(_or_none, numbers), strict=True))
        return answer

    def _field(self, row: Mapping[str, Any], name: str, where: str) -> Any:
        if name not in row:
            raise DataError(f'{SOURCE}, {where} has no column "{name}": there is {", ".join(map(str, row))}')
        return row[name]

    def _id(self, row: Mapping[str, Any], name: str, where: str) -> str:
        value = self._field(row, name, where)
        if isinstance(value, str) and (known := self._ids.get(value)) is not None:
            return known
        series = plain_texts(pl.Series(name, [text_of(value)], dtype=pl.String), SOURCE, self.task.scales.by_name)[0]
        if series is None:
            raise DataError(f'{SOURCE}, column "{name}": {where} is empty; every row must say which series it is of')
        if isinstance(value, str) and len(self._ids) < _MOST_IDS:
            self._ids[value] = str(series)
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
        stamps = read_stamps(column, codes, source=SOURCE, row=lambda _: where, reading=self.reading, is_kept=True)
        return int(stamps.local[0])


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
