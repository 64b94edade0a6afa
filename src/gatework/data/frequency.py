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
_UNITS: dict[str, tuple[str, int]] = {
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
# A median this close to a round step, where no single distance prevails, is that step with jitter.
_JITTER = 0.05
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
    """

    kind: Literal["time", "months", "business"]
    size: int

    @classmethod
    def parse(cls, text: str) -> Frequency:
        """Reads "D", "15min", "2W", "MS", "3mo" and the like.

        Raises:
            UsageError: It is none of these.
        """
        match = re.fullmatch(r"\s*(\d*)\s*([A-Za-z]+)(?:-[A-Z]+)?\s*", text)
        unit = _UNITS.get(match[2]) or _UNITS.get(match[2].lower()) if match else None
        count = int(match[1] or 1) if match else 0
        if unit is None or count < 1 or (unit[0] == "business" and count > 1):
            raise UsageError(f'the frequency is "{text}", expected one of {_KNOWN}')
        return cls(unit[0], count * unit[1])  # type: ignore[arg-type]

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
        return unit if size == 1 else f"{size}{unit}"

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
    """

    frequency: Frequency
    anchor: int
    is_month_end: bool = False

    @classmethod
    def fit(cls, frequency: Frequency, stamps: np.ndarray) -> Grid:
        """The grid that most of these stamps lie on."""
        first = int(stamps.min())
        if frequency.kind == "time":
            phases, counts = np.unique(stamps % frequency.size, return_counts=True)
            phase = int(phases[np.argmax(counts)])
            return cls(frequency, (first - phase + frequency.size // 2) // frequency.size * frequency.size + phase)
        if frequency.kind == "business":
            return cls(frequency, first)
        days = _day_of_month(stamps)
        at_end = bool((_day_of_month(stamps + DAY) == 1).all() and len(np.unique(days)) > 1)
        return cls(frequency, first, at_end)

    def positions(self, stamps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nearest step of each stamp.

        Returns:
            Positions, int64, and how far each stamp lies from its step, microseconds, int64.
        """
        size = self.frequency.size
        if self.frequency.kind == "time":
            positions = (stamps - self.anchor + size // 2) // size
        elif self.frequency.kind == "months":
            positions = (_month(stamps) - _month(np.array([self.anchor]))[0]) // size
        else:
            days = (stamps // DAY).astype("datetime64[D]")
            positions = np.busday_count(np.datetime64(self.anchor // DAY, "D"), days).astype(np.int64)
            # A weekend's stamp belongs to the business day before it.
            positions -= ~np.is_busday(days)
        return positions, stamps - self.stamps(positions)

    def stamps(self, positions: np.ndarray) -> np.ndarray:
        """The stamp of each position, microseconds, int64."""
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
        found = _infer_months(stamps, codes, steps)
        if found is not None:
            return found
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
            else Frequency("months", max(1, round(float(np.median(steps)) / DAY / 30.44)))
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
