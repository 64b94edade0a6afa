"""Public holidays of a country as features that are known ahead, by the package `holidays`.

Of steps of a day or less, each says whether its own day is a holiday, whether the next one is, and whether the one
before was, as trade and traffic turn a day early; a longer step says how many of its days are holidays.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

import numpy as np
import polars as pl

from gatework.data.frequency import DAY
from gatework.data.panel import Panel
from gatework.errors import UsageError, nearest

# One day in 30 is a holiday; with this height the features spread as others do, and are learnt in as few steps.
_HEIGHT = 5.0
_INSTALL = 'pip install "gatework[forecast]"'


def holiday_features(table: Panel, positions: np.ndarray, place: str) -> np.ndarray:
    """What the holidays say of steps.

    Args:
        table: Gives the frequency and the clock.
        positions: Positions on the grid, shape (steps,).
        place: The country, or a part of it, as in `DE` and `DE-BY`.

    Returns:
        Shape (steps, 3) for steps of a day or less, 0 or `_HEIGHT`; else counts, shape (steps, 1). float32.

    Raises:
        UsageError: There is no such place, or the package is missing.
    """
    days = _days(table, positions)
    frequency = table.frequency
    if frequency.kind == "business" or (frequency.kind == "time" and frequency.size <= DAY):
        first = int(days.min(initial=0)) - 1
        is_holiday = _is_holiday(place, first, int(days.max(initial=0)) + 2)
        features = _HEIGHT * np.stack([is_holiday[days - first + shift] for shift in (0, 1, -1)], axis=1)
    else:
        after = _days(table, np.asarray(positions) + 1)
        first = int(days.min(initial=0))
        total = np.concatenate([[0], _is_holiday(place, first, int(after.max(initial=0))).cumsum()])
        features = (total[after - first] - total[days - first])[:, None]
    return features.astype(np.float32)


def checked_place(place: str) -> None:
    """Checks that the holidays of a place are known.

    Raises:
        UsageError: There is no such place, or the package is missing.
    """
    if find_spec("holidays") is None:
        raise UsageError(f"--holidays needs the package holidays: {_INSTALL}")
    import holidays

    country, _, part = place.partition("-")
    known = holidays.list_supported_countries()
    if country not in known:
        raise UsageError(f'--holidays: there is no country "{country}": {nearest(country, sorted(known))}')
    if part and part not in known[country]:
        raise UsageError(f'--holidays: {country} has no part "{part}": {nearest(part, known[country])}')


def _days(table: Panel, positions: np.ndarray) -> np.ndarray:
    """The day since 1970 that each step begins on, by the table's own clock, shape (steps,)."""
    days: np.ndarray = table.stamps(positions).cast(pl.Date).to_physical().to_numpy().astype(np.int64)
    return days


@cache
def _is_holiday(place: str, first: int, end: int) -> np.ndarray:
    """Whether each day is a holiday, from one day since 1970 up to another, shape (days,)."""
    checked_place(place)
    import holidays

    country, _, part = place.partition("-")
    dates = np.arange(first, end).astype("datetime64[D]").astype(object)
    years = range(dates[0].year, dates[-1].year + 1)
    named = holidays.country_holidays(country, subdiv=part or None, years=years)
    return np.array([date in named for date in dates], dtype=np.int64)
