"""Exercises of lesson 8: a simple forecast, and how often an interval holds."""

from __future__ import annotations

import numpy as np

from gatework.course.exercises._spec import Exercise, Mistake

Array = np.ndarray


def seasonal_naive(history: Array, season: int, horizon: int) -> Array:
    """The last season, repeated as often as needed."""
    last = history[-season:]
    return np.array([last[step % season] for step in range(horizon)])


def _last_value(history: Array, season: int, horizon: int) -> Array:
    return np.full(horizon, history[-1])


def _first_season(history: Array, season: int, horizon: int) -> Array:
    return np.array([history[step % season] for step in range(horizon)])


def _one_late(history: Array, season: int, horizon: int) -> Array:
    last = history[-season:]
    return np.array([last[(step + 1) % season] for step in range(horizon)])


def _backwards(history: Array, season: int, horizon: int) -> Array:
    return np.array([history[-1 - step % season] for step in range(horizon)])


def coverage(low: Array, high: Array, actual: Array) -> float:
    """The mean of "between the ends"."""
    return float(np.mean((low <= actual) & (actual <= high)))


def _ends_excluded(low: Array, high: Array, actual: Array) -> float:
    return float(np.mean((low < actual) & (actual < high)))


def _counted(low: Array, high: Array, actual: Array) -> float:
    return float(np.sum((low <= actual) & (actual <= high)))


def _outside(low: Array, high: Array, actual: Array) -> float:
    return float(np.mean((actual < low) | (actual > high)))


def _one_end(low: Array, high: Array, actual: Array) -> float:
    return float(np.mean(actual <= high))


EXERCISES = (
    Exercise(
        seasonal_naive,
        (
            (np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]), 3, 2),
            (np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0]), 4, 6),
        ),
        (
            Mistake(_last_value, "You repeat the last value; the value wanted is the one a whole season before."),
            Mistake(
                _first_season, "You begin with the first season of the history; take the last one, history[-season:]."
            ),
            Mistake(_one_late, "You are one step late: the first forecast is the first value of the last season."),
            Mistake(
                _backwards, "The last season comes out backwards: begin season steps before the end and go forward."
            ),
        ),
        "Three lines, and many a network has failed to beat them.",
        "Step k of the forecast is the value of the last season at place k, counted round.",
    ),
    Exercise(
        coverage,
        (
            (np.array([1.0, 1.0, 1.0, 1.0]), np.array([2.0, 2.0, 2.0, 2.0]), np.array([1.5, 2.0, 3.0, 0.5])),
            (np.array([0.0, 0.0, 0.0]), np.array([1.0, 1.0, 1.0]), np.array([0.0, 0.5, -2.0])),
        ),
        (
            Mistake(_ends_excluded, "A value that lies exactly on an end counts as inside: use <=."),
            Mistake(_counted, "This is a count; a share is wanted, so take the mean."),
            Mistake(_outside, "This is the share outside; the share inside is asked for."),
            Mistake(_one_end, "You look at one end only; the value must lie between both."),
        ),
        "Compare it with what the interval promises: a coverage far above that is no virtue either.",
        "A comparison gives True and False; & joins two of them, and np.mean makes a share.",
    ),
)
