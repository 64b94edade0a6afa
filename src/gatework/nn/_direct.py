"""The short ways of a plain tensor to the kernels: a padded batch, and a single step."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gatework.nn import _paths
from gatework.nn._stack import LayerStack
from gatework.scan import stack_native, streaming


def scan(layer: LayerStack, x: Any, hx: Any) -> tuple[Tensor, Any] | None:
    """A padded batch; None where something has to be arranged, checked or chosen.

    Args:
        layer: The layers.
        x: Shape (time, batch, input), or (batch, time, input) with `batch_first`.
        hx: The initial states, each of shape (layers x directions, batch, features); zero if None.

    Returns:
        The output, in the order of `x`, and the final states as `hx` has them.
    """
    stack = None if layer.acts_at_steps else _paths.direct(layer, x)
    if stack is None or x.dim() != 3:
        return None
    if layer.batch_first:
        x = x.transpose(0, 1)
    rows = stack.rows(x)
    if rows is None or (hx is None and layer.proj_size):
        return None
    if hx is None:
        states = (x.new_zeros(len(stack.weights), rows.batch, layer.hidden_size),) * len(layer.spec.states)
    else:
        states = (hx,) if isinstance(hx, Tensor) else tuple(hx)
        if not stack.takes(states, rows.batch):
            return None
    output, ends = stack_native.run_checked(stack, x, states, rows)
    return output.transpose(0, 1) if layer.batch_first else output, ends[0] if len(ends) == 1 else tuple(ends)


def step(layer: LayerStack, x: Any, state: Any) -> tuple[Tensor, Any] | None:
    """A step without a scan, where nothing asks for one: no gradients, no transform, no projection; else None.

    Args:
        layer: The layers.
        x: Shape (batch, input).
        state: The states, each of shape (layers, batch, hidden); zero if None.

    Returns:
        The top layer's h, shape (batch, hidden), and the states after the step.
    """
    if torch.is_grad_enabled() or layer.proj_size:
        return None
    stack = _paths.direct(layer, x)
    if stack is None or x.dim() != 2:
        return None
    if state is None:
        states = tuple([x.new_zeros(layer.num_layers, len(x), layer.hidden_size) for _ in layer.spec.states])
    else:
        states = (state,) if isinstance(state, Tensor) else tuple(state)
    results = streaming.step(stack, x, states)
    if results is None:
        return None
    return results[0], results[1][0] if len(states) == 1 else results[1]
