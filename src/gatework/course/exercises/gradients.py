"""Exercises of lesson 2: back-propagation through time."""

from __future__ import annotations

import numpy as np

from gatework.course.exercises._spec import Exercise, Mistake

Array = np.ndarray


def bptt_step(gradient: Array, h: Array, U: Array) -> Array:
    """From the gradient at h_t to the gradient at h_{t-1}, where h_t = tanh(... + U h_{t-1})."""
    through_tanh = gradient * (1 - h**2)
    return U.T @ through_tanh


def _without_tanh(gradient: Array, h: Array, U: Array) -> Array:
    return U.T @ gradient


def _not_transposed(gradient: Array, h: Array, U: Array) -> Array:
    return U @ (gradient * (1 - h**2))


def _tanh_again(gradient: Array, h: Array, U: Array) -> Array:
    return U.T @ (gradient * (1 - np.tanh(h) ** 2))


def _late_tanh(gradient: Array, h: Array, U: Array) -> Array:
    return (U.T @ gradient) * (1 - h**2)


def clip(gradient: Array, most: float) -> Array:
    """The gradient, shortened to the norm `most` where it is longer, with its direction kept."""
    norm = np.linalg.norm(gradient)
    if norm <= most:
        return gradient
    return gradient * (most / norm)


def _each_alone(gradient: Array, most: float) -> Array:
    return np.clip(gradient, -most, most)


def _always(gradient: Array, most: float) -> Array:
    return gradient * (most / np.linalg.norm(gradient))


def _by_largest(gradient: Array, most: float) -> Array:
    largest = np.abs(gradient).max()
    return gradient if largest <= most else gradient * (most / largest)


_U = np.array([[0.5, -0.4], [0.9, 0.3]])

EXERCISES = (
    Exercise(
        bptt_step,
        (
            (np.array([1.0, 0.5]), np.array([0.8, -0.3]), _U),
            (np.array([-0.2, 2.0]), np.array([0.1, 0.6]), _U),
        ),
        (
            Mistake(
                _without_tanh,
                "The gradient has gone through U but not through tanh: the slope of tanh at step t is 1 - h_t².",
            ),
            Mistake(
                _not_transposed,
                "Going forward multiplies by U; going backward multiplies by its transpose, U.T.",
            ),
            Mistake(
                _tanh_again,
                "h is the output of tanh already, so its slope is 1 - h²; you took tanh a second time.",
            ),
            Mistake(
                _late_tanh,
                "Both factors are there in the wrong order: tanh comes last going forward, so it comes first going "
                "backward, before U.T.",
            ),
        ),
        "Repeat this step over a hundred time steps and you have back-propagation through time.",
        "Go backward through h = tanh(a) first, then through a = U h_before.",
    ),
    Exercise(
        clip,
        ((np.array([3.0, 4.0]), 1.0), (np.array([0.3, -0.4]), 1.0), (np.array([0.5, 12.0]), 2.0)),
        (
            Mistake(
                _each_alone,
                "You cut every element on its own, which turns the gradient into another direction; scale all of it "
                "by one factor.",
            ),
            Mistake(
                _always,
                "You also stretch gradients that are short enough: leave alone any whose norm is at most `most`.",
            ),
            Mistake(
                _by_largest,
                "You measure the largest element; what is to be limited is the norm, np.linalg.norm(gradient).",
            ),
        ),
        "Long gradients are shortened, short ones are left alone, and the direction stays.",
        "Compare np.linalg.norm of your result with `most`.",
    ),
)
