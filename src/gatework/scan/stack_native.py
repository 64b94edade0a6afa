"""A whole stack of layers on the kernels, as one node of the graph of derivatives.

An operator of torch for each scan costs as much as a small scan itself. So eager runs on plain tensors call the kernels
of every layer and direction at once, and their derivatives likewise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import Parameter

from gatework.scan import double_backward, native, operators
from gatework.scan import stack as scan_by_scan
from gatework.scan.layout import Layout, layout_of
from gatework.scan.records import ForwardRecord
from gatework.scan.scan import Exposed, ScanWeights, all_in_memory, in_memory
from gatework.scan.stack import StackResult, StackScan, side_by_side
from gatework.scan.weights import CheckedStack, check_stack, check_states

_WIDTH = len(ScanWeights._fields)


def run(stack: StackScan) -> StackResult:
    """Run plain tensors on the kernels, once everything agrees.

    Raises:
        UsageError: A shape, dtype or device does not fit.
    """
    x = stack.x
    weights = [operators.weights_as_computed(w, x) for w in stack.weights]
    states = [operators.computed(state, x) for state in stack.states]
    checked = check_stack(stack.spec, x.dtype, x.shape[-1], weights, stack.directions)
    output, ends = run_checked(checked, x, states, rows_of(checked, x, states, stack.batch_sizes))
    return StackResult(output, [end.to(state.dtype) for end, state in zip(ends, stack.states, strict=True)], [])


def is_plain(tensors: Iterable[Tensor | None]) -> bool:
    """Whether nothing but autograd listens to what happens to the tensors."""
    return not is_watched() and all(t is None or type(t) in (Tensor, Parameter) for t in tensors)


def is_watched() -> bool:
    """Whether a mode or a tracer looks at every operation on tensors."""
    return torch._C._len_torch_dispatch_stack() > 0 or torch._C._is_tracing()


def rows_of(stack: CheckedStack, x: Tensor, states: Sequence[Tensor], batch_sizes: Tensor | None) -> Layout:
    """The rows of x, padded, or packed with the number of sequences running at each step.

    Raises:
        UsageError: A shape, dtype or device does not fit.
    """
    first = stack.weights[0]
    batch = check_states(states, stack.spec, x.dtype, (len(stack.weights),), first)
    return layout_of(x, first.record.input, batch, batch_sizes)


def run_checked(
    stack: CheckedStack, x: Tensor, states: Sequence[Tensor], rows: Layout
) -> tuple[Tensor, Sequence[Tensor]]:
    """Run checked weights.

    Args:
        stack: The weights, all of them plain, and what they are for.
        x: The input, plain, of the stack's element type, shape (time, batch, input), or (rows, input) when packed.
        states: The initial states, plain, each (layers x directions, batch, features).
        rows: What `rows_of()` or `CheckedStack.rows()` gives for them.

    Returns:
        The output of the last layer, its directions side by side, shape (time, batch, directions x output) or (rows,
        directions x output), and the final states in the form of `states`.
    """
    if torch.is_grad_enabled() and any(t.requires_grad for t in (*stack.given, x, *states)):
        output, *finals = _apply(_Call(stack, rows, len(states)), x, *states, *stack.given)
        return output, finals
    stack.kept.release()  # no training
    output, finals, _ = _forward(stack, rows, x, states, is_saved=False)
    return output, finals


class _Call(NamedTuple):
    """What a run of a stack is given besides tensors that have derivatives."""

    stack: CheckedStack
    rows: Layout
    state_count: int

    def parted(self, flat: Sequence[Any]) -> tuple[Any, Sequence[Any], Sequence[Any]]:
        """Those of x, the states and the weights, from a value for each of the node's tensors."""
        end = 1 + self.state_count
        return flat[0], flat[1:end], flat[end:]


class _Saved(NamedTuple):
    """What a run leaves for its derivative.

    Attributes:
        inputs: The input of each layer, shape (time, batch, features), or (rows, features) when packed.
        outputs: The output of each layer and direction, likewise.
        saved: What the kernels save, by layer and direction, as wide as `CheckedStack.saved_width`; empty where there
            is no derivative.
    """

    inputs: list[Tensor]
    outputs: list[Tensor]
    saved: list[Tensor]

    def tensors(self, directions: int) -> list[Tensor]:
        """What is to be saved besides the first input and the last output of a lone direction, which the caller has.

        The input of a lone direction is the output of the one below.
        """
        if directions == 1:
            return [*self.outputs[:-1], *self.saved]
        return [*self.outputs, *self.saved, *self.inputs[1:]]

    @classmethod
    def of(cls, stack: CheckedStack, x: Tensor, tensors: Sequence[Tensor]) -> _Saved:
        """The inverse of `tensors()`; the last output of a lone direction is still missing."""
        count = len(stack.weights)
        if stack.directions == 1:
            below = list(tensors[: count - 1])
            return cls([x, *below], below, list(tensors[count - 1 :]))
        outputs, saved, inputs = tensors[:count], tensors[count : 2 * count], tensors[2 * count :]
        return cls([x, *inputs], list(outputs), list(saved))


def _forward(
    stack: CheckedStack, rows: Layout, x: Tensor, states: Sequence[Tensor], *, is_saved: bool
) -> tuple[Tensor, list[Tensor], _Saved]:
    directions, lead = stack.directions, rows.lead
    x, states = in_memory(x), [in_memory(s) for s in states]
    finals = [torch.empty_like(s) for s in states]
    run = _Saved([], [], [])
    records: list[ForwardRecord] = []
    for place, weights in enumerate(stack.weights):
        if place % directions == 0:
            if place and directions > 1:  # both directions must be there before they can stand side by side
                native.forward(stack.kernel, rows, states, finals, records)
                records = []
            x = side_by_side(run.outputs[-directions:]) if place else x
            run.inputs.append(x)
        output, saved = x.new_empty(*lead, weights.output), None
        run.outputs.append(output)
        if is_saved:
            saved = stack.kept.empty(weights.tensors.weight_ih, (*lead, stack.saved_width))
            run.saved.append(saved)
        records.append(native.forward_scan(weights, x, output, saved, place, place % directions == 1))
    native.forward(stack.kernel, rows, states, finals, records)
    return side_by_side(run.outputs[-directions:]), finals, run


class _Stack(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, call: _Call, x: Tensor, *tensors: Any) -> tuple[Tensor, ...]:
        stack = call.stack
        output, finals, run = _forward(stack, call.rows, x, tensors[: call.state_count], is_saved=True)
        ctx.set_materialize_grads(False)
        ctx.call = call
        if stack.directions == 1:  # else it is a copy of what is saved
            ctx.output = Exposed(output)
        ctx.save_for_backward(x, *tensors, *run.tensors(stack.directions))
        return output, *finals

    @staticmethod
    def backward(ctx: Any, d_output: Tensor | None, *d_finals: Tensor | None) -> tuple[Any, ...]:
        call, needs, tensors = ctx.call, ctx.needs_input_grad[1:], ctx.saved_tensors
        inputs = tensors[: len(needs)]
        if double_backward.is_asked((d_output, *d_finals)):
            return None, *_differentiable(call, inputs, needs, d_output, d_finals)
        stack = call.stack
        x, states, given = call.parted(inputs)
        if not stack.reads(given):  # whoever saved the tensors gives back copies
            copied = check_stack(stack.spec, stack.dtype, x.shape[-1], stack.with_tensors(given), stack.directions)
            stack = copied._replace(kernel=stack.kernel)
            call = call._replace(stack=stack)
        run = _Saved.of(stack, in_memory(x), tensors[len(needs) :])
        if stack.directions == 1:
            output = ctx.output.as_given()
            run.outputs.append(_forward(stack, call.rows, x, states, is_saved=False)[0] if output is None else output)
        return None, *_backward(call, run, states, needs, d_output, d_finals)


# As `_Stack.apply`, which looks for function transforms first: they take another path, and looking takes a seventh of
# the call's own time.
_apply = super(torch.autograd.Function, _Stack).apply


def _backward(
    call: _Call,
    run: _Saved,
    states: Sequence[Tensor],
    needs: Sequence[bool],
    d_output: Tensor | None,
    d_finals: Sequence[Tensor | None],
) -> list[Tensor | None]:
    """The gradients of x, the states and the weights, in the order of the node's inputs, each of its tensor's shape.

    Args:
        call: What the run was given.
        run: What it left.
        states: Its initial states, each (layers x directions, batch, features).
        needs: Which of the node's inputs want a gradient.
        d_output: The derivative for the output, of its shape, None where it is zero.
        d_finals: Those for the final states, of the shapes of `states`, likewise.
    """
    stack, rows, directions = call.stack, call.rows, call.stack.directions
    needs_x, needs_states, needs_weights = call.parted(needs)
    states = [in_memory(s) for s in states]
    d_finals = all_in_memory(d_finals)
    d_states = [torch.empty_like(s) if need else None for s, need in zip(states, needs_states, strict=True)]
    d_weights = _weight_gradients(stack, needs_weights)
    scans: list[native.Backward] = []
    for layer in reversed(range(len(run.inputs))):
        x = run.inputs[layer]
        parts = [d_output] if d_output is None or directions == 1 else d_output.chunk(directions, -1)
        d_inputs: list[Tensor | None] = []
        for direction in range(directions):
            place = layer * directions + direction
            d_layer = d_weights[place * _WIDTH : (place + 1) * _WIDTH]
            part = parts[direction % len(parts)]
            d_inputs.append(torch.empty_like(x) if layer or needs_x else None)
            scans.append(
                native.Backward(
                    stack.weights[place], x, None if part is None else in_memory(part), run.outputs[place],
                    run.saved[place], native.Gradients(d_inputs[-1], *d_layer), place, direction == 1,
                )
            )  # fmt: skip
        if directions == 1:
            d_output = d_inputs[0]
        else:
            native.backward(stack.kernel, rows, d_finals, states, d_states, scans)
            scans = []
            d_output = None if d_inputs[0] is None or d_inputs[1] is None else d_inputs[0].add_(d_inputs[1])
    if scans:
        native.backward(stack.kernel, rows, d_finals, states, d_states, scans)
    return [d_output, *d_states, *[d_weights[slot] for slot in stack.slots]]


def _weight_gradients(stack: CheckedStack, needs: Sequence[bool]) -> list[Tensor | None]:
    """New tensors for the gradients of the weights that are wanted, in the order of `CheckedStack.flat`."""
    flat: list[Tensor | None] = [None] * len(stack.flat)
    for slot, need, weight in zip(stack.slots, needs, stack.whole, strict=True):
        if need:
            flat[slot] = torch.empty_like(weight)
    return flat


def _differentiable(
    call: _Call,
    inputs: Sequence[Any],
    needs: Sequence[bool],
    d_output: Tensor | None,
    d_finals: Sequence[Tensor | None],
) -> list[Tensor | None]:
    """As `_backward()`, where `double_backward.is_asked()`: through the operators, whose gradients have derivatives, or
    the reference, which knows transforms.
    """
    one = double_backward.reference_run if double_backward.is_transformed((d_output, *d_finals)) else operators.run
    stack = call.stack

    def run(inputs: Sequence[Any]) -> list[Tensor]:
        x, states, given = call.parted(inputs)
        scans = StackScan(stack.spec, x, stack.with_tensors(given), states, stack.directions, call.rows.batch_sizes)
        output, finals, _ = scan_by_scan.run(one, scans)
        return [output, *finals]

    return double_backward.differentiable(run, (d_output, *d_finals), inputs, needs)
