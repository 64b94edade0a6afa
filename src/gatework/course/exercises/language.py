"""Exercises of lesson 9: surprise in bits, and drawing from the likeliest."""

from __future__ import annotations

import numpy as np

from gatework.course.exercises._spec import Exercise, Mistake

Array = np.ndarray


def bits_per_character(probabilities: Array) -> float:
    """The mean of the surprises in bits."""
    return float(-np.log2(probabilities).mean())


def _in_nats(probabilities: Array) -> float:
    return float(-np.log(probabilities).mean())


def _summed(probabilities: Array) -> float:
    return float(-np.log2(probabilities).sum())


def _negative(probabilities: Array) -> float:
    return float(np.log2(probabilities).mean())


def _mean_first(probabilities: Array) -> float:
    return float(-np.log2(probabilities.mean()))


def top_k(p: Array, k: int) -> Array:
    """The k likeliest, their sum brought to 1."""
    kept = np.where(p >= np.sort(p)[-k], p, 0.0)
    return kept / kept.sum()


def _not_divided(p: Array, k: int) -> Array:
    return np.where(p >= np.sort(p)[-k], p, 0.0)


def _first_k(p: Array, k: int) -> Array:
    kept = np.where(np.arange(len(p)) < k, p, 0.0)
    return kept / kept.sum()


def _unlikeliest(p: Array, k: int) -> Array:
    kept = np.where(p <= np.sort(p)[k - 1], p, 0.0)
    return kept / kept.sum()


def _even(p: Array, k: int) -> Array:
    return np.where(p >= np.sort(p)[-k], 1.0 / k, 0.0)


EXERCISES = (
    Exercise(
        bits_per_character,
        ((np.array([0.5, 0.25, 0.25]),), (np.array([0.9, 0.1, 0.3, 0.05]),)),
        (
            Mistake(_in_nats, "These are nats, from the natural logarithm; for bits take np.log2."),
            Mistake(_summed, "This is the surprise at the whole text: divide by the number of characters."),
            Mistake(_negative, "The sign is missing: the logarithm of a probability is negative, surprise is not."),
            Mistake(
                _mean_first,
                "You take the mean of the probabilities first; a single character that was held for nearly impossible "
                "would then hardly count. Take the logarithm of each, then the mean.",
            ),
        ),
        "With this figure any two models of the same text can be compared, whatever is inside them.",
        "The surprise at one character is -log2 of its probability; the answer is the mean of these.",
    ),
    Exercise(
        top_k,
        (
            (np.array([0.1, 0.4, 0.05, 0.3, 0.15]), 3),
            (np.array([0.7, 0.2, 0.1]), 1),
            (np.array([0.02, 0.5, 0.08, 0.4]), 2),
        ),
        (
            Mistake(_not_divided, "What is left does not add up to 1; divide by its sum."),
            Mistake(_first_k, "You keep the first k of the list; the likeliest may stand anywhere in it."),
            Mistake(_unlikeliest, "These are the k unlikeliest: sort, and look from the other end."),
            Mistake(_even, "All that are kept have the same share; they keep their proportions, as 0.4 to 0.3."),
        ),
        "This is what --top-k does before it draws.",
        "np.sort(p)[-k] is the k-th largest probability.",
    ),
)
