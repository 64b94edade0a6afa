"""The season of a table, and what the calendar says of a step."""

from __future__ import annotations

import numpy as np
import polars as pl

from gatework.data.frequency import DAY, HOUR, MINUTE, WEEK, Frequency
from gatework.data.panel import Panel

_YEAR = 365
# A season must explain at least this much of what is left after the trend, as an autocorrelation, ...
_EVIDENCE = 0.3
# ... over at least two of its lengths; it is looked for in at most so many series.
_CYCLES, _SAMPLE = 2, 50
# A longer season must be stronger by more than this, or two weeks would do as well as one.
_NEAR = 0.05


def candidates(frequency: Frequency) -> tuple[int, ...]:
    """The seasons, in steps, that series of a frequency usually have, the shortest first."""
    if frequency.kind == "business":
        return (5, 261)
    if frequency.kind == "months":
        return (12 // frequency.size,) if frequency.size < 12 and 12 % frequency.size == 0 else ()
    lengths = (MINUTE, HOUR, DAY, WEEK, _YEAR * DAY)
    lengths_in_steps = [length // frequency.size for length in lengths if length % frequency.size == 0]
    if frequency.size == WEEK:
        lengths_in_steps = [52]
    return tuple(steps for steps in lengths_in_steps if 1 < steps <= 10_000)


def season(table: Panel, ends: np.ndarray) -> int:
    """The season, in steps; 1 where there is none.

    Of several seasons, the shortest is taken that comes near the strongest.

    Args:
        table: The series.
        ends: Where each series' training part ends, in steps, shape (series,).
    """
    strengths = seasons(table, ends)
    near = [steps for steps, strength in strengths.items() if strength >= max(strengths.values()) - _NEAR]
    return min(near, default=1)


def seasons(table: Panel, ends: np.ndarray) -> dict[int, float]:
    """Every season in steps, such as a day and a week, with the autocorrelation that it explains.

    A season is a candidate whose autocorrelation is a local peak: at a quarter of its length before and after it is
    lower. A series that merely changes slowly resembles itself most one step later, which is no season.

    Args:
        table: The series.
        ends: Where each series' training part ends, in steps, shape (series,).
    """
    peaks: dict[int, list[tuple[float, float]]] = {}
    for series, end in list(zip(table.series, ends, strict=True))[:_SAMPLE]:
        for column in series.values[:end].T:
            for steps in candidates(table.frequency):
                if end >= _CYCLES * steps + 2:
                    peaks.setdefault(steps, []).append(_peak(column, steps))
    heights = {steps: np.mean(heights_at_peak, axis=0) for steps, heights_at_peak in peaks.items()}
    return {steps: float(at) for steps, (at, beside) in heights.items() if at >= _EVIDENCE and at > beside}


def _peak(values: np.ndarray, lag: int) -> tuple[float, float]:
    """The autocorrelation at a lag, and the higher one of those a quarter of it before and after."""
    beside = max(1, round(lag / 4))
    before, after = (_autocorrelation(values, each) for each in (lag - beside, lag + beside))
    return _autocorrelation(values, lag), max(before, after)


def _autocorrelation(values: np.ndarray, lag: int) -> float:
    """The autocorrelation of a series without its quadratic trend; 1 at no lag."""
    if lag == 0:
        return 1.0
    time = np.linspace(-1, 1, len(values))
    rest = values - np.polynomial.Polynomial.fit(time, values, 2)(time)
    power = float(rest @ rest)
    return float(rest[lag:] @ rest[:-lag]) / power * len(rest) / (len(rest) - lag) if power > 0 else 0.0


def calendar(table: Panel, positions: np.ndarray) -> np.ndarray:
    """What the calendar says of steps: sines and cosines of the hour, the day of the week and of the year.

    Args:
        table: Gives the frequency and the clock.
        positions: Positions on the grid, shape (steps,).

    Returns:
        Shape (steps, features), float32; no feature for yearly series.
    """
    frequency = table.frequency
    stamps = (
        table.stamps(positions).cast(pl.Datetime("us")) if frequency.is_daily_or_longer else table.stamps(positions)
    )
    angles: list[np.ndarray] = []
    year = (stamps.dt.ordinal_day().to_numpy() - 1) / 365.25
    if frequency.kind == "time" and frequency.size < DAY:
        seconds = stamps.dt.hour().to_numpy().astype(np.int64) * 3600 + stamps.dt.minute().to_numpy() * 60
        angles += [seconds / 86_400, 2 * seconds / 86_400]
    if frequency.kind == "business" or (frequency.kind == "time" and frequency.size < WEEK):
        week = (stamps.dt.weekday().to_numpy() - 1) / 7
        angles += [week, 2 * week, 3 * week]
    if not (frequency.kind == "months" and frequency.size >= 12):
        angles += [year, 2 * year]
    if frequency.kind == "months" and frequency.size < 12:
        angles += [3 * year, 4 * year]
    turns = 2 * np.pi * np.stack(angles, axis=1) if angles else np.zeros((len(positions), 0))
    return np.concatenate([np.sin(turns), np.cos(turns)], axis=1).astype(np.float32)
