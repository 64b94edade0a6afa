"""One time step at a time with as little around it as there can be.

Real-time use asks for one step of one or a few sequences within microseconds, where every operator of torch costs one.
This path takes a stack of layers on the CPU whose gradients nobody wants, also with something around the cell, and
leaves all others to the reference. The kernel reads the weights where they are, so there is no copy of them that could
be out of date.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gatework import _native
from gatework.scan import native
from gatework.scan.weights import CheckedStack

MOST_SEQUENCES = 8  # from here on the packed weights of the scan pay for themselves


def step(stack: CheckedStack, x: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, tuple[Tensor, ...]] | None:
    """One step of a stack of layers.

    Args:
        stack: The checked weights, which hold, of layers in one direction without a projection.
        x: The input, shape (batch, input).
        states: The states in the order of the cell's, each (layers, batch, hidden).

    Returns:
        The output, shape (batch, hidden), and the new states; None where this path does not apply.
    """
    weights, dtype, (batch, width) = stack.weights, stack.dtype, x.shape
    hidden = weights[0].hidden
    if batch > MOST_SEQUENCES or width != weights[0].record.input or not stack.takes(states, batch):
        return None
    if x.dtype is not dtype or not (x.is_cpu and x.is_contiguous()) or not all(map(Tensor.is_contiguous, states)):
        return None
    if x.is_neg() or any(map(Tensor.is_neg, states)):  # their memory holds the numbers without their signs
        return None
    following = tuple([torch.empty_like(s) for s in states])
    before = [s.data_ptr() for s in states]
    after = [s.data_ptr() for s in following]
    size = batch * hidden * x.itemsize  # the states of a layer come behind those of the one before
    for place in range(len(weights)):
        if place:
            before, after = [a + size for a in before], [a + size for a in after]
        output = x.new_empty((batch, hidden))
        layer_step(stack, place, batch, x.data_ptr(), before, after, output.data_ptr())
        x = output
    return x, following


def layer_step(
    stack: CheckedStack, place: int, batch: int, x: int, before: Sequence[int], after: Sequence[int], output: int
) -> None:
    """One step of one layer of a stack, of which `step()` says what it must be.

    Args:
        stack: The checked weights.
        place: Which of the layers.
        batch: How many sequences there are.
        x: The address of the input, (batch, input).
        before: The addresses of the states before, each (batch, hidden).
        after: Those of the states after.
        output: That of h, (batch, hidden).

    Raises:
        MemoryError: There is no memory for what is under way.
    """
    missing = (0,) * (_native.MAX_STATES - len(before))
    status = _native.step(
        stack.kernel.address, batch, stack.weights[place].record, x, (*before, *missing), (*after, *missing), output,
        stack.options[place],
    )  # fmt: skip
    if status:
        native.finish(status)
