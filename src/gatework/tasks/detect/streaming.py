"""Rows as they come, each answered at once: the state of every series is carried, and memory does not grow."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.data.lines import SOURCE
from gatework.data.timestamps import MISSING_WORDS, read_stamps
from gatework.errors import DataError
from gatework.options import TimeOptions
from gatework.tasks.detect.detector import LIMIT, Detector

if TYPE_CHECKING:
    from gatework.tasks.detect.online_scorer import LabelledWatch, OnlineScorer

_EPOCH = datetime.datetime(1970, 1, 1)
_MICROSECOND = datetime.timedelta(microseconds=1)


class DetectStream:
    """Every series of a stream under watch.

    Args:
        detector: The trained detector.
        config: How times are written.
    """

    def __init__(self, detector: Detector, config: TimeOptions) -> None:
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
            raise DataError(f'{SOURCE}, {where} has no column "{name}": there is {", ".join(map(str, row))}')
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
            source=SOURCE,
            row=lambda _: where,
            pattern=self.config.time_format,
            zone=self.config.time_zone,
        )
        return int(found.local[0])


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
    raise DataError(f'{SOURCE}, column "{name}": {where} {wrong}, or nothing where missing')


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
