"""A stack of layers: scan by scan, or where the kernels may have all of it, as one node of the graph of derivatives.

An operator of torch for each scan costs as much as a small scan itself. So eager runs on plain tensors call the kernels
of every layer and direction at once, and their derivatives likewise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import Parameter

from gatework.cells import CellSpec
from gatework.scan import double_backward, native, operators
from gatework.scan.layout import Layout, layout_of
from gatework.scan.operators import ScanWeights
from gatework.scan.options import StepOptions
from gatework.scan.weights import CheckedStack, check_stack, check_states

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
    arounds: Sequence[StepOptions] | None = None,
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
    if scans is operators and not arounds and operators.has_kernel(spec, x):
        weights, states = (
            [operators.as_computed(x, w) for w in weights],
            [operators.computed(state, x) for state in given],
        )
        if not is_traced and not torch.compiler.is_compiling() and is_plain(chain((x, *states), *weights)):
            plan = check_stack(spec, x.dtype, x.shape[-1], weights, directions)
            output, ends = run(plan, x, states, rows_of(plan, x, states, batch_sizes))
            return output, [end.to(state.dtype) for end, state in zip(ends, given, strict=True)], []
    one = scans.trace if is_traced else scans.scan
    output, finals, traces = _one_by_one(one, spec, x, weights, states, directions, batch_sizes, arounds)
    return output, [end.to(state.dtype) for end, state in zip(finals, given, strict=True)], traces


def is_plain(tensors: Iterable[Tensor | None]) -> bool:
    """Whether nothing but autograd listens to what happens to the tensors."""
    return not is_watched() and all(t is None or type(t) in (Tensor, Parameter) for t in tensors)


def is_watched() -> bool:
    """Whether a mode or a tracer looks at every operation on tensors."""
    return torch._C._len_torch_dispatch_stack() > 0 or torch._C._is_tracing()


def rows_of(plan: CheckedStack, x: Tensor, states: Sequence[Tensor], batch_sizes: Tensor | None) -> Layout:
    """The rows of x, padded, or packed with the number of sequences running at each step.

    Raises:
        UsageError: A shape, dtype or device does not fit.
    """
    first = plan.weights[0]
    batch = check_states(states, plan.spec, x.dtype, (len(plan.weights),), first)
    return layout_of(x, first.parts[0], batch, batch_sizes)


def run(plan: CheckedStack, x: Tensor, states: Sequence[Tensor], rows: Layout) -> tuple[Tensor, Sequence[Tensor]]:
    """Run all of a stack on the kernels.

    Args:
        plan: The weights, all of them plain, and what they are for.
        x: The input, plain, of the plan's element type.
        states: The initial states, plain, each (layers x directions, batch, features).
        rows: What `rows_of()` or `CheckedStack.rows()` finds for them.

    Returns:
        The output of the last layer, and the final states in the form of `states`.
    """
    if torch.is_grad_enabled() and any(t.requires_grad for t in (*plan.given, x, *states)):
        output, *finals = _apply(_Call(plan, rows, len(states)), x, *states, *plan.given)
        return output, finals
    output, finals, _ = _forward(plan, rows, x, states, is_kept=False)
    return output, finals


def _one_by_one(
    run: Any,
    spec: CellSpec,
    x: Tensor,
    weights: Sequence[ScanWeights],
    states: Sequence[Tensor],
    directions: int,
    batch_sizes: Tensor | None,
    arounds: Sequence[StepOptions] | None = None,
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


class _Call(NamedTuple):
    """What a run of a stack is given besides tensors that have derivatives."""

    plan: CheckedStack
    rows: Layout
    state_count: int


class _Run(NamedTuple):
    """What a run leaves for its derivative.

    Attributes:
        inputs: The input of each layer.
        outputs: The output of each layer and direction.
        kept: What the kernels keep, by layer and direction; empty where there is no derivative.
    """

    inputs: list[Tensor]
    outputs: list[Tensor]
    kept: list[Tensor]

    def tensors(self, directions: int) -> list[Tensor]:
        """What is to be saved besides the first input: the input of a lone direction is the output of the one below."""
        return [*self.outputs, *self.kept, *(self.inputs[1:] if directions > 1 else ())]


def _forward(
    plan: CheckedStack, rows: Layout, x: Tensor, states: Sequence[Tensor], *, is_kept: bool
) -> tuple[Tensor, list[Tensor], _Run]:
    directions, lead = plan.directions, rows.lead
    x, states = x.contiguous(), [s.contiguous() for s in states]
    finals = [torch.empty_like(s) for s in states]
    run = _Run([], [], [])
    scans: list[native.ForwardScan] = []
    for place, own in enumerate(plan.weights):
        if place % directions == 0:
            if place and directions > 1:  # both directions must be there before they can stand side by side
                native.forward(plan.kernel, rows, states, finals, scans)
                scans = []
            x = _side_by_side(run.outputs[-directions:]) if place else x
            run.inputs.append(x)
        output, kept = x.new_empty(*lead, own.output), None
        run.outputs.append(output)
        if is_kept:
            kept = own.tensors.weight_ih.new_empty(*lead, plan.kept)
            run.kept.append(kept)
        scans.append(native.forward_scan(own, x, output, kept, place, place % directions == 1))
    native.forward(plan.kernel, rows, states, finals, scans)
    return _side_by_side(run.outputs[-directions:]), finals, run


class _Stack(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, call: _Call, x: Tensor, *tensors: Any) -> tuple[Tensor, ...]:
        plan = call.plan
        output, finals, run = _forward(plan, call.rows, x, tensors[: call.state_count], is_kept=True)
        ctx.set_materialize_grads(False)
        ctx.call = call
        ctx.save_for_backward(x, *tensors, *run.tensors(plan.directions))
        return output, *finals

    @staticmethod
    def backward(ctx: Any, d_output: Tensor | None, *d_finals: Tensor | None) -> tuple[Any, ...]:
        call, needs, saved = ctx.call, ctx.needs_input_grad[1:], ctx.saved_tensors
        if torch.is_grad_enabled():
            return None, *_differentiable(call, saved[: len(needs)], needs, d_output, d_finals)
        plan, count, first, end = call.plan, len(call.plan.weights), 1 + call.state_count, len(needs)
        x, states, given = saved[0], saved[1:first], saved[first:end]
        if not plan.reads(given):  # whoever saved the tensors gives back copies
            copied = check_stack(plan.spec, plan.dtype, x.shape[-1], _parted(plan, given), plan.directions)
            plan = copied._replace(kernel=plan.kernel)
        outputs, kept = saved[end : end + count], saved[end + count : end + 2 * count]
        below = saved[end + 2 * count :] if plan.directions > 1 else outputs[:-1]
        run = _Run([x.contiguous(), *below], outputs, kept)
        return None, *_backward(plan, call.rows, run, states, needs, d_output, d_finals)


# As `_Stack.apply`, which looks for function transforms first: they take another path, and looking takes a seventh of
# the call's own time.
_apply = super(torch.autograd.Function, _Stack).apply


def _backward(
    plan: CheckedStack,
    rows: Layout,
    run: _Run,
    states: Sequence[Tensor],
    needs: Sequence[bool],
    d_output: Tensor | None,
    d_finals: Sequence[Tensor | None],
) -> list[Tensor | None]:
    """The gradients of x, the states and the weights, in the order of the node's inputs."""
    directions, first = plan.directions, 1 + len(states)
    states = [s.contiguous() for s in states]
    d_finals = [None if d is None else d.contiguous() for d in d_finals]
    d_states = [torch.empty_like(s) if need else None for s, need in zip(states, needs[1:first], strict=True)]
    # By the place in `flat`.
    found: list[Tensor | None] = [None] * len(plan.flat)
    for slot, need, weight in zip(plan.slots, needs[first:], plan.whole, strict=True):
        if need:
            found[slot] = torch.empty_like(weight)
    scans: list[native.Backward] = []
    for layer in reversed(range(len(run.inputs))):
        x = run.inputs[layer]
        parts = [d_output] if d_output is None or directions == 1 else d_output.chunk(directions, -1)
        d_inputs: list[Tensor | None] = []
        for direction in range(directions):
            place = layer * directions + direction
            part = parts[direction % len(parts)]
            part = None if part is None else part.contiguous()
            d_inputs.append(torch.empty_like(x) if layer or needs[0] else None)
            wanted = [d_inputs[-1], *found[place * _WIDTH : (place + 1) * _WIDTH]]
            scans.append(
                native.Backward(
                    plan.weights[place], x, part, run.outputs[place], run.kept[place], wanted, place, direction == 1
                )
            )
        if directions == 1:
            d_output = d_inputs[0]
        else:
            native.backward(plan.kernel, rows, d_finals, states, d_states, scans)
            scans = []
            d_output = None if d_inputs[0] is None or d_inputs[1] is None else d_inputs[0].add_(d_inputs[1])
    if scans:
        native.backward(plan.kernel, rows, d_finals, states, d_states, scans)
    return [d_output, *d_states, *[found[slot] for slot in plan.slots]]


def _differentiable(
    call: _Call,
    inputs: Sequence[Any],
    needs: Sequence[bool],
    d_output: Tensor | None,
    d_finals: Sequence[Tensor | None],
) -> list[Tensor | None]:
    """As `_backward()`, where the gradients shall have derivatives: through the operators, which have them."""
    # Views are new ends of the graph: what d_output itself depends on must not be reached through it.
    inputs = [None if t is None else t.view_as(t) for t in inputs]
    first = 1 + call.state_count
    x, states, weights = inputs[0], inputs[1:first], _parted(call.plan, inputs[first:])
    output, finals, _ = _one_by_one(
        operators.scan, call.plan.spec, x, weights, states, call.plan.directions, call.rows.batch_sizes
    )
    return double_backward.differentiable((output, *finals), (d_output, *d_finals), inputs, needs)


def _parted(plan: CheckedStack, given: Sequence[Any]) -> list[ScanWeights]:
    """Other tensors in the place of a plan's weights, by layer and direction."""
    flat = list(plan.flat)
    for slot, tensor in zip(plan.slots, given, strict=True):
        flat[slot] = tensor
    return [ScanWeights(*flat[k : k + _WIDTH]) for k in range(0, len(flat), _WIDTH)]  # type: ignore[arg-type]
