"""Exercises of lesson 12: latency as a percentile, and weights of few bits."""

from __future__ import annotations

import math

import numpy as np

from gatework.course.exercises._spec import Exercise, Mistake

Array = np.ndarray


def percentile(times: list[float], percent: int) -> float:
    """The time at the rank that the percentage gives, counted from the fastest."""
    rank = math.ceil(percent * len(times) / 100)
    return sorted(times)[rank - 1]


def _unsorted(times: list[float], percent: int) -> float:
    return times[math.ceil(percent * len(times) / 100) - 1]


def _one_late(times: list[float], percent: int) -> float:
    return sorted(times)[min(math.ceil(percent * len(times) / 100), len(times) - 1)]


def _from_the_slowest(times: list[float], percent: int) -> float:
    return sorted(times, reverse=True)[math.ceil(percent * len(times) / 100) - 1]


def _share_of_the_slowest(times: list[float], percent: int) -> float:
    return max(times) * percent / 100


def rounded_row(row: Array, bits: int) -> Array:
    """Whole numbers of steps, each step worth the scale."""
    scale = np.abs(row).max() / (2 ** (bits - 1) - 1)
    return np.round(row / scale) * scale


def _not_turned_back(row: Array, bits: int) -> Array:
    return np.round(row / (np.abs(row).max() / (2 ** (bits - 1) - 1)))


def _cut_off(row: Array, bits: int) -> Array:
    scale = np.abs(row).max() / (2 ** (bits - 1) - 1)
    return np.trunc(row / scale) * scale


def _largest_with_sign(row: Array, bits: int) -> Array:
    scale = row.max() / (2 ** (bits - 1) - 1)
    return np.round(row / scale) * scale


def _without_sign_bit(row: Array, bits: int) -> Array:
    scale = np.abs(row).max() / (2**bits - 1)
    return np.round(row / scale) * scale


def _one_step_too_many(row: Array, bits: int) -> Array:
    scale = np.abs(row).max() / 2 ** (bits - 1)
    return np.round(row / scale) * scale


EXERCISES = (
    Exercise(
        percentile,
        (
            ([3.0, 1.0, 9.0, 2.0, 4.0, 8.0, 1.5, 2.5, 7.0, 5.0], 50),
            ([3.0, 1.0, 9.0, 2.0, 4.0, 8.0, 1.5, 2.5, 7.0, 5.0], 90),
            ([6.0, 40.0, 5.0], 99),
        ),
        (
            Mistake(_unsorted, "This time stands at the right place of an unsorted list: sort the times first."),
            Mistake(
                _one_late,
                "One place too far: a list counts from 0, so the fifth smallest has the place 4.",
            ),
            Mistake(_from_the_slowest, "You count from the slowest call; a percentile counts from the fastest."),
            Mistake(
                _share_of_the_slowest,
                "This is a share of the slowest time. A percentile counts calls: so many of a hundred were no slower.",
            ),
        ),
        "It is always a time that somebody really waited, which a mean need not be.",
        "Sort the times; of n calls the one with the rank math.ceil(percent * n / 100) is wanted, counted from 1.",
    ),
    Exercise(
        rounded_row,
        (
            (np.array([0.3, -1.0, 0.26, 0.7]), 4),
            (np.array([0.31, -0.9, 0.02, 1.27, -0.444, 0.6]), 8),
            (np.array([0.5, -0.8, 0.1]), 3),
        ),
        (
            Mistake(_not_turned_back, "These are the whole numbers; multiply them by the scale to have weights again."),
            Mistake(_cut_off, "You cut off instead of rounding: a weight may then move by nearly a whole step."),
            Mistake(_largest_with_sign, "The weight that is largest in size may be negative: take np.abs before max."),
            Mistake(
                _without_sign_bit,
                "Your steps are only half as large as the bits allow: one bit is spent on the sign, so the largest "
                "whole number is 2 ** (bits - 1) - 1.",
            ),
            Mistake(
                _one_step_too_many,
                "You use 2 ** (bits - 1) steps; the largest whole number is one less, 127 and not 128 for 8 bits.",
            ),
        ),
        "With 4 bits two weights fit into a byte; whether the network bears it is what you would measure next.",
        "The scale is the largest size in the row over 2 ** (bits - 1) - 1; round row / scale, then multiply back.",
    ),
)
