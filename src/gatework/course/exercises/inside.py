"""Exercises of lesson 7: how long a unit remembers, and how open its gates are."""

from __future__ import annotations

import numpy as np

from gatework.course.exercises._spec import Exercise, Mistake

Array = np.ndarray


def half_life(f: Array) -> float:
    """ln(1/2) over the mean logarithm of the gate."""
    return float(np.log(0.5) / np.log(f).mean())


def _log_of_mean(f: Array) -> float:
    return float(np.log(0.5) / np.log(f.mean()))


def _upside_down(f: Array) -> float:
    return float(np.log(f).mean() / np.log(0.5))


def _negative(f: Array) -> float:
    return float(np.log(2) / np.log(f).mean())


def _last_gate(f: Array) -> float:
    return float(np.log(0.5) / np.log(f[-1]))


def saturation(gate: Array) -> tuple[float, float]:
    """The shares of steps above 0.9 and below 0.1."""
    return float((gate > 0.9).mean()), float((gate < 0.1).mean())


def _shut_first(gate: Array) -> tuple[float, float]:
    return float((gate < 0.1).mean()), float((gate > 0.9).mean())


def _counted(gate: Array) -> tuple[float, float]:
    return float((gate > 0.9).sum()), float((gate < 0.1).sum())


def _halves(gate: Array) -> tuple[float, float]:
    return float((gate > 0.5).mean()), float((gate < 0.5).mean())


EXERCISES = (
    Exercise(
        half_life,
        ((np.array([0.9, 0.5, 0.99]),), (np.array([0.8, 0.8, 0.7]),)),
        (
            Mistake(
                _log_of_mean,
                "You take the logarithm of the mean; gates are multiplied with each other, so take the mean of the "
                "logarithms.",
            ),
            Mistake(_upside_down, "The fraction is upside down: ln(1/2) stands above."),
            Mistake(_negative, "A half-life cannot be negative: use ln(1/2), which is negative like the logarithms."),
            Mistake(_last_gate, "You look at the last step only; every step multiplies the memory."),
        ),
        "A gate at 0.99 remembers ten times as long as one at 0.9.",
        "The geometric mean of f is exp of the mean of np.log(f).",
    ),
    Exercise(
        saturation,
        ((np.array([0.95, 0.5, 0.05, 0.99, 0.4]),), (np.array([0.01, 0.02, 0.95, 0.6]),)),
        (
            Mistake(_shut_first, "Both shares are right, in the other order: nearly open first, then nearly shut."),
            Mistake(_counted, "These are counts; divide by the number of steps, or use .mean()."),
            Mistake(_halves, "The bounds are 0.9 and 0.1: a gate in between is neither open nor shut."),
        ),
        "Gates that are nearly always open or shut are easy to read; those in between do the arithmetic.",
        "A comparison such as gate > 0.9 gives True and False, and their mean is a share.",
    ),
)
