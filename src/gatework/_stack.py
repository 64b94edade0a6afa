"""A stack of layers: scan by scan, or where the kernels may have all of it, as one node of the graph of derivatives.

An operator of torch for each scan costs as much as a small scan itself. So eager runs on plain tensors call the kernels
of every layer and direction at once, and their derivatives likewise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from torch import Tensor

from gatework import _gradients, _kernels, _ops
from gatework._around import Around
from gatework._ops import ScanWeights
from gatework.cells import CellSpec

_WIDTH = len(ScanWeights._fields)
Result = tuple[Tensor, Sequence[Tensor], list[dict[str, Tensor]]]


def scan(
    scans: Any,
    spec: CellSpec,
    x: Tensor,
    weights: Sequence[ScanWeights],
    states: Sequence[Tensor],
    *,
    directions: int,
    batch_sizes: Tensor | None,
    is_traced: bool,
    arounds: Sequence[Around] | None = None,
) -> Result:
    """Run layers on top of each other, the directions of each side by side.

    Args:
        scans: What has `scan()` and `trace()` for one layer and direction.
        spec: The cell.
        x: The input of the first layer.
        weights: The weights by layer, then direction.
        states: The initial states, each (layers x directions, batch, features).
        directions: 1, or 2.
        batch_sizes: The number of sequences running at each step of packed rows.
        is_traced: Whether every gate and state is wanted.
        arounds: What acts around the cell in each scan, in the order of the weights.

    Returns:
        The output of the last layer, the final states in the form of `states`, and the traces, if wanted, by layer and
        direction.
    """
    given = states
    if scans is _ops and not arounds and _ops.has_kernel(spec, x):
        weights, states = [_ops.as_computed(x, w) for w in weights], [_ops.computed(state, x) for state in given]
    output, finals, traces = _scan(scans, spec, x, weights, states, directions, batch_sizes, is_traced, arounds)
    return output, [end.to(state.dtype) for end, state in zip(finals, given, strict=True)], traces


def _scan(
    scans: Any,
    spec: CellSpec,
    x: Tensor,
    weights: Sequence[ScanWeights],
    states: Sequence[Tensor],
    directions: int,
    batch_sizes: Tensor | None,
    is_traced: bool,
    arounds: Sequence[Around] | None,
) -> Result:
    """As `scan()`, the weights and states in what the kernels compute in."""
    if scans is _ops and not is_traced and not arounds and not torch.compiler.is_compiling():
        flat = list(chain.from_iterable(weights))
        if _is_plain(chain((x,), states, flat)):
            call = _Call(spec, directions, batch_sizes, len(states))
            if torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in (x, *states, *flat)):
                output, *finals = _Stack.apply(call, x, *states, *flat)
            else:
                output, finals, _ = _forward(call, x, states, weights, is_kept=False)
            return output, finals, []
    run = scans.trace if is_traced else scans.scan
    return _one_by_one(run, spec, x, weights, states, directions, batch_sizes, arounds)


def _is_plain(tensors: Iterable[Tensor | None]) -> bool:
    """Whether nothing but autograd listens to what happens to the tensors."""
    if torch._C._len_torch_dispatch_stack() or torch.jit.is_tracing():
        return False
    return all(t is None or type(t) in (Tensor, torch.nn.Parameter) for t in tensors)


def _one_by_one(
    run: Any,
    spec: CellSpec,
    x: Tensor,
    weights: Sequence[ScanWeights],
    states: Sequence[Tensor],
    directions: int,
    batch_sizes: Tensor | None,
    arounds: Sequence[Around] | None = None,
) -> Result:
    finals: list[tuple[Tensor, ...]] = []
    traces: list[dict[str, Tensor]] = []
    outputs: list[Tensor] = []
    for place, own in enumerate(weights):
        initial = tuple(state[place] for state in states)
        is_reverse = place % directions == 1
        around = {"around": arounds[place]} if arounds else {}
        output, final, *named = run(spec, x, own, initial, batch_sizes=batch_sizes, reverse=is_reverse, **around)
        outputs.append(output)
        finals.append(final)
        traces.extend(named)
        if len(outputs) == directions:
            x = _side_by_side(outputs)
            outputs = []
    return x, [torch.stack(ends) for ends in zip(*finals, strict=True)], traces


def _side_by_side(outputs: Sequence[Tensor]) -> Tensor:
    return outputs[0] if len(outputs) == 1 else torch.cat(tuple(outputs), -1)


@dataclass(frozen=True, slots=True)
class _Call:
    """What a run of a stack is given besides tensors that have derivatives."""

    spec: CellSpec
    directions: int
    batch_sizes: Tensor | None
    state_count: int


@dataclass(slots=True)
class _Run:
    """What a run leaves for its derivative.

    Attributes:
        inputs: The input of each layer.
        outputs: The output of each layer and direction.
        kept: What the kernels keep, by layer and direction; None where there is no derivative.
    """

    inputs: list[Tensor]
    outputs: list[Tensor]
    kept: Tensor | None

    def tensors(self, directions: int) -> list[Tensor]:
        """What is to be saved besides the first input: the input of a lone direction is the output of the one below."""
        assert self.kept is not None
        return [*self.outputs, *(self.inputs[1:] if directions > 1 else ()), self.kept]


def _forward(
    call: _Call, x: Tensor, states: Sequence[Tensor], weights: Sequence[ScanWeights], *, is_kept: bool
) -> tuple[Tensor, list[Tensor], _Run]:
    spec, count, directions = call.spec, len(weights), call.directions
    kernel = _kernels.find(spec.name, x.dtype)
    hidden, width = _kernels.checked(x, weights[0], spec)
    batch = _kernels.checked_states(states, spec, x.dtype, (count,), (hidden, width))
    layout = _kernels.layout_of(x, batch, call.batch_sizes)
    states = [s.contiguous() for s in states]
    finals = [torch.empty_like(s) for s in states]
    size = kernel.kept_width(hidden, weights[0].weight_hr is not None)
    run = _Run([], [], weights[0].weight_ih.new_empty((count, *layout.lead, size)) if is_kept else None)
    scans: list[_kernels.Forward] = []
    for place, own in enumerate(weights):
        if place % directions == 0:
            if place and directions > 1:  # both directions must be there before they can stand side by side
                _kernels.forward(kernel, layout, states, finals, scans)
                scans = []
            x = _side_by_side(run.outputs[-directions:]) if place else x.contiguous()
            run.inputs.append(x)
        if place:
            _kernels.checked(x, own, spec)
        run.outputs.append(x.new_empty((*layout.lead, width)))
        kept = None if run.kept is None else run.kept[place]
        scans.append(_kernels.Forward(own.contiguous(), x, run.outputs[-1], kept, place, place % directions == 1))
    _kernels.forward(kernel, layout, states, finals, scans)
    return _side_by_side(run.outputs[-directions:]), finals, run


class _Stack(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, call: _Call, x: Tensor, *tensors: Any) -> tuple[Tensor, ...]:
        states, weights = _parted(call, tensors)
        output, finals, run = _forward(call, x, states, weights, is_kept=True)
        ctx.set_materialize_grads(False)
        ctx.call = call
        ctx.save_for_backward(x, *tensors, *run.tensors(call.directions))
        return output, *finals

    @staticmethod
    def backward(ctx: Any, d_output: Tensor | None, *d_finals: Tensor | None) -> tuple[Any, ...]:
        call, needs, saved = ctx.call, ctx.needs_input_grad[1:], ctx.saved_tensors
        inputs, saved = saved[: len(needs)], saved[len(needs) :]
        if torch.is_grad_enabled():
            return None, *_differentiable(call, inputs, needs, d_output, d_finals)
        states, weights = _parted(call, inputs[1:])
        outputs = list(saved[: len(weights)])
        below = saved[len(weights) : -1] if call.directions > 1 else outputs[:-1]
        run = _Run([inputs[0].contiguous(), *below], outputs, saved[-1])
        return None, *_backward(call, run, states, weights, needs, d_output, d_finals)


def _backward(
    call: _Call,
    run: _Run,
    states: Sequence[Tensor],
    weights: Sequence[ScanWeights],
    needs: Sequence[bool],
    d_output: Tensor | None,
    d_finals: Sequence[Tensor | None],
) -> list[Tensor | None]:
    """The gradients of x, the states and the weights, in the order of the node's inputs."""
    x, directions = run.inputs[0], call.directions
    assert run.kept is not None
    kernel = _kernels.find(call.spec.name, x.dtype)
    layout = _kernels.layout_of(x, states[0].shape[1], call.batch_sizes)
    states = [s.contiguous() for s in states]
    d_finals = [None if d is None else d.contiguous() for d in d_finals]
    d_states = [torch.empty_like(s) for s in states]
    gradients: list[list[Tensor | None]] = [[] for _ in weights]
    scans: list[tuple[_kernels.Backward, list[Tensor | None]]] = []
    for layer in reversed(range(len(run.inputs))):
        parts = [d_output] if d_output is None or directions == 1 else d_output.chunk(directions, -1)
        for direction in range(directions):
            place = layer * directions + direction
            _kernels.checked(run.inputs[layer], weights[place], call.spec)
            part = parts[direction % len(parts)]
            first = 1 + len(states) + place * _WIDTH
            scan = _kernels.Backward(
                weights[place].contiguous(), run.inputs[layer], None if part is None else part.contiguous(),
                run.outputs[place], run.kept[place], (layer > 0 or needs[0], *needs[first : first + _WIDTH]),
                place, direction == 1,
            )  # fmt: skip
            gradients[place] = scan.gradients()
            scans.append((scan, gradients[place]))
        d_output = gradients[layer * directions][0]
        if directions > 1:
            _kernels.backward(kernel, layout, d_finals, states, d_states, scans)
            scans = []
            other = gradients[layer * directions + 1][0]
            d_output = None if d_output is None or other is None else d_output.add_(other)
    if scans:
        _kernels.backward(kernel, layout, d_finals, states, d_states, scans)
    found = [d_output, *d_states, *chain.from_iterable(own[1:] for own in gradients)]
    return [g if need else None for g, need in zip(found, needs, strict=True)]


def _differentiable(
    call: _Call,
    inputs: Sequence[Tensor | None],
    needs: Sequence[bool],
    d_output: Tensor | None,
    d_finals: Sequence[Tensor | None],
) -> list[Tensor | None]:
    """As `_backward()`, where the gradients shall have derivatives: through the operators, which have them."""
    # Views are new ends of the graph: what d_output itself depends on must not be reached through it.
    inputs = [None if t is None else t.view_as(t) for t in inputs]
    states, weights = _parted(call, inputs[1:])
    x = inputs[0]
    assert x is not None
    output, finals, _ = _one_by_one(_ops.scan, call.spec, x, weights, states, call.directions, call.batch_sizes)
    return _gradients.differentiable((output, *finals), (d_output, *d_finals), inputs, needs)


def _parted(call: _Call, tensors: Sequence[Any]) -> tuple[list[Tensor], list[ScanWeights]]:
    """The states and the weights that the node was given side by side."""
    states, flat = list(tensors[: call.state_count]), tensors[call.state_count :]
    return states, [ScanWeights(*flat[k : k + _WIDTH]) for k in range(0, len(flat), _WIDTH)]
