r"""Thresholds that keep to a number of alarms per week, learnt from rows that nobody calls anomalous.

With $r_1 \ge r_2 \ge \dots$ the peaks of error over threshold on held-back rows, one peak per span, the factor that
lets $k$ alarms through is $r_{k+1}$. Where the rows span less time than an alarm is allowed in, the largest $m$ peaks
are taken to follow a power law, and $r_m (m / k)^{\xi}$ with Hill's estimate $\xi = \mathrm{mean}_{i < m} \log (r_i /
r_m)$ is the factor (B. Hill, "A simple general approach to inference about the tail of a distribution", 1975).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_WEEK = 7 * 86_400 * 1_000_000
_TAIL = 10


def weeks_of(stamps: Sequence[np.ndarray]) -> float:
    """How many weeks series span together, by their rows and their typical steps.

    Args:
        stamps: Of each series microseconds since 1970, shape (rows,).
    """
    steps = [float(np.median(np.diff(each))) * len(each) for each in stamps if len(each) > 1]
    return sum(steps) / _WEEK


def factor(ratios: Sequence[np.ndarray], weeks: float, per_week: float, gap: int) -> float:
    """What thresholds must be multiplied by to keep to a budget.

    Args:
        ratios: Of each series error over threshold of every row, shape (rows,).
        weeks: How many weeks they span together.
        per_week: The alarms allowed per week.
        gap: Alarms with at most so many rows between them are one.
    """
    peaks = np.sort(np.concatenate([_peaks(each, gap) for each in ratios]))[::-1]
    peaks = peaks[peaks > 0]
    allowed = per_week * weeks
    if not len(peaks) or allowed <= 0:
        return 1.0
    if allowed >= 1:
        return float(peaks[min(int(allowed), len(peaks) - 1)])
    tail = peaks[: _TAIL + 1]
    share = float(np.log(tail / tail[-1]).mean()) if len(tail) > 1 else 0.0
    return float(tail[-1] * (len(tail) / allowed) ** share)


def _peaks(ratios: np.ndarray, gap: int) -> np.ndarray:
    """The largest value of each stretch of rows, so that one departure counts once."""
    if not len(ratios):
        return ratios
    starts = np.arange(0, len(ratios), gap + 1)
    blocks = np.maximum.reduceat(ratios, starts)
    # A block beside a higher one belongs to its span.
    beside = np.maximum(np.append(blocks[1:], 0.0), np.append(0.0, blocks[:-1]))
    return blocks[blocks >= beside]
