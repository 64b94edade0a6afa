"""One scan on the native kernels, as the operators `gatework::scan` and `gatework::scan_backward`; or on the reference.

Tensors on the CPU in float32, float64 or bfloat16 go to the native kernels; everything else goes to the reference. So
do derivatives of the derivative.

With an input in bfloat16 the factors of every product are rounded to it, and so is the output. Weights and states may
be bfloat16 or float32: inside they are float32, as are all sums, states and gradients of weights. With something around
the cell the kernels for float32 compute: no factor is rounded but x, and the weights where they are bfloat16.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from gatework.cells import REGISTRY, CellSpec
from gatework.scan import double_backward, kernels, native, options_native, reference
from gatework.scan.layout import Layout, layout_of
from gatework.scan.options import PLAIN, Norms, StepOptions
from gatework.scan.scan import Scan, ScanWeights, Slots, in_memory
from gatework.scan.weights import CheckedWeights, check_states, check_weights

# How a scan stands in the schema of an operator: the weights that are there, beside their names with commas between;
# torch.jit.trace takes no list of names.
_SCAN = "str cell, Tensor x, str names, Tensor[] weights, Tensor[] states, Tensor? batch_sizes, bool reverse"
torch.library.define("gatework::scan", f"({_SCAN}, bool is_saved) -> (Tensor output, Tensor[] finals, Tensor saved)")
torch.library.define(
    "gatework::scan_backward",
    f"({_SCAN}, Tensor? d_output, Tensor[] d_finals, Tensor output, Tensor saved, bool[] needs) -> Tensor[]",
)


def has_kernel(spec: CellSpec, weight: Tensor, options: StepOptions = PLAIN) -> bool:
    """Whether a native kernel computes this cell for tensors with the device and dtype of `weight`."""
    if weight.device.type != "cpu":
        return False
    if options.is_plain:
        return kernels.has(spec, weight.dtype)
    dtype = kernels.COMPUTED.get(weight.dtype)
    return dtype is not None and options_native.has_kernel(spec, dtype, is_normalised=options.norms is not None)


def run(scan: Scan) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Run a cell over a batch of sequences.

    Returns:
        The output, shape (time, batch, output), or (rows, output) when packed, and the final states in the order of
        `spec.states`, each of the shape and element type of the state that was given.

    Raises:
        UsageError: A shape, dtype or device does not fit.
    """
    if not (has_kernel(scan.spec, scan.x, scan.options) and options_native.has_derivative(scan)):
        return reference.run(scan)
    inner = as_computed(scan)
    if not scan.options.is_plain:
        output, finals = options_native.run(inner._replace(x=scan.x.to(kernels.COMPUTED[scan.x.dtype])))
        return output.to(scan.x.dtype), _as_given(finals, scan.states)
    is_saved = inner.wants_gradient(torch.is_grad_enabled())
    output, finals, _ = torch.ops.gatework.scan(*packed(inner), is_saved)
    return output, _as_given(finals, scan.states)


def trace(scan: Scan) -> tuple[Tensor, tuple[Tensor, ...], dict[str, Tensor]]:
    """As `run()`, with every gate and state by name, in the layout of `x`; see `reference.trace` for the shapes.

    Where a derivative may be asked for, the reference computes it.
    """
    if not has_kernel(scan.spec, scan.x, scan.options):
        return reference.trace(scan)
    dtype, inner = scan.x.dtype, as_computed(scan)
    if inner.wants_gradient(torch.is_grad_enabled()):
        results = reference.trace(inner._replace(x=scan.x.to(kernels.COMPUTED[dtype])))
    elif not scan.options.is_plain:
        results = options_native.trace(inner._replace(x=scan.x.to(kernels.COMPUTED[dtype])))
    else:
        results = _trace(inner)
    output, finals, named = results
    return output.to(dtype), _as_given(finals, scan.states), {name: value.to(dtype) for name, value in named.items()}


def computed(tensor: Tensor, x: Tensor) -> Tensor:
    """A weight or a state of the element type of `x` in the one that the kernels for `x` compute in."""
    return tensor.to(kernels.COMPUTED[x.dtype]) if tensor.dtype == x.dtype else tensor


def as_computed(scan: Scan) -> Scan:
    """As `computed()` for the weights, those of the layer norm and the states."""
    x = scan.x
    if x.dtype == kernels.COMPUTED[x.dtype]:
        return scan
    options = scan.options
    if options.norms is not None:
        options = replace(options, norms=Norms(*[None if t is None else computed(t, x) for t in options.norms]))
    states = [computed(state, x) for state in scan.states]
    return scan._replace(weights=weights_as_computed(scan.weights, x), states=states, options=options)


def weights_as_computed(weights: ScanWeights, x: Tensor) -> ScanWeights:
    """As `computed()` for all weights."""
    if x.dtype == kernels.COMPUTED[x.dtype]:
        return weights
    return ScanWeights(**{name: computed(t, x) for name, t in weights._asdict().items() if t is not None})


def _as_given(finals: Sequence[Tensor], states: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The final states, each of the shape and now the element type of the state that was given."""
    return tuple([final.to(state.dtype) for final, state in zip(finals, states, strict=True)])


def packed(scan: Scan) -> tuple[Any, ...]:
    """A scan as operators take it, which know neither tuples with names nor lists of what may be missing."""
    present = {name: weight for name, weight in scan.weights._asdict().items() if weight is not None}
    if scan.options.norms is not None:
        present |= {name: norm for name, norm in scan.options.norms._asdict().items() if norm is not None}
    names, tensors = ",".join(present), list(present.values())
    return scan.spec.name, scan.x, names, tensors, list(scan.states), scan.batch_sizes, scan.reverse


def unpacked(
    cell: str,
    x: Tensor,
    names: str,
    weights: Sequence[Tensor],
    states: Sequence[Tensor],
    batch_sizes: Tensor | None,
    reverse: bool,
) -> Scan:
    """The inverse of `packed()`, with nothing around the cell but the layer norm.

    Args:
        cell: The name of the cell.
        x: As in `Scan`.
        names: The fields of `ScanWeights` and `Norms` that are there, with commas between.
        weights: One tensor for each of them, of the shape that these say.
        states: As in `Scan`.
        batch_sizes: As in `Scan`.
        reverse: As in `Scan`.
    """
    by_name = dict(zip(names.split(","), weights, strict=True))
    norms = {name: by_name.pop(name) for name in Norms._fields if name in by_name}
    options = StepOptions(norms=Norms(**norms)) if norms else PLAIN
    return Scan(REGISTRY[cell], x, ScanWeights(**by_name), states, batch_sizes, reverse, options)


def weight_count(names: str) -> int:
    """How many weights have these names."""
    return names.count(",") + 1


def _trace(scan: Scan) -> tuple[Tensor, tuple[Tensor, ...], dict[str, Tensor]]:
    """As `trace()` with the kernels, in what they compute in."""
    weights, states, layout = _checked(scan)
    kernel, x = kernels.find(scan.spec.name, scan.x.dtype), in_memory(scan.x)
    output, finals = x.new_empty((*layout.lead, weights.output)), [torch.empty_like(s) for s in states]
    like = scan.weights.weight_ih
    named = {name: like.new_empty((*layout.lead, weights.hidden)) for name in kernel.names if name != "h"}
    slots = [named.get(name) for name in kernel.names]
    layer = native.forward_scan(weights, x, output, None, reverse=scan.reverse, named=slots)
    native.forward(kernel, layout, states, finals, [layer])
    return output, tuple(finals), {name: named.get(name, output) for name in kernel.names}


def _checked(scan: Scan) -> tuple[CheckedWeights, list[Tensor], Layout]:
    """The weights, the states and the rows, once everything agrees."""
    width = scan.x.shape[-1] if scan.x.dim() else -1
    weights = check_weights(scan.spec, scan.x.dtype, width, scan.weights)
    batch = check_states(scan.states, scan.spec, scan.x.dtype, (), weights)
    return weights, [in_memory(s) for s in scan.states], layout_of(scan.x, width, batch, scan.batch_sizes)


@torch.library.impl("gatework::scan", "CPU")
def _scan(*arguments: Any) -> tuple[Tensor, list[Tensor], Tensor]:
    """Runs a scan on the kernels.

    Args:
        arguments: Those of `unpacked()`, and whether what the backward pass needs is saved.

    Returns:
        The output and the final states, as `run()` gives them in what the kernels compute in, and what is saved, shape
        (time, batch, saved) or (rows, saved), of width 0 where nothing is.
    """
    *parts, is_saved = arguments
    scan = unpacked(*parts)
    weights, states, layout = _checked(scan)
    kernel, x = kernels.find(scan.spec.name, scan.x.dtype), in_memory(scan.x)
    output, finals = x.new_empty((*layout.lead, weights.output)), [torch.empty_like(s) for s in states]
    saved = scan.weights.weight_ih.new_empty((*layout.lead, _saved_width(scan) if is_saved else 0))
    layer = native.forward_scan(weights, x, output, saved if is_saved else None, reverse=scan.reverse)
    native.forward(kernel, layout, states, finals, [layer])
    return output, finals, saved


def _saved_width(scan: Scan) -> int:
    hidden = scan.weights.weight_ih.shape[0] // len(scan.spec.input_gates)
    is_projected = scan.weights.weight_hr is not None
    return kernels.find(scan.spec.name, scan.x.dtype).saved_width(hidden, is_projected)


@torch.library.register_fake("gatework::scan")
def _scan_shapes(*arguments: Any) -> tuple[Tensor, list[Tensor], Tensor]:
    """Tensors of the shapes that `_scan()` gives."""
    *parts, is_saved = arguments
    scan = unpacked(*parts)
    lead, weights = scan.x.shape[:-1], scan.weights
    saved = weights.weight_ih.new_empty((*lead, _saved_width(scan) if is_saved else 0))
    output = scan.x.new_empty((*lead, weights.weight_hh.shape[1]))
    return output, [s.new_empty(s.shape) for s in scan.states], saved


@torch.library.impl("gatework::scan_backward", "CPU")
def _scan_backward(*arguments: Any) -> list[Tensor]:
    """The gradients of x, the weights and the states that are wanted, in this order, each of the shape of its tensor.

    Args:
        arguments: Those of `unpacked()`, the derivatives for the output and the final states, of their shapes, what
            `_scan()` gave, and for each tensor whether its gradient is wanted.
    """
    *parts, d_output, d_finals, output, saved, flags = arguments
    scan = unpacked(*parts)
    weights, states, layout = _checked(scan)
    kernel, x = kernels.find(scan.spec.name, scan.x.dtype), in_memory(scan.x)
    wanted = _by_slot(scan, flags)
    d_states = [torch.empty_like(s) for s in states]
    gradients = native.gradients(x, weights, wanted)
    d_output = None if d_output is None else in_memory(d_output)
    layer = native.Backward(
        weights, x, d_output, output.contiguous(), saved.contiguous(), gradients, reverse=scan.reverse
    )
    native.backward(kernel, layout, [in_memory(t) for t in d_finals], states, d_states, [layer])
    by_state = [d for d, need in zip(d_states, wanted.states, strict=True) if need]
    return [*(g for g in gradients if g is not None), *by_state]


@torch.library.register_fake("gatework::scan_backward")
def _scan_backward_shapes(*arguments: Any) -> list[Tensor]:
    """Tensors of the shapes that `_scan_backward()` gives."""
    _, x, _, weights, states, *_, needs = arguments
    tensors = (x, *weights, *states)
    return [t.new_empty(t.shape) for t, need in zip(tensors, needs, strict=True) if need]


def _by_slot(scan: Scan, flags: Sequence[bool]) -> Slots[bool]:
    """Flags of x, the weights that are there and the states, by their names; false where nothing is there."""
    given = iter(flags)
    slots = scan.slots
    fixed = [t is not None and next(given) for t in (slots.x, *slots.weights)]
    return Slots.of([*fixed, *[False] * len(slots.norms), *given])


def _keep(ctx: Any, inputs: tuple[Any, ...], output: tuple[Any, ...]) -> None:
    cell, x, names, weights, states, batch_sizes, reverse, _ = inputs
    out, _, saved = output
    ctx.set_materialize_grads(False)
    ctx.cell, ctx.names, ctx.reverse = cell, names, reverse
    ctx.save_for_backward(x, *weights, *states, batch_sizes, out, saved)


def _differentiate(ctx: Any, d_output: Tensor | None, d_finals: list[Tensor | None], _: Any) -> tuple[Any, ...]:
    """The derivative of `gatework::scan`: for each of its arguments a gradient of the argument's shape, or None."""
    x, *rest, batch_sizes, output, saved = ctx.saved_tensors  # once only: checkpointing computes them at each access
    count = weight_count(ctx.names)
    weights, states = rest[:count], rest[count:]
    _, x_need, _, weight_needs, state_needs, *_ = ctx.needs_input_grad
    needs = [bool(n) for n in (x_need, *_listed(weight_needs, count), *_listed(state_needs, len(states)))]
    ends: list[Tensor] = []
    if any(d is not None for d in d_finals):
        ends = [torch.zeros_like(s) if d is None else d for s, d in zip(states, d_finals, strict=True)]
    scan = (ctx.cell, x, ctx.names, weights, states, batch_sizes, ctx.reverse)
    if double_backward.is_transformed((d_output, *d_finals)):
        d_x, *d_rest = _reference_gradients(scan, needs, d_output, d_finals)
    else:
        gradients = iter(torch.ops.gatework.scan_backward(*scan, d_output, ends, output, saved, needs))
        d_x, *d_rest = [next(gradients) if need else None for need in needs]
    return None, d_x, None, d_rest[:count], d_rest[count:], None, None, None


def _reference_gradients(
    parts: tuple[Any, ...], needs: Sequence[bool], d_output: Tensor | None, d_finals: Sequence[Tensor | None]
) -> list[Tensor | None]:
    """As `scan_backward` of what `packed()` gives, for each of its tensors, by operations that know transforms.

    Args:
        parts: The arguments of `unpacked()`.
        needs: Which of x, the weights and the states want a gradient.
        d_output: The derivative for the output, of its shape, None where it is zero.
        d_finals: Those for the final states, likewise.

    Returns:
        A gradient of its tensor's shape for each, None where it is not wanted.
    """
    cell, x, names, weights, states, *rest = parts
    count = weight_count(names)

    def run(inputs: Sequence[Any]) -> list[Tensor]:
        x, *tensors = inputs
        output, finals = double_backward.reference_run(
            unpacked(cell, x, names, tensors[:count], tensors[count:], *rest)
        )
        return [output, *finals]

    return double_backward.differentiable(run, (d_output, *d_finals), (x, *weights, *states), needs)


def _listed(flag: Any, count: int) -> list[bool]:
    return list(flag) if isinstance(flag, (list, tuple)) else [flag] * count


torch.library.register_autograd("gatework::scan", _differentiate, setup_context=_keep)


def _keep_backward(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    cell, x, names, weights, states, batch_sizes, reverse, d_output, d_finals, _, _, needs = inputs
    ctx.set_materialize_grads(False)
    ctx.cell, ctx.names, ctx.reverse, ctx.needs, ctx.final_count = cell, names, reverse, needs, len(d_finals)
    ctx.save_for_backward(d_output, *d_finals, x, *weights, *states, batch_sizes)


def _double_backward(ctx: Any, d_gradients: list[Tensor | None]) -> tuple[Any, ...]:
    """The derivative of `scan_backward`, by differentiating the reference twice, as `_differentiate()` gives it.

    Args:
        ctx: What `_keep_backward()` kept.
        d_gradients: What the gradients that were wanted receive, each of its gradient's shape, or None.
    """
    d_output, *rest, batch_sizes = ctx.saved_tensors
    d_finals, (x, *tensors) = rest[: ctx.final_count], rest[ctx.final_count :]
    count = weight_count(ctx.names)
    scan = unpacked(ctx.cell, x, ctx.names, tensors[:count], tensors[count:], batch_sizes, ctx.reverse)
    needs = _by_slot(scan, ctx.needs).flat()
    received, ends, inputs = double_backward.of_gradients(
        scan.settings, d_output, d_finals, scan.slots, needs, d_gradients
    )
    d_weights = [d for d, t in zip(inputs.weights, scan.weights, strict=True) if t is not None]
    return None, inputs.x, None, d_weights, list(inputs.states), None, None, received, ends, None, None, None


torch.library.register_autograd("gatework::scan_backward", _double_backward, setup_context=_keep_backward)
