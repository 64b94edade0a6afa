"""Exercises of lesson 5: the loss, and a leak."""

from __future__ import annotations

import numpy as np

from gatework.course.exercises._spec import Exercise, Mistake

Array = np.ndarray


def mean_squared_error(predicted: Array, actual: Array) -> float:
    """The mean of the squared differences."""
    return float(np.mean((predicted - actual) ** 2))


def _not_squared(predicted: Array, actual: Array) -> float:
    return float(np.mean(predicted - actual))


def _absolute(predicted: Array, actual: Array) -> float:
    return float(np.mean(np.abs(predicted - actual)))


def _summed(predicted: Array, actual: Array) -> float:
    return float(np.sum((predicted - actual) ** 2))


def _rooted(predicted: Array, actual: Array) -> float:
    return float(np.sqrt(np.mean((predicted - actual) ** 2)))


def _squared_late(predicted: Array, actual: Array) -> float:
    return float(np.mean(predicted - actual) ** 2)


def has_leak(inputs: Array, targets: Array) -> bool:
    """Whether some step of the input equals the target in every example."""
    return any(np.array_equal(inputs[:, step], targets) for step in range(inputs.shape[1]))


def _first_example(inputs: Array, targets: Array) -> bool:
    return bool(targets[0] in inputs[0])


def _last_step_only(inputs: Array, targets: Array) -> bool:
    return bool(np.array_equal(inputs[:, -1], targets))


def _any_example(inputs: Array, targets: Array) -> bool:
    return any(bool((inputs[:, step] == targets).any()) for step in range(inputs.shape[1]))


EXERCISES = (
    Exercise(
        mean_squared_error,
        (
            (np.array([1.0, 2.0, 4.0]), np.array([1.5, 0.0, 4.0])),
            (np.array([0.2, -0.3]), np.array([-0.2, 0.5])),
        ),
        (
            Mistake(
                _not_squared,
                "The differences are not squared, so errors above and below cancel and a bad model can score zero.",
            ),
            Mistake(_absolute, "This is the mean absolute error; square the differences instead of taking abs."),
            Mistake(_summed, "This is the sum: divide by how many there are, or use np.mean."),
            Mistake(
                _rooted, "You took the root at the end; that is the RMSE, a good figure, but not the one asked for."
            ),
            Mistake(_squared_late, "You square after averaging: square each difference first, then take the mean."),
        ),
        "This is the loss that both networks of this lesson were trained on.",
        "Difference, square, mean, in that order.",
    ),
    Exercise(
        has_leak,
        (
            (np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([3.0, 6.0])),
            (np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([2.0, 5.0])),
            (np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([3.0, 7.0])),
            (np.array([[0.5, 0.1], [0.2, 0.9]]), np.array([0.7, 0.9])),
        ),
        (
            Mistake(
                _first_example,
                "One example may match by chance: a leak is a step that equals the target in every example.",
            ),
            Mistake(_last_step_only, "You look at the last step only; the target may stand at any step of the input."),
            Mistake(
                _any_example,
                "A step that matches in some examples may be chance; it must match in all of them.",
            ),
        ),
        "Run it on every data set of your own before you believe a very small error.",
        "Go through the steps, and for each compare inputs[:, step] with targets as whole columns.",
    ),
)
