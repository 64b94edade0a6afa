"""The cross-entropy of a linear layer block by block of rows, its gradient made along with it.

All logits of a batch, tokens x vocabulary, are never there at once: those of some rows are computed, become
probabilities and then the gradient, which is multiplied into the gradients of the factors, and make room for the next.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gatework.errors import UsageError
from gatework.scan.double_backward import is_batched

_BLOCK = 1 << 22  # logits at once: 16 MB in float32, small enough for a cache, large enough for a matrix product


class FactorGradients(NamedTuple):
    """The gradients of a linear layer's input and weights, which are added to; None where one is not wanted."""

    x: Tensor | None
    weight: Tensor | None
    bias: Tensor | None

    @classmethod
    def zeros(cls, tensors: tuple[Tensor | None, ...], are_wanted: tuple[bool, ...]) -> FactorGradients:
        """Room, filled with 0, for the gradients that are wanted: each in the shape of its tensor."""
        pairs = zip(tensors, are_wanted, strict=True)
        return cls._make(None if t is None or not wanted else torch.zeros_like(t) for t, wanted in pairs)


def rows_at_once(columns: int) -> int:
    """How many rows of so many logits are computed together."""
    return max(_BLOCK // max(columns, 1), 16)


def losses(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    targets: Tensor,
    *,
    smoothing: float = 0.0,
    weight_of_rows: Tensor | float = 1.0,
    gradients: FactorGradients | None = None,
) -> Tensor:
    """The cross-entropy of each row.

    Args:
        x: Features, shape (rows, features).
        weight: Shape (columns, features).
        bias: Shape (columns,), or None.
        targets: The right column of each row, shape (rows,).
        smoothing: The share of the target that all columns have alike.
        weight_of_rows: How much each row's loss counts in what the gradients are of; one number, or shape (rows,).
        gradients: What the gradients are added to; None without.

    Returns:
        Shape (rows,).
    """
    columns, result = len(weight), x.new_empty(len(x))
    height = min(rows_at_once(columns), max(len(x), 1))
    logits, logarithms = x.new_empty(height, columns), x.new_empty(height, columns)
    for first in range(0, len(x), height):
        rows = slice(first, min(first + height, len(x)))
        count = rows.stop - first
        block, logs, right = logits[:count], logarithms[:count], targets[rows, None]
        if bias is None:
            torch.mm(x[rows], weight.t(), out=block)
        else:
            torch.addmm(bias, x[rows], weight.t(), out=block)
        torch.log_softmax(block, 1, out=logs)
        loss = -logs.gather(1, right).squeeze(1)
        if smoothing:
            loss.mul_(1 - smoothing).sub_(logs.mean(1), alpha=smoothing)
        result[rows] = loss
        if gradients is not None:
            row_weights = weight_of_rows[rows, None] if isinstance(weight_of_rows, Tensor) else weight_of_rows
            slope = _slope(logs, right, smoothing).mul_(row_weights)
            add_gradients(slope, x[rows], weight, rows, gradients)
    return result


def _slope(logs: Tensor, right: Tensor, smoothing: float) -> Tensor:
    """The derivative of each row's loss by its logits, in the place of the logarithms of the probabilities."""
    slope = logs.exp_()
    if smoothing:
        slope.sub_(smoothing / slope.shape[1])
    return slope.scatter_add_(1, right, slope.new_full(right.shape, smoothing - 1))


def add_gradients(slope: Tensor, x: Tensor, weight: Tensor, rows: slice, gradients: FactorGradients) -> None:
    """Adds what the derivative by the logits of some rows gives to the gradients.

    Args:
        slope: Shape (rows, columns).
        x: The features of these rows.
        weight: Shape (columns, features).
        rows: Which rows of the gradient of x they are.
        gradients: What is added to.
    """
    if gradients.bias is not None:
        gradients.bias.add_(slope.sum(0))
    if gradients.x is not None:
        gradients.x[rows].addmm_(slope, weight)
    if gradients.weight is not None:
        gradients.weight.addmm_(slope.t(), x)


def refuse_second_derivative(name: str) -> None:
    """Raises in a backward pass that is to be derived itself: a gradient made along with the loss is a constant to it.

    Raises:
        UsageError: The backward pass was asked for with `create_graph=True`.
    """
    if torch.is_grad_enabled():
        raise UsageError(f"{name} has no second derivative; leave out create_graph=True, or use torch's cross_entropy")


def refuse_many_derivatives(name: str, slope: Tensor) -> None:
    """Raises in a backward pass that is given the derivatives of many results at once, which no kernel takes.

    Args:
        name: What computed the results.
        slope: The derivative that the backward pass is given, of any shape.

    Raises:
        UsageError: It stands for several.
    """
    if is_batched(slope):
        raise UsageError(
            f"{name} gives the derivatives of one result at a time; leave out vectorize=True or is_grads_batched=True"
        )
