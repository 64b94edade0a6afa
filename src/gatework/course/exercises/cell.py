"""Exercises of lesson 3: the gates and the cell state."""

from __future__ import annotations

import numpy as np

from gatework.course.exercises._spec import Exercise, Mistake

Array = np.ndarray


def _sigmoid(a: Array) -> Array:
    return 1 / (1 + np.exp(-a))


def forget_gate(x: Array, h: Array, W: Array, U: Array, b: Array) -> Array:
    """f_t = sigmoid(W x_t + U h_{t-1} + b), with one bias that is the sum of the two."""
    return 1 / (1 + np.exp(-(W @ x + U @ h + b)))


def _with_tanh(x: Array, h: Array, W: Array, U: Array, b: Array) -> Array:
    return np.tanh(W @ x + U @ h + b)


def _without_bias(x: Array, h: Array, W: Array, U: Array, b: Array) -> Array:
    return _sigmoid(W @ x + U @ h)


def _without_state(x: Array, h: Array, W: Array, U: Array, b: Array) -> Array:
    return _sigmoid(W @ x + b)


def _without_sigmoid(x: Array, h: Array, W: Array, U: Array, b: Array) -> Array:
    return W @ x + U @ h + b


def _wrong_sign(x: Array, h: Array, W: Array, U: Array, b: Array) -> Array:
    return 1 / (1 + np.exp(W @ x + U @ h + b))


def new_cell_state(c: Array, i: Array, f: Array, g: Array) -> Array:
    """c_t = f_t * c_{t-1} + i_t * g_t, element by element."""
    return f * c + i * g


def _gates_swapped(c: Array, i: Array, f: Array, g: Array) -> Array:
    return i * c + f * g


def _candidate_ungated(c: Array, i: Array, f: Array, g: Array) -> Array:
    return f * c + g


def _never_forgets(c: Array, i: Array, f: Array, g: Array) -> Array:
    return c + i * g


def _coupled(c: Array, i: Array, f: Array, g: Array) -> Array:
    return f * c + (1 - f) * g


def _matrix_product(c: Array, i: Array, f: Array, g: Array) -> Array:
    return f @ c + i @ g


_W = np.array([[0.4, -0.2], [0.1, 0.3], [-0.5, 0.2]])
_U = np.array([[0.2, -0.3, 0.1], [0.0, 0.5, -0.4], [0.3, 0.2, 0.1]])

EXERCISES = (
    Exercise(
        forget_gate,
        (
            (np.array([1.0, -2.0]), np.array([0.5, -0.1, 0.3]), _W, _U, np.array([1.0, 1.0, 1.0])),
            (np.array([0.3, 0.7]), np.array([-0.6, 0.2, 0.9]), _W, _U, np.array([0.2, -0.1, 0.5])),
        ),
        (
            Mistake(
                _with_tanh,
                "You squash with tanh, which gives values from -1 to 1; a gate says what share passes, from 0 to 1, "
                "and so needs the sigmoid.",
            ),
            Mistake(_without_bias, "The bias is missing; it decides what the gate does when there is nothing to see."),
            Mistake(_without_state, "The gate sees the input only: U times the previous output is missing."),
            Mistake(_without_sigmoid, "This is the sum before the squashing; put it through the sigmoid."),
            Mistake(
                _wrong_sign,
                "The sign is turned round, so the gate opens where it should close: sigmoid(a) is 1 / (1 + exp(-a)).",
            ),
        ),
        "A number between 0 and 1 for each unit: the share of its memory that stays.",
        "Add the three parts first, W @ x, U @ h and b, then squash the sum.",
    ),
    Exercise(
        new_cell_state,
        (
            (np.array([2.0, -1.0]), np.array([0.1, 0.9]), np.array([0.95, 0.2]), np.array([0.5, -0.7])),
            (np.array([0.5, 0.5]), np.array([0.6, 0.3]), np.array([0.5, 1.0]), np.array([-0.9, 0.4])),
        ),
        (
            Mistake(
                _gates_swapped,
                "The gates are swapped: the forget gate weighs the old state, the input gate weighs the candidate.",
            ),
            Mistake(
                _candidate_ungated,
                "The candidate comes in whole; the input gate decides what share of it is written.",
            ),
            Mistake(_never_forgets, "The old state stays whole; the forget gate decides what share of it is kept."),
            Mistake(
                _coupled,
                "You write whatever share was forgotten, 1 - f. Some cells do that (the GRU among them); the LSTM has "
                "an input gate of its own.",
            ),
            Mistake(_matrix_product, "Gates work element by element: use *, not @."),
        ),
        "Keep a share of the old, write a share of the new: that sum is why the gradient survives.",
        "Two products and one sum, element by element.",
    ),
)
