"""A stack of layers: scan by scan, or where the kernels may have all of it, as one node of the graph of derivatives.

An operator of torch for each scan costs as much as a small scan itself. So eager runs on plain tensors call the kernels
of every layer and direction at once, and their derivatives likewise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import chain
from typing import Any

import torch
from torch import Tensor

from gatework import _kernels, _ops
from gatework._around import Around
from gatework._ops import ScanWeights
from gatework.cells import CellSpec

_FIELDS = tuple(field.name for field in fields(ScanWeights))
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
    if scans is _ops and not is_traced and not arounds and not torch.compiler.is_compiling():
        flat = [getattr(w, name) for w in weights for name in _FIELDS]
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

    def layouts(self, x: Tensor, batch: int) -> list[_kernels.Layout]:
        """The rows of each direction."""
        return [_kernels.layout_of(x, batch, self.batch_sizes, k == 1) for k in range(self.directions)]


@dataclass(slots=True)
class _Run:
    """What a run leaves for its derivative.

    Attributes:
        inputs: The input of each layer.
        outputs: The output of each layer and direction.
        kept: What the kernel kept, by layer and direction.
    """

    inputs: list[Tensor]
    outputs: list[Tensor]
    kept: list[_kernels.Kept]


def _forward(
    call: _Call, x: Tensor, states: Sequence[Tensor], weights: Sequence[ScanWeights], *, is_kept: bool
) -> tuple[Tensor, list[Tensor], _Run]:
    spec, count = call.spec, len(weights)
    kernel = _kernels.find(spec.name, x.dtype)
    batch = _kernels.checked_states(states, spec, x.dtype, (count,), _kernels.checked(x, weights[0], spec))
    states = [s.contiguous() for s in states]
    finals = [torch.empty_like(s) for s in states]
    layouts = call.layouts(x, batch)
    run = _Run([], [], [])
    for place, own in enumerate(weights):
        if place % call.directions == 0:
            x = _side_by_side(run.outputs[place - call.directions :]) if place else x.contiguous()
            run.inputs.append(x)
        if place:
            _kernels.checked(x, own, spec)
        output, kept = _kernels.forward(
            kernel, x, own.contiguous(), _kernels.addresses_at(states, place), _kernels.addresses_at(finals, place),
            layouts[place % call.directions], is_kept=is_kept,
        )  # fmt: skip
        run.outputs.append(output)
        run.kept.append(kept)
    return _side_by_side(run.outputs[-call.directions :]), finals, run


class _Stack(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, call: _Call, x: Tensor, *tensors: Any) -> tuple[Tensor, ...]:
        states, weights = _parted(call, tensors)
        output, finals, run = _forward(call, x, states, weights, is_kept=True)
        ctx.set_materialize_grads(False)
        ctx.call = call
        ctx.counts = [len(k.tensors()) for k in run.kept]
        kept = [t for k in run.kept for t in k.tensors()]
        # One direction: the input of a layer is the output of the one below.
        between = run.inputs[1:] if call.directions > 1 else []
        ctx.save_for_backward(x, *tensors, *run.outputs, *between, *kept)
        return output, *finals

    @staticmethod
    def backward(ctx: Any, d_output: Tensor | None, *d_finals: Tensor | None) -> tuple[Any, ...]:
        saved = iter(ctx.saved_tensors)
        inputs = [next(saved) for _ in ctx.needs_input_grad[1:]]
        if torch.is_grad_enabled():
            return None, *_differentiable(ctx.call, inputs, ctx.needs_input_grad[1:], d_output, d_finals)
        call, x, (states, weights) = ctx.call, inputs[0].contiguous(), _parted(ctx.call, inputs[1:])
        outputs = [next(saved) for _ in weights]
        layers = len(weights) // call.directions
        below = [next(saved) for _ in range(layers - 1)] if call.directions > 1 else outputs[:-1]
        kernel = _kernels.find(call.spec.name, x.dtype)
        hidden, width = _kernels.checked(x, weights[0], call.spec)
        layouts = call.layouts(x, states[0].shape[1])
        kept = [
            _kernels.kept_like(kernel, layouts[0].lead, x, hidden, width, [next(saved) for _ in range(count)])
            for count in ctx.counts
        ]
        run = _Run([x, *below], outputs, kept)
        return None, *_backward(
            call, kernel, layouts, run, states, weights, ctx.needs_input_grad[1:], d_output, d_finals
        )


def _backward(
    call: _Call,
    kernel: _kernels.Kernel,
    layouts: Sequence[_kernels.Layout],
    run: _Run,
    states: Sequence[Tensor],
    weights: Sequence[ScanWeights],
    needs: Sequence[bool],
    d_output: Tensor | None,
    d_finals: Sequence[Tensor | None],
) -> list[Tensor | None]:
    """The gradients of x, the states and the weights, in the order of the node's inputs."""
    states = [s.contiguous() for s in states]
    d_finals = [None if d is None else d.contiguous() for d in d_finals]
    d_states = [torch.empty_like(s) for s in states]
    d_weights: list[list[Tensor | None]] = [[] for _ in weights]
    width = len(_FIELDS)
    for layer in reversed(range(len(run.inputs))):
        d_x: Tensor | None = None
        parts = [d_output] if d_output is None or call.directions == 1 else d_output.chunk(call.directions, -1)
        for direction in range(call.directions):
            place = layer * call.directions + direction
            part = parts[direction % len(parts)]
            first = 1 + call.state_count + place * width
            found = _kernels.backward(
                kernel, None if part is None else part.contiguous(), _kernels.addresses_at(d_finals, place),
                run.inputs[layer], weights[place].contiguous(), _kernels.addresses_at(states, place),
                _kernels.addresses_at(d_states, place), layouts[direction], run.outputs[place], run.kept[place],
                [layer > 0 or needs[0], *needs[first : first + width]],
            )  # fmt: skip
            d_weights[place] = found[1:]
            d_x = found[0] if d_x is None or found[0] is None else d_x.add_(found[0])
        d_output = d_x
    found = [d_output, *d_states, *chain.from_iterable(d_weights)]
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
    seen = [(y, d) for y, d in zip((output, *finals), (d_output, *d_finals), strict=True) if d is not None]
    wanted = [t for t, need in zip(inputs, needs, strict=True) if need and t is not None]
    found = iter(
        torch.autograd.grad([y for y, _ in seen], wanted, [d for _, d in seen], create_graph=True, allow_unused=True)
    )
    return [next(found) if need and t is not None else None for t, need in zip(inputs, needs, strict=True)]


def _parted(call: _Call, tensors: Sequence[Any]) -> tuple[list[Tensor], list[ScanWeights]]:
    """The states and the weights that the node was given side by side."""
    states, flat, width = list(tensors[: call.state_count]), tensors[call.state_count :], len(_FIELDS)
    return states, [ScanWeights(*flat[k : k + width]) for k in range(0, len(flat), width)]
