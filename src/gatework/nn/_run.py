"""A stack of layers run over an arranged batch, on the path that is chosen for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gatework.nn import _arrange, _paths, _torch
from gatework.nn._dropout import dropout
from gatework.nn._stack import LayerStack
from gatework.scan import counter_rng, exported, operators, reference, stack_native, triton_scan
from gatework.scan import stack as scan_by_scan
from gatework.scan.options import PLAIN
from gatework.scan.scan import Scan
from gatework.scan.stack import StackResult, StackScan

# What computes one scan, by path; the others compute a whole stack.
_SCANS: dict[_paths.Path, Any] = {
    "operators": operators,
    "exported": exported,
    "triton": triton_scan,
    "reference": reference,
}


def run(layer: LayerStack, batch: _arrange.ArrangedBatch, *, is_traced: bool = False) -> StackResult:
    """The layers over a batch; with every gate and state, if wanted."""
    stack = _stack_of(layer, batch)
    path = _paths.choose(stack, is_traced=is_traced, allows_torch=not layer.options.weight_drop)
    if path == "torch":
        return _torch_stack(layer, stack)
    x, states = _in_precision(layer, stack, path)
    stack = stack._replace(x=x, states=states)
    with _arrange.without_autocast(x.device.type):
        if path == "stack":
            return _in_parts(layer, stack, lambda part: _native_part(layer, part))
        computer = _SCANS[path]
        one: Callable[[Scan], tuple[Any, ...]] = computer.trace if is_traced else computer.run
        return _in_parts(layer, stack, lambda part: scan_by_scan.run(one, part))


def _stack_of(layer: LayerStack, batch: _arrange.ArrangedBatch) -> StackScan:
    """The layers as they are in this forward pass: weights dropped, masks seeded."""
    places = range(layer.num_layers * layer.num_directions)
    weights = [layer.dropped_weights(place) for place in places]
    stack = StackScan(layer.spec, batch.x, weights, batch.states, layer.num_directions, batch.batch_sizes)
    if not layer.acts_at_steps:
        return stack
    seed = counter_rng.drawn_seed() if layer.training else None
    options = [layer.step_options(place, seed) for place in places]
    return stack if all(o.is_plain for o in options) else stack._replace(options=options)


def _torch_stack(layer: LayerStack, stack: StackScan) -> StackResult:
    """The layers as torch's operator computes them."""
    settings = _torch.StackOptions(layer.bias, layer.num_layers, layer.dropout, layer.training, layer.bidirectional)
    weights = layer._flat_weights
    output, finals = _torch.run(layer.spec, stack.x, stack.states, weights, settings, stack.batch_sizes)
    return StackResult(output, finals, [])


def _native_part(layer: LayerStack, part: StackScan) -> StackResult:
    """A part of the layers on the kernels; with the weights that are checked already, where they are all of them."""
    is_whole = len(part.weights) == layer.num_layers * layer.num_directions
    checked = layer.checked_stack(part.x.dtype) if is_whole else None
    if checked is None:
        return stack_native.run(part)
    rows = stack_native.rows_of(checked, part.x, part.states, part.batch_sizes)
    output, ends = stack_native.run_checked(checked, part.x, part.states, rows)
    return StackResult(output, ends, [])


def _in_parts(layer: LayerStack, stack: StackScan, run_part: Callable[[StackScan], StackResult]) -> StackResult:
    """The layers in parts between which dropout acts."""
    if not (layer.dropout > 0 and layer.training and layer.num_layers > 1):
        return run_part(stack)
    x, results = stack.x, []
    for first in range(0, len(stack.weights), layer.num_directions):
        if first:
            x = dropout(x, layer.dropout)
        results.append(run_part(stack.part(first, layer.num_directions, x)))
        x = results[-1].output
    finals = [torch.cat(ends) for ends in zip(*(result.finals for result in results), strict=True)]
    return StackResult(x, finals, [trace for result in results for trace in result.traces])


def _in_precision(layer: LayerStack, stack: StackScan, path: _paths.Path) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The input and the states; under autocast to bfloat16 rounded to it where the kernels keep all sums exact."""
    x, states, kind = stack.x, tuple(stack.states), stack.x.device.type
    if not torch.is_autocast_enabled(kind) or torch.get_autocast_dtype(kind) != torch.bfloat16:
        return in_weight_precision(layer, x, states)
    if stack.weights[0].weight_ih.dtype != torch.float32 or path == "reference":
        return in_weight_precision(layer, x, states)
    rounded = x.to(torch.bfloat16)
    if not operators.has_kernel(layer.spec, rounded, stack.options[0] if stack.options else PLAIN):
        return in_weight_precision(layer, x, states)
    return rounded, tuple(state.to(torch.bfloat16) for state in states)


def in_weight_precision(layer: LayerStack, x: Tensor, states: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The input and the states; under autocast in the precision of the weights, as rounding adds up over steps.

    Args:
        layer: The layers.
        x: Of any shape.
        states: Each of any shape.
    """
    if not torch.is_autocast_enabled(x.device.type):
        return x, states
    dtype = layer.first_weight.dtype
    return x.to(dtype), tuple(state.to(dtype) for state in states)
