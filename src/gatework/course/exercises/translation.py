"""Exercises of lesson 10: shares from scores, and what they mix."""

from __future__ import annotations

import numpy as np

from gatework.course.exercises._spec import Exercise, Mistake

Array = np.ndarray


def softmax(scores: Array) -> Array:
    """The shares of scores of any size."""
    raised = np.exp(scores - scores.max())
    return raised / raised.sum()


def _overflowing(scores: Array) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        raised = np.exp(scores)
        return raised / raised.sum()


def _not_divided(scores: Array) -> Array:
    return np.exp(scores - scores.max())


def _without_exponential(scores: Array) -> Array:
    return scores / scores.sum()


def _hardest(scores: Array) -> Array:
    return (scores == scores.max()).astype(float)


def context_of(attention: Array, memory: Array) -> Array:
    """The memory's rows, mixed by their shares."""
    return attention @ memory


def _plain_mean(attention: Array, memory: Array) -> Array:
    return memory.mean(axis=0)


def _likeliest_row(attention: Array, memory: Array) -> Array:
    return memory[attention.argmax()]


def _by_unit(attention: Array, memory: Array) -> Array:
    return (attention[:, None] * memory).sum(axis=1)


EXERCISES = (
    Exercise(
        softmax,
        ((np.array([0.5, 3.0, 2.0]),), (np.array([1000.0, 999.0]),), (np.array([-2.0, 0.0, 1.0, 1.5]),)),
        (
            Mistake(
                _overflowing,
                "A large score makes exp overflow, and infinity divided by infinity is no number: subtract the "
                "largest score first.",
            ),
            Mistake(_not_divided, "The shares do not add up to 1; divide by their sum."),
            Mistake(_without_exponential, "Scores may be negative, shares may not: take the exponential first."),
            Mistake(_hardest, "You give everything to the largest score; softmax gives each its share."),
        ),
        "The same few operations stand in every attention there is.",
        "np.exp of the scores less their maximum, then divide by the sum.",
    ),
    Exercise(
        context_of,
        (
            (np.array([0.2, 0.5, 0.3]), np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]])),
            (np.array([0.9, 0.1]), np.array([[1.0, 2.0, 3.0], [-1.0, 0.5, 0.0]])),
        ),
        (
            Mistake(_plain_mean, "Every word counts the same here; weigh each row by its share."),
            Mistake(_likeliest_row, "This is the row of the largest share alone; all of them enter, by their shares."),
            Mistake(_by_unit, "You add up over the units; the context has one number for each unit, not each word."),
        ),
        "It is a product of a row of shares and a matrix, and a whole batch of them is one call.",
        "attention @ memory.",
    ),
)
