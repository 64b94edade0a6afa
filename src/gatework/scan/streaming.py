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
    weights, (batch, width) = stack.weights, x.shape
    hidden = weights[0].hidden
    if batch > MOST_SEQUENCES or width != weights[0].record.input or not stack.takes(states, batch):
        return None
    if x.dtype is not stack.dtype or not x.is_cpu:
        return None
    for tensor in (x, *states):  # without its sign, a negated one's memory holds other numbers
        if tensor.is_neg() or not tensor.is_contiguous():
            return None
    following = tuple(map(torch.empty_like, states))
    missing = _MISSING[len(states)]
    before, after = (*map(Tensor.data_ptr, states), *missing), (*map(Tensor.data_ptr, following), *missing)
    size = batch * hidden * x.itemsize  # the states of a layer come behind those of the one before
    for place, of_layer in enumerate(weights):
        if place:
            before, after = _behind(before, size), _behind(after, size)
        output = x.new_empty((batch, hidden))
        status = _native.step(
            stack.kernel.address, batch, of_layer.record, x.data_ptr(), before, after, output.data_ptr(),
            stack.options[place],
        )  # fmt: skip
        if status:
            native.finish(status)
        x = output
    return x, following


_MISSING = tuple([(0,) * (_native.MAX_STATES - count) for count in range(_native.MAX_STATES + 1)])


def _behind(addresses: Sequence[int], size: int) -> tuple[int, ...]:
    """The addresses that lie so many bytes behind these, of which 0 is none."""
    return tuple([address and address + size for address in addresses])


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
    missing = _MISSING[len(before)]
    status = _native.step(
        stack.kernel.address, batch, stack.weights[place].record, x, (*before, *missing), (*after, *missing), output,
        stack.options[place],
    )  # fmt: skip
    if status:
        native.finish(status)
