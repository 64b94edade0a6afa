"""What the clock says of a row: where it stands within the day and the week."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_SECOND = 1_000_000
_DAY, _WEEK = 86_400, 7 * 86_400
# 1970-01-01 was a Thursday; weeks are counted from a Monday.
_MONDAY = 4 * _DAY


def usable_periods(stamps: Sequence[np.ndarray]) -> tuple[int, ...]:
    """The periods, in seconds, that the training rows have seen at least once and resolve.

    Args:
        stamps: For each series microseconds since 1970, in order.
    """
    spans = [int(s[-1] - s[0]) / _SECOND for s in stamps if len(s) > 1]
    steps = np.concatenate([np.diff(s) for s in stamps]) / _SECOND
    if not spans or not (steps > 0).any():
        return ()
    step = float(np.median(steps[steps > 0]))
    return tuple(period for period in (_DAY, _WEEK) if max(spans) >= period and step * 4 <= period)


def clock(stamps: np.ndarray, periods: Sequence[int]) -> np.ndarray:
    """Sine and cosine of the position within each period.

    Args:
        stamps: Microseconds since 1970 on the local clock, shape (rows,).
        periods: In seconds.

    Returns:
        Shape (rows, 2 x periods), float32.
    """
    length = np.array(periods, dtype=np.float64)
    turns = (stamps / _SECOND - _MONDAY)[:, None] % length * (2 * np.pi / length)
    waves = np.empty((len(stamps), 2 * len(periods)), np.float32)
    waves[:, ::2] = np.sin(turns)
    waves[:, 1::2] = np.cos(turns)
    return waves


def clock_table(periods: Sequence[int]) -> np.ndarray:
    """The `clock()` of every second of a week, from 1970-01-01 on, shape (seconds, 2 x periods)."""
    table = np.empty((_WEEK, 2 * len(periods)), np.float32)
    for first in range(0, _WEEK, _DAY):  # the doubles on the way take a multiple of it
        table[first : first + _DAY] = clock(np.arange(first, first + _DAY, dtype=np.int64) * _SECOND, periods)
    return table


def clock_of(stamps: np.ndarray, table: np.ndarray, periods: Sequence[int]) -> np.ndarray:
    """The same numbers as `clock()`, taken from its table where stamps are whole seconds."""
    seconds = stamps // _SECOND
    if (seconds * _SECOND != stamps).any():
        return clock(stamps, periods)
    # For rows of few numbers numpy's indexing takes ten times as long.
    # The difference is the remainder, which numpy takes several times as long for.
    return table.take(seconds - seconds // _WEEK * _WEEK, axis=0)


def since_last(stamps: np.ndarray, before: int | None) -> np.ndarray:
    """The time since the row before, as log(1 + hours), shape (rows, 1), float32; 0 for the first row.

    Args:
        stamps: Microseconds since 1970, shape (rows,).
        before: The stamp of the row before the first, if there is one.
    """
    first = int(stamps[0]) if before is None else before
    return gap_feature(np.diff(stamps, prepend=first))[:, None]


def gap_feature(gaps: np.ndarray) -> np.ndarray:
    """Gaps in microseconds as log(1 + hours), float32."""
    return np.log1p(np.maximum(gaps / (3600 * _SECOND), 0)).astype(np.float32)
