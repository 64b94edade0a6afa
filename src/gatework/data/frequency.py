"""The step of a regular series: parsed from a person's word, inferred from stamps, and counted along a grid.

Stamps are microseconds since 1970 on the clock they were written with, int64. A step is a fixed time, a number of
calendar months, or a business day (Monday to Friday); a grid numbers the steps of each, so that two stamps are
neighbours exactly when their positions differ by 1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gatework.errors import DataError, UsageError

SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
WEEK = 7 * DAY

# What people write, in pandas' and polars' spelling: the kind of step, and how many of it.
Kind = Literal["time", "months", "business"]
_UNITS: dict[str, tuple[Kind, int]] = {
    "s": ("time", SECOND),
    "sec": ("time", SECOND),
    "t": ("time", MINUTE),
    "min": ("time", MINUTE),
    "m": ("time", MINUTE),
    "h": ("time", HOUR),
    "d": ("time", DAY),
    "w": ("time", WEEK),
    "b": ("business", 1),
    "mo": ("months", 1),
    "ms": ("months", 1),
    "me": ("months", 1),
    "M": ("months", 1),
    "q": ("months", 3),
    "qs": ("months", 3),
    "qe": ("months", 3),
    "y": ("months", 12),
    "a": ("months", 12),
    "ys": ("months", 12),
    "ye": ("months", 12),
}
_NOUNS = {"Y": "year", "Q": "quarter", "M": "month", "W": "week", "D": "day", "B": "working day"} | {
    "H": "hour",
    "min": "minute",
    "S": "second",
    "us": "microsecond",
}
_KNOWN = "S, min, H, D, B (business days), W, M, Q and Y, also with a number in front (15min, 2W)"

# The most likely step where stamps jitter around it.
_ROUND = [
    *(n * SECOND for n in (1, 2, 5, 10, 15, 20, 30)),
    *(n * MINUTE for n in (1, 2, 5, 10, 15, 20, 30)),
    *(n * HOUR for n in (1, 2, 3, 4, 6, 8, 12)),
    DAY,
    WEEK,
]
_SHORTEST_MONTH = 27 * DAY
_MEAN_MONTH = 365.2425 / 12 * DAY
_WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
# 1 January 1970 was a Thursday: this many days later a Monday came.
_FIRST_MONDAY = 4
# A median this close to a round step, where no single distance prevails, is that step with jitter.
_JITTER = 0.05
# Stamps whose median distance is less than this share of a step lie within steps rather than about them.
_FINER = 0.75
_PREVAILING = 0.5
# The share of distances that must be whole numbers of steps for stamps to count as regular.
_REGULAR = 0.8
_BUSINESS_EVIDENCE = 10


@dataclass(frozen=True)
class Frequency:
    """The step between two neighbours of a regular series.

    Attributes:
        kind: "time" for a fixed time, "months" for calendar months, "business" for Monday to Friday.
        size: Microseconds, months, or 1.
        last_day: Of weeks, the weekday that they end on, 0 for Monday to 6 for Sunday.
    """

    kind: Kind
    size: int
    last_day: int = 6

    @classmethod
    def parse(cls, text: str) -> Frequency:
        """Reads "D", "15min", "2W", "W-SAT" (weeks that end on a Saturday), "MS", "3mo" and the like.

        Raises:
            UsageError: It is none of these.
        """
        match = re.fullmatch(r"\s*(\d{0,6})\s*([A-Za-z]+)(?:-([A-Z]{3}))?\s*", text)
        unit = _UNITS.get(match[2]) or _UNITS.get(match[2].lower()) if match else None
        count = int(match[1] or 1) if match else 0
        last = match[3] if match else None
        is_week = unit == _UNITS["w"]
        if (
            unit is None
            or count < 1
            or (unit[0] == "business" and count > 1)
            or not (last in _WEEKDAYS or last is None)
        ):
            raise UsageError(f'the frequency is "{text}", expected one of {_KNOWN}')
        if last is not None and not is_week:
            raise UsageError(
                f'the frequency is "{text}": only weeks have a last day, as W-SUN; expected one of {_KNOWN}'
            )
        return cls(unit[0], count * unit[1], _WEEKDAYS.index(last) if last else 6)

    @property
    def name(self) -> str:
        """How it is written, and read again by `parse()`."""
        if self.kind == "business":
            return "B"
        if self.kind == "months":
            size, unit = next((self.size // n, u) for n, u in ((12, "Y"), (3, "Q"), (1, "M")) if self.size % n == 0)
        else:
            steps = ((WEEK, "W"), (DAY, "D"), (HOUR, "H"), (MINUTE, "min"), (SECOND, "S"))
            size, unit = next(((self.size // n, u) for n, u in steps if self.size % n == 0), (self.size, "us"))
        last = f"-{_WEEKDAYS[self.last_day]}" if unit == "W" and self.last_day != 6 else ""
        return (unit if size == 1 else f"{size}{unit}") + last

    @property
    def words(self) -> str:
        """How it is said: "one day", "15 minutes", "one week"."""
        name = self.name.partition("-")[0]
        count = name.rstrip("".join(_NOUNS))
        noun = _NOUNS[name.removeprefix(count)]
        return f"{count} {noun}s" if count else f"one {noun}"

    @property
    def is_daily_or_longer(self) -> bool:
        """Whether a step is a date rather than a moment, so that the local calendar counts and no change of clocks."""
        return self.kind != "time" or self.size >= DAY


@dataclass(frozen=True)
class Grid:
    """The numbered steps of one frequency.

    Attributes:
        frequency: The step.
        anchor: The stamp at position 0, microseconds.
        is_month_end: For months: whether a stamp is its month's last day, whatever its number.
        is_calendar: For fixed times: whether a step holds what begins within it, as a day does, rather than what lies
            nearest to its stamp.
    """

    frequency: Frequency
    anchor: int
    is_month_end: bool = False
    is_calendar: bool = False

    @classmethod
    def fit(cls, frequency: Frequency, stamps: np.ndarray, *, is_named: bool = False) -> Grid:
        """The grid that most of these stamps lie on.

        Args:
            frequency: The step.
            stamps: Microseconds, shape (rows,), int64.
            is_named: Whether a person named the step, rather than that it was found from the stamps: a day, a week, or
                a clock hour of many rows is then the calendar's.
        """
        first = int(stamps.min())
        if frequency.kind == "time":
            return cls._of_time(frequency, stamps, is_named)
        is_one_time = len(np.unique(stamps % DAY)) == 1
        if frequency.kind == "business":
            return cls(frequency, first if is_one_time else first // DAY * DAY)
        months, days = _month(stamps), _day_of_month(stamps)
        at_end = bool((_day_of_month(stamps + DAY) == 1).all() and len(np.unique(days)) > 1)
        month = int(months.min())
        if len(np.unique(months % frequency.size)) > 1 and 12 % frequency.size == 0:
            month -= month % frequency.size  # a quarter, or a year, begins where the calendar says
        is_one_day = len(np.unique(days)) == 1 or at_end
        day = int(days[np.argmin(stamps)]) if is_one_day and not at_end else 1
        start = int(np.datetime64(month, "M").astype("datetime64[D]").astype(np.int64)) + day - 1
        within = first % DAY if is_one_time and is_one_day else 0
        return cls(frequency, start * DAY + within, at_end)

    @classmethod
    def _of_time(cls, frequency: Frequency, stamps: np.ndarray, is_named: bool) -> Grid:
        first, size = int(stamps.min()), frequency.size
        phases, counts = np.unique(stamps % size, return_counts=True)
        gaps = np.diff(np.unique(stamps))
        is_finer = len(gaps) > 0 and float(np.median(gaps)) < _FINER * size
        if is_named and len(phases) > 1 and (size % DAY == 0 or is_finer):
            if size % DAY:
                start = first // size * size
            else:
                week = (frequency.last_day + 1 + _FIRST_MONDAY) % 7 * DAY if size % WEEK == 0 else 0
                unit = WEEK if size % WEEK == 0 else DAY
                start = (first - week) // unit * unit + week
            return cls(frequency, start, is_calendar=True)
        phase = int(phases[np.argmax(counts)])
        return cls(frequency, (first - phase + size // 2) // size * size + phase)

    def positions(self, stamps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The step of each stamp, shape (rows,), microseconds: the nearest one, or that of the calendar.

        Returns:
            Positions and how far each stamp lies from its step, microseconds; both of shape (rows,), int64.
        """
        size = self.frequency.size
        if self.frequency.kind == "time":
            positions = (stamps - self.anchor + (0 if self.is_calendar else size // 2)) // size
        elif self.frequency.kind == "months":
            positions = (_month(stamps) - _month(np.array([self.anchor]))[0]) // size
        else:
            days = (stamps // DAY).astype("datetime64[D]")
            positions = np.busday_count(np.datetime64(self.anchor // DAY, "D"), days).astype(np.int64)
            # A weekend's stamp belongs to the business day before it.
            positions -= ~np.is_busday(days)
        return positions, stamps - self.stamps(positions)

    def stamps(self, positions: np.ndarray) -> np.ndarray:
        """The stamp of each position, microseconds, int64, both of shape (count,)."""
        size = self.frequency.size
        if self.frequency.kind == "time":
            return self.anchor + positions * size
        within = self.anchor % DAY
        if self.frequency.kind == "business":
            start = np.datetime64(self.anchor // DAY, "D")
            days = np.busday_offset(start, positions, roll="backward").astype(np.int64)
            return days * DAY + within
        months = (_month(np.array([self.anchor]))[0] + positions * size).astype("datetime64[M]")
        first = months.astype("datetime64[D]").astype(np.int64)
        length = (months + 1).astype("datetime64[D]").astype(np.int64) - first
        day = length if self.is_month_end else np.minimum(_day_of_month(np.array([self.anchor]))[0], length)
        return (first + day - 1) * DAY + within


def infer(stamps: np.ndarray, codes: np.ndarray, where: str) -> Frequency:
    """The frequency that stamps follow.

    Args:
        stamps: Microseconds, int64, ascending within each series, shape (rows,).
        codes: The series of each row, shape (rows,); the rows of a series stand together.
        where: The table and its time column, for messages.

    Raises:
        DataError: There are too few stamps, or they follow no step.
    """
    steps = np.diff(stamps)[(np.diff(codes) == 0) & (np.diff(stamps) > 0)]
    if len(steps) == 0:
        raise DataError(
            f"{where} has one time stamp per series: at least two steps are needed to learn from; give a longer history"
        )
    median = int(np.median(steps))
    if median >= _SHORTEST_MONTH:
        months = _infer_months(stamps, codes, steps)
        if months is not None:
            return months
    if _is_business(stamps, steps):
        return Frequency("business", 1)
    size = _prevailing(steps, median)
    off = np.abs(steps - (steps + size // 2) // size * size)
    share = float(np.mean((off <= _JITTER * size) & (steps >= size * (1 - _JITTER))))
    if share < _REGULAR:
        name = Frequency("time", size).name
        raise DataError(
            f"{where} follows no regular step: {100 * share:.0f} % of the distances between neighbours are whole "
            f"numbers of the most common one ({name}); name the step you want by --frequency, such as "
            "--frequency D, and rows of one step are put together"
        )
    return Frequency("time", size)


def _infer_months(stamps: np.ndarray, codes: np.ndarray, steps: np.ndarray) -> Frequency | None:
    days = _day_of_month(stamps)
    is_month_end = bool((_day_of_month(stamps + DAY) == 1).all())
    if len(np.unique(days)) > 1 and not is_month_end:
        return (
            None
            if (steps % WEEK == 0).all()
            else Frequency("months", max(1, round(float(np.median(steps)) / _MEAN_MONTH)))
        )
    months = np.diff(_month(stamps))[(np.diff(codes) == 0) & (np.diff(stamps) > 0)]
    values, counts = np.unique(months, return_counts=True)
    common = int(values[np.argmax(counts)])
    return Frequency("months", int(np.gcd.reduce(months)) if (months % common).any() else common)


def _is_business(stamps: np.ndarray, steps: np.ndarray) -> bool:
    if len(stamps) < _BUSINESS_EVIDENCE or (stamps % DAY).any() or not (steps % DAY == 0).all():
        return False
    # 1 January 1970 was a Thursday.
    weekday = (stamps // DAY + 3) % 7
    return bool((weekday < 5).all() and np.median(steps) == DAY and (steps == 3 * DAY).any())


def _prevailing(steps: np.ndarray, median: int) -> int:
    values, counts = np.unique(steps, return_counts=True)
    common = int(values[np.argmax(counts)])
    if counts.max() >= _PREVAILING * len(steps):
        return common
    near = [size for size in _ROUND if abs(size - median) <= _JITTER * size]
    return near[0] if near else common


def _month(stamps: np.ndarray) -> np.ndarray:
    return stamps.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)


def _day_of_month(stamps: np.ndarray) -> np.ndarray:
    moments = stamps.astype("datetime64[us]")
    return (moments.astype("datetime64[D]") - moments.astype("datetime64[M]").astype("datetime64[D]")).astype(
        np.int64
    ) + 1
