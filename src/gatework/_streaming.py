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

from gatework import _calls, _kernels, _native
from gatework._calls import Plan

MOST_SEQUENCES = 8  # from here on the packed weights of the scan pay for themselves


def step(plan: Plan, x: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, tuple[Tensor, ...]] | None:
    """One step of a stack of layers.

    Args:
        plan: A plan that holds, of layers in one direction without a projection.
        x: The input, shape (batch, input).
        states: The states in the order of the cell's, each (layers, batch, hidden).

    Returns:
        The output, shape (batch, hidden), and the new states; None where this path does not apply.
    """
    batch, hidden, weights = x.shape[0], plan.weights[0].hidden, plan.weights
    shape = (len(weights), batch, hidden)
    if batch > MOST_SEQUENCES or x.shape[1] != weights[0].parts[0] or len(states) != len(plan.spec.states):
        return None
    for tensor in (x, *states):
        if tensor.dtype != plan.dtype or not tensor.is_cpu or not tensor.is_contiguous():
            return None
        if tensor is not x and tensor.shape != shape:
            return None
    kernel = _kernels.find(plan.spec.name, plan.dtype, plan.variant).address
    following = tuple([torch.empty_like(s) for s in states])
    padding = (0,) * (_native.MAX_STATES - len(states))
    before, after = [s.data_ptr() for s in states], [s.data_ptr() for s in following]
    size = batch * hidden * x.itemsize
    for place, (own, around) in enumerate(zip(weights, plan.arounds, strict=True)):
        output = x.new_empty((batch, hidden))
        here, there = (*[a + place * size for a in before], *padding), (*[a + place * size for a in after], *padding)
        status = _native.step(kernel, batch, own.parts, x.data_ptr(), here, there, output.data_ptr(), around)
        if status:
            _calls.finish(status)
        x = output
    return x, following
