r"""Logistic regression on a few numbers: $p = \sigma(x w)$, by Newton's method with a ridge around given weights."""

from __future__ import annotations

import math

import numpy as np

_ROUNDS = 30


def probabilities(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """How likely each example is to be one.

    Args:
        x: What is known of them, shape (examples, numbers).
        weights: Shape (numbers,).
    """
    likely: np.ndarray = 1 / (1 + np.exp(-np.clip(x @ weights, -40, 40)))
    return likely


def fitted(
    x: np.ndarray, is_one: np.ndarray, ridge: np.ndarray, around: np.ndarray, longest: float = math.inf
) -> np.ndarray:
    """The weights under which what was seen is likeliest, shape (numbers,).

    Args:
        x: What is known of the examples, shape (examples, numbers).
        is_one: 1 or 0 for each, shape (examples,).
        ridge: How strongly each weight is drawn, shape (numbers,).
        around: Where to, and where the search begins, shape (numbers,).
        longest: The longest step of a weight in a round.
    """
    weights = around.copy()
    for _ in range(_ROUNDS):
        sure = probabilities(x, weights)
        gradient = x.T @ (is_one - sure) - ridge * (weights - around)
        curvature = (x * (sure * (1 - sure))[:, None]).T @ x + np.diag(ridge)
        step = np.linalg.solve(curvature, gradient)
        weights = weights + step / max(float(np.abs(step).max()) / longest, 1.0)
    return weights
