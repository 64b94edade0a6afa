"""What the output sees of the states over time; `gatework.nn.model.Pooling` is the same in torch, for training."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Pooled = tuple[Array, Array, Array]
"""What a view of the states carries from step to step: of most a sum, a count and the largest values."""


class View(Protocol):
    """One view of the states over time."""

    def over(self, sequences: Array, last: Array) -> Array:
        """The view of whole sequences of one length, shape (sequences, width): of each the same as of it alone.

        Args:
            sequences: The top layer's h at each step, shape (sequences, steps, states), contiguous.
            last: Their last h, that of both directions behind each other, shape (sequences, states).
        """
        ...

    def carried_shapes(self, states: int) -> tuple[tuple[int, ...], ...]:
        """The shapes of what is carried from step to step, of so many states a step."""
        ...

    def step(self, hidden: Array, carried: Pooled | None) -> tuple[Array, Pooled | None]:
        """The view of a sequence that ends with this step, shape (states,) given and (width,) seen; what it carries.

        What is given changes with the next step: what is carried is no view of it.
        """
        ...


class LastState:
    """The last state alone."""

    def over(self, sequences: Array, last: Array) -> Array:
        """See `View`."""
        return last

    def carried_shapes(self, states: int) -> tuple[tuple[int, ...], ...]:
        """See `View`."""
        return ()

    def step(self, hidden: Array, carried: Pooled | None) -> tuple[Array, Pooled | None]:
        """See `View`."""
        return hidden, None


class Statistics:
    """The mean or the largest values over time, or both behind the last state.

    Args:
        kind: "mean", "max" or "concat".
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def over(self, sequences: Array, last: Array) -> Array:
        """See `View`."""
        mean = sequences.sum(1) / np.float32(sequences.shape[1])
        return self._seen(last, mean, sequences.max(1)) if self._kind != "mean" else mean

    def carried_shapes(self, states: int) -> tuple[tuple[int, ...], ...]:
        """See `View`."""
        return (states,), (1,), (states,)

    def step(self, hidden: Array, carried: Pooled | None) -> tuple[Array, Pooled | None]:
        """See `View`."""
        if carried is None:
            carried = (np.zeros_like(hidden), np.zeros(1, np.float32), hidden)
        total, count, largest = carried[0] + hidden, carried[1] + 1, np.maximum(carried[2], hidden)
        return self._seen(hidden, total / count, largest), (total, count, largest)

    def _seen(self, last: Array, mean: Array, largest: Array) -> Array:
        if self._kind == "concat":
            return np.concatenate([last, mean, largest], -1)
        return mean if self._kind == "mean" else largest


class AttentionAverage:
    """The average of the states, each weighted by how it is scored.

    Args:
        weight: Of the score, shape (1, states).
        bias: Shape (1,).
    """

    def __init__(self, weight: Array, bias: Array) -> None:
        self._weight, self._bias = weight[0], bias

    def over(self, sequences: Array, last: Array) -> Array:
        """See `View`."""
        scores = sequences @ self._weight + self._bias
        shares = np.exp(scores - scores.max(1, keepdims=True))
        averaged: Array = (shares / shares.sum(1, keepdims=True))[:, None] @ sequences
        return averaged[:, 0]

    def carried_shapes(self, states: int) -> tuple[tuple[int, ...], ...]:
        """See `View`."""
        return (states,), (1,), (1,)

    def step(self, hidden: Array, carried: Pooled | None) -> tuple[Array, Pooled | None]:
        """See `View`; carried are the weighted sum and the sum of weights, the highest score taken out of both."""
        score = self._weight @ hidden + self._bias
        if carried is None:
            return hidden, (hidden.copy(), np.ones_like(score), score)
        total, weight, top = carried
        highest = np.maximum(top, score)
        old, new = np.exp(top - highest), np.exp(score - highest)
        total, weight = old * total + new * hidden, old * weight + new
        return total / weight, (total, weight, highest)
