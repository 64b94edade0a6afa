"""The one door from the layers to what computes them: a scan of one layer in one direction.

Tensors on the CPU in float32, float64 or bfloat16 go to the native kernels, as the operators `gatework::scan` and
`gatework::scan_backward`; everything else goes to the reference. So do derivatives of the derivative.

With an input in bfloat16 the factors of every product are rounded to it, and so is the output. Weights and states may
be bfloat16 or float32: inside they are float32, as are all sums, states and gradients of weights. With something around
the cell the kernels for float32 compute: no factor is rounded but x, and the weights where they are bfloat16.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor

from gatework.cells import REGISTRY, CellSpec
from gatework.scan import double_backward, kernels, native, options_native, reference
from gatework.scan.layout import Layout, layout_of
from gatework.scan.options import PLAIN, Norms, StepOptions
from gatework.scan.reference import ScanWeights
from gatework.scan.weights import CheckedWeights, check_states, check_weights

__all__ = ["ScanWeights", "has_kernel", "scan", "trace"]

WEIGHTS = "Tensor weight_ih, Tensor weight_hh, Tensor? bias_ih, Tensor? bias_hh, Tensor? weight_hr, Tensor? weight_unit"
LAYOUT = "Tensor[] states, Tensor? batch_sizes, bool reverse"
torch.library.define(
    "gatework::scan",
    f"(str cell, Tensor x, {WEIGHTS}, {LAYOUT}, bool is_kept) -> (Tensor output, Tensor[] finals, Tensor kept)",
)
torch.library.define(
    "gatework::scan_backward",
    f"(str cell, Tensor? d_output, Tensor[] d_finals, Tensor x, {WEIGHTS}, {LAYOUT}, Tensor output, Tensor kept, "
    "bool[] needs) -> Tensor[]",
)


def has_kernel(spec: CellSpec, weight: Tensor, around: StepOptions = PLAIN) -> bool:
    """Whether a native kernel computes this cell for tensors with the device and dtype of `weight`."""
    if weight.device.type != "cpu":
        return False
    if around.is_plain:
        return kernels.has(spec, weight.dtype)
    dtype = kernels.COMPUTED.get(weight.dtype)
    return dtype is not None and options_native.has_kernel(spec, dtype, is_normalised=around.norms is not None)


def scan(
    spec: CellSpec,
    x: Tensor,
    weights: ScanWeights,
    states: Sequence[Tensor],
    *,
    batch_sizes: Tensor | None = None,
    reverse: bool = False,
    around: StepOptions = PLAIN,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Run a cell over a batch of sequences; see `gatework.scan.reference.scan` for shapes.

    Raises:
        UsageError: A shape, dtype or device does not fit.
    """
    if not has_kernel(spec, x, around):
        return reference.scan(spec, x, weights, states, batch_sizes=batch_sizes, reverse=reverse, around=around)
    given = states
    w, states = as_computed(x, weights), [computed(state, x) for state in given]
    if not around.is_plain:
        around, wide = around_as_computed(x, around), x.to(kernels.COMPUTED[x.dtype])
        output, finals = options_native.scan(spec, wide, w, states, around, batch_sizes=batch_sizes, reverse=reverse)
        return output.to(x.dtype), _as_given(finals, given)
    tensors = (x, w.weight_ih, w.weight_hh, w.bias_ih, w.bias_hh, w.weight_hr, w.weight_unit)
    is_kept = torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in (*tensors, *states))
    output, finals, _ = torch.ops.gatework.scan(spec.name, *tensors, list(states), batch_sizes, reverse, is_kept)
    return output, _as_given(finals, given)


def computed(tensor: Tensor, x: Tensor) -> Tensor:
    """A weight or a state of the element type of `x` in the one that the kernels for `x` compute in."""
    return tensor.to(kernels.COMPUTED[x.dtype]) if tensor.dtype == x.dtype else tensor


def as_computed(x: Tensor, weights: ScanWeights) -> ScanWeights:
    """As `computed()` for all weights."""
    if x.dtype == kernels.COMPUTED[x.dtype]:
        return weights
    return ScanWeights(*[None if t is None else computed(t, x) for t in weights])  # type: ignore[arg-type]


def around_as_computed(x: Tensor, around: StepOptions) -> StepOptions:
    """As `computed()` for the weights of the layer norm."""
    if around.norms is None or x.dtype == kernels.COMPUTED[x.dtype]:
        return around
    norms = {f.name: getattr(around.norms, f.name) for f in fields(Norms)}
    return replace(around, norms=Norms(**{k: None if t is None else computed(t, x) for k, t in norms.items()}))


def _as_given(finals: Sequence[Tensor], states: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The final states, each of the element type of the state that was given."""
    return tuple([final.to(state.dtype) for final, state in zip(finals, states, strict=True)])


def trace(
    spec: CellSpec,
    x: Tensor,
    weights: ScanWeights,
    states: Sequence[Tensor],
    *,
    batch_sizes: Tensor | None = None,
    reverse: bool = False,
    around: StepOptions = PLAIN,
) -> tuple[Tensor, tuple[Tensor, ...], dict[str, Tensor]]:
    """As `scan()`, with every gate and state by name, in the layout of `x`; see `gatework.scan.reference.trace`.

    Where a derivative may be asked for, the reference computes it.
    """
    if not has_kernel(spec, x, around):
        return reference.trace(spec, x, weights, states, batch_sizes=batch_sizes, reverse=reverse, around=around)
    w, dtype, given = as_computed(x, weights), x.dtype, states
    states, around = [computed(state, x) for state in given], around_as_computed(x, around)
    tensors = (x, w.weight_ih, w.weight_hh, w.bias_ih, w.bias_hh, w.weight_hr, w.weight_unit, *states)
    if torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors):
        x = x.to(kernels.COMPUTED[dtype])
        found = reference.trace(spec, x, w, states, batch_sizes=batch_sizes, reverse=reverse, around=around)
    elif not around.is_plain:
        x = x.to(kernels.COMPUTED[dtype])
        found = options_native.trace(spec, x, w, states, around, batch_sizes=batch_sizes, reverse=reverse)
    else:
        found = _trace(spec, x, w, states, batch_sizes, reverse)
    output, finals, named = found
    return output.to(dtype), _as_given(finals, given), {name: value.to(dtype) for name, value in named.items()}


def _trace(
    spec: CellSpec,
    x: Tensor,
    weights: ScanWeights,
    states: Sequence[Tensor],
    batch_sizes: Tensor | None,
    reverse: bool,
) -> tuple[Tensor, tuple[Tensor, ...], dict[str, Tensor]]:
    """As `trace()` with the kernels, in what they compute in."""
    own, states, layout = _checked(spec, x, weights, states, batch_sizes)
    kernel, x = kernels.find(spec.name, x.dtype), x.contiguous()
    output, finals = x.new_empty((*layout.lead, own.output)), [torch.empty_like(s) for s in states]
    like = weights.weight_ih
    named = {name: like.new_empty((*layout.lead, own.hidden)) for name in kernel.names if name != "h"}
    slots = [named.get(name) for name in kernel.names]
    run = native.forward_scan(own, x, output, None, reverse=reverse, named=slots)
    native.forward(kernel, layout, states, finals, [run])
    return output, tuple(finals), {name: named.get(name, output) for name in kernel.names}


@torch.library.impl("gatework::scan", "CPU")
def _scan(
    cell: str,
    x: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None,
    bias_hh: Tensor | None,
    weight_hr: Tensor | None,
    weight_unit: Tensor | None,
    states: list[Tensor],
    batch_sizes: Tensor | None,
    reverse: bool,
    is_kept: bool,
) -> tuple[Tensor, list[Tensor], Tensor]:
    weights = ScanWeights(weight_ih, weight_hh, bias_ih, bias_hh, weight_hr, weight_unit)
    own, states, layout = _checked(REGISTRY[cell], x, weights, states, batch_sizes)
    kernel, x = kernels.find(cell, x.dtype), x.contiguous()
    output, finals = x.new_empty((*layout.lead, own.output)), [torch.empty_like(s) for s in states]
    kept = weight_ih.new_empty((*layout.lead, kernel.kept_width(own.hidden, weight_hr is not None) if is_kept else 0))
    run = native.forward_scan(own, x, output, kept if is_kept else None, reverse=reverse)
    native.forward(kernel, layout, states, finals, [run])
    return output, finals, kept


@torch.library.register_fake("gatework::scan")
def _fake_scan(
    cell: str,
    x: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None,
    bias_hh: Tensor | None,
    weight_hr: Tensor | None,
    weight_unit: Tensor | None,
    states: list[Tensor],
    batch_sizes: Tensor | None,
    reverse: bool,
    is_kept: bool,
) -> tuple[Tensor, list[Tensor], Tensor]:
    hidden, output = weight_ih.shape[0] // len(REGISTRY[cell].input_gates), weight_hh.shape[1]
    width = kernels.find(cell, x.dtype).kept_width(hidden, weight_hr is not None) if is_kept else 0
    kept = weight_ih.new_empty((*x.shape[:-1], width))
    return x.new_empty((*x.shape[:-1], output)), [s.new_empty(s.shape) for s in states], kept


@torch.library.impl("gatework::scan_backward", "CPU")
def _scan_backward(
    cell: str,
    d_output: Tensor | None,
    d_finals: list[Tensor],
    x: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None,
    bias_hh: Tensor | None,
    weight_hr: Tensor | None,
    weight_unit: Tensor | None,
    states: list[Tensor],
    batch_sizes: Tensor | None,
    reverse: bool,
    output: Tensor,
    kept: Tensor,
    needs: list[bool],
) -> list[Tensor]:
    weights = ScanWeights(weight_ih, weight_hh, bias_ih, bias_hh, weight_hr, weight_unit)
    own, states, layout = _checked(REGISTRY[cell], x, weights, states, batch_sizes)
    kernel, x = kernels.find(cell, x.dtype), x.contiguous()
    d_output = None if d_output is None else d_output.contiguous()
    d_states = [torch.empty_like(s) for s in states]
    found = native.gradients((x, *own.tensors), needs[: 1 + len(weights)])
    run = native.Backward(own, x, d_output, output.contiguous(), kept.contiguous(), found, reverse=reverse)
    native.backward(kernel, layout, [t.contiguous() for t in d_finals], states, d_states, [run])
    found += d_states
    return [g for g, need in zip(found, needs, strict=True) if need and g is not None]


@torch.library.register_fake("gatework::scan_backward")
def _fake_scan_backward(
    cell: str,
    d_output: Tensor | None,
    d_finals: list[Tensor],
    x: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None,
    bias_hh: Tensor | None,
    weight_hr: Tensor | None,
    weight_unit: Tensor | None,
    states: list[Tensor],
    batch_sizes: Tensor | None,
    reverse: bool,
    output: Tensor,
    kept: Tensor,
    needs: list[bool],
) -> list[Tensor]:
    inputs = (x, weight_ih, weight_hh, bias_ih, bias_hh, weight_hr, weight_unit, *states)
    return [t.new_empty(t.shape) for t, need in zip(inputs, needs, strict=True) if need and t is not None]


def _checked(
    spec: CellSpec, x: Tensor, weights: ScanWeights, states: Sequence[Tensor], batch_sizes: Tensor | None
) -> tuple[CheckedWeights, list[Tensor], Layout]:
    """The weights, the states and the rows, once everything agrees."""
    width = x.shape[-1] if x.dim() else -1
    own = check_weights(spec, x.dtype, width, weights)
    batch = check_states(states, spec, x.dtype, (), own)
    return own, [s.contiguous() for s in states], layout_of(x, width, batch, batch_sizes)


def _setup(ctx: Any, inputs: tuple[Any, ...], output: tuple[Any, ...]) -> None:
    cell, x, *weights, states, batch_sizes, reverse, _ = inputs
    out, _, kept = output
    ctx.set_materialize_grads(False)
    ctx.cell, ctx.reverse, ctx.state_count = cell, reverse, len(states)
    ctx.save_for_backward(x, *weights, *states, batch_sizes, out, kept)


def _backward(ctx: Any, d_output: Tensor | None, d_finals: list[Tensor | None], _: Any) -> tuple[Any, ...]:
    count = 7 + ctx.state_count
    saved = ctx.saved_tensors  # once only: checkpointing computes them again at each access
    inputs, (batch_sizes, output, kept) = saved[:count], saved[count:]
    flags = ctx.needs_input_grad
    needs = [bool(flag) for flag in (*flags[1:8], *_listed(flags[8], ctx.state_count))]
    finals: list[Tensor] = []
    if any(d is not None for d in d_finals):
        finals = [torch.zeros_like(s) if d is None else d for s, d in zip(inputs[7:], d_finals, strict=True)]
    found = iter(
        torch.ops.gatework.scan_backward(
            ctx.cell, d_output, finals, *inputs[:7], list(inputs[7:]), batch_sizes, ctx.reverse, output, kept, needs
        )
    )
    first = [next(found) if need else None for need in needs]
    return None, *first[:7], first[7:], None, None, None


def _listed(flag: Any, count: int) -> list[bool]:
    return list(flag) if isinstance(flag, (list, tuple)) else [flag] * count


torch.library.register_autograd("gatework::scan", _backward, setup_context=_setup)


def _setup_backward(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    cell, d_output, d_finals, x, *weights, states, batch_sizes, reverse, _, _, needs = inputs
    ctx.set_materialize_grads(False)
    ctx.cell, ctx.reverse, ctx.needs, ctx.counts = cell, reverse, needs, (len(d_finals), len(states))
    ctx.save_for_backward(d_output, *d_finals, x, *weights, *states, batch_sizes)


def _double_backward(ctx: Any, d_gradients: list[Tensor | None]) -> tuple[Any, ...]:
    """The derivative of `scan_backward`, by differentiating the reference twice."""
    finals, states = ctx.counts
    d_output, *rest = ctx.saved_tensors
    d_finals, inputs, batch_sizes = rest[:finals], rest[finals : finals + 7 + states], rest[-1]
    found = double_backward.of_gradients(
        REGISTRY[ctx.cell], d_output, d_finals, inputs, batch_sizes, ctx.reverse, ctx.needs, d_gradients
    )
    d_inputs = found[1 + finals :]
    return (None, found[0], found[1 : 1 + finals], *d_inputs[:7], d_inputs[7:], None, None, None, None, None)


torch.library.register_autograd("gatework::scan_backward", _double_backward, setup_context=_setup_backward)
