"""One scan with something around its cell, on the kernels: a node of the graph of derivatives of its own.

Under layer norm the input product is made and normalised by torch for all steps at once, and the kernel takes it in
place of x: what does not recur does not belong into the loop over time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from gatework import _native
from gatework.cells import CellSpec
from gatework.errors import UsageError
from gatework.scan import counter_rng, double_backward, kernels, native, reference
from gatework.scan.layout import Layout, address, layout_of
from gatework.scan.options import Norms, StepOptions, normalised_states
from gatework.scan.reference import ScanWeights
from gatework.scan.weights import CheckedStack, CheckedWeights, check_stack, check_states, check_tensor, check_weights

# The fields of ScanWeights; the gain of the recurrent product, those of the states, their biases.
_WEIGHTS, _NORMS = 6, 3
_NONE = (None,) * 4


def has_kernel(spec: CellSpec, dtype: torch.dtype, *, is_normalised: bool) -> bool:
    """Whether a kernel takes what acts around this cell."""
    return kernels.has(spec, dtype, _variant(is_normalised))


def scan(
    spec: CellSpec,
    x: Tensor,
    weights: ScanWeights,
    states: Sequence[Tensor],
    around: StepOptions,
    *,
    batch_sizes: Tensor | None = None,
    reverse: bool = False,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """As `reference.scan()`."""
    call, tensors = _prepared(spec, x, weights, states, around, batch_sizes, reverse)
    output, *finals = _OptionsScan.apply(call, *tensors)
    return output, tuple(finals)


def trace(
    spec: CellSpec,
    x: Tensor,
    weights: ScanWeights,
    states: Sequence[Tensor],
    around: StepOptions,
    *,
    batch_sizes: Tensor | None = None,
    reverse: bool = False,
) -> tuple[Tensor, tuple[Tensor, ...], dict[str, Tensor]]:
    """As `reference.trace()`, without derivatives."""
    call, tensors = _prepared(spec, x, weights, states, around, batch_sizes, reverse)
    run = _forward(call, tensors, is_kept=False, is_traced=True)
    return run.output, tuple(run.finals), run.named


def plan(
    spec: CellSpec, dtype: torch.dtype, width: int, weights: Sequence[ScanWeights], arounds: Sequence[StepOptions]
) -> CheckedStack:
    """The plan for single steps of a stack of layers in one direction, see `check_stack()`; they draw no masks.

    Args:
        spec: The cell.
        dtype: The element type of the input.
        width: The features of the input.
        weights: The weights by layer.
        arounds: What acts around the cell in each.

    Raises:
        UsageError: A shape, dtype or device does not fit.
    """
    acting = [_native_options(spec, a, a.norms, w.bias_hh, None) for a, w in zip(arounds, weights, strict=True)]
    made = check_stack(spec, dtype, width, weights, arounds=acting)
    for inside, own in zip(acting, made.weights, strict=True):
        _check_norms(inside, spec, dtype, own)
    return made


@dataclass(slots=True)
class NativeOptions:
    """What acts around the cell in one scan, as the native side takes it; tensors are contiguous.

    Attributes:
        zoneout: By state, the share of units that keep their previous value.
        seeds: By state, the seed of its masks; None where all units take the mean instead.
        clip: How far from 0 the clipped state may be.
        clipped: The place of the clipped state, or -1.
        mask: The factor on the h that the recurrent product sees, (batch, output), or None.
        input_gain: The gain of the input product, for a single step under layer norm.
        norms: The gain and the bias of the recurrent product, those of the normalised states; None without layer norm.
        kept: The normalised recurrent product, the normalised states and the scales, for the backward pass.
        gradients: For each of `norms` its gradient.
    """

    zoneout: tuple[float, ...]
    seeds: tuple[int, ...] | None
    clip: float
    clipped: int
    mask: Tensor | None
    input_gain: Tensor | None
    norms: Sequence[Tensor | None] | None
    kept: Sequence[Tensor | None] = (None,) * 3
    gradients: Sequence[Tensor | None] = _NONE

    @property
    def gains(self) -> tuple[Tensor | None, ...]:
        """The layer norm's own weights, in the order of `Norms`."""
        gain, _, *states = self.norms or _NONE
        return (self.input_gain, gain, *states)

    def native(self) -> _native.Around:
        """The same with addresses; it holds as long as the tensors do."""
        missing = (0,) * (_native.MAX_STATES - len(self.zoneout))
        parts = (self.mask, self.input_gain, *(self.norms or _NONE), *self.kept)
        return _native.around(
            (*self.zoneout, *missing), self.seeds is not None, (*(self.seeds or (0,) * len(self.zoneout)), *missing),
            self.clip, self.clipped, self.norms is not None, tuple(map(address, parts)),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Call:
    """What a scan is given besides tensors that have derivatives; `around` is without its norms."""

    spec: CellSpec
    around: StepOptions
    batch_sizes: Tensor | None
    reverse: bool


@dataclass(slots=True)
class _Run:
    """What a forward pass leaves."""

    output: Tensor
    finals: list[Tensor]
    named: dict[str, Tensor]
    kept: Tensor
    around: NativeOptions


def _variant(is_normalised: bool) -> kernels.Variant:
    return "normalised" if is_normalised else "around"


def _prepared(
    spec: CellSpec,
    x: Tensor,
    weights: ScanWeights,
    states: Sequence[Tensor],
    around: StepOptions,
    batch_sizes: Tensor | None,
    reverse: bool,
) -> tuple[_Call, list[Tensor | None]]:
    """The call and its tensors: x or the input product, the weights, the norms, the states."""
    norms = around.norms
    if norms is None:
        return _Call(spec, around, batch_sizes, reverse), [x, *weights, *(None,) * _NORMS, *states]
    call = _Call(spec, replace(around, norms=None, has_product=True), batch_sizes, reverse)
    product = around.input_product(x, weights.weight_ih, weights.bias_ih)
    rest = weights._replace(weight_ih=weights.weight_ih.new_empty(len(weights.weight_ih), 0), bias_ih=None)
    return call, [product, *rest, norms.norm_hh, norms.norm_state, norms.norm_state_bias, *states]


def _parted(call: _Call, tensors: Sequence[Any]) -> tuple[Tensor, ScanWeights, Norms | None, list[Tensor]]:
    x, *rest = tensors
    norms = Norms(None, *rest[_WEIGHTS : _WEIGHTS + _NORMS]) if call.around.has_product else None
    return x, ScanWeights(*rest[:_WEIGHTS]), norms, list(rest[_WEIGHTS + _NORMS :])


def _checked(
    call: _Call, x: Tensor, weights: ScanWeights, states: Sequence[Tensor], inside: NativeOptions
) -> tuple[kernels.Kernel, CheckedWeights, Layout]:
    """The kernel, its weights and the rows, once everything agrees."""
    spec, has_product = call.spec, call.around.has_product
    # The bias behind the norm is one of the norms, and the kernel takes the input product in place of x.
    own = weights._replace(bias_hh=None) if has_product else weights
    checked = check_weights(spec, x.dtype, 0 if has_product else x.shape[-1], own)
    _check_norms(inside, spec, x.dtype, checked)
    width = len(weights.weight_ih) if has_product else x.shape[-1]
    batch = check_states(states, spec, x.dtype, (), checked)
    kernel = kernels.find(spec.name, x.dtype, _variant(has_product))
    return kernel, checked, layout_of(x, width, batch, call.batch_sizes)


def _forward(call: _Call, tensors: Sequence[Tensor | None], *, is_kept: bool, is_traced: bool = False) -> _Run:
    around = call.around
    x, weights, norms, states = _parted(call, [None if t is None else t.contiguous() for t in tensors])
    inside = _native_options(call.spec, around, norms, weights.bias_hh, around.dropped(states[0]))
    kernel, own, layout = _checked(call, x, weights, states, inside)
    if is_kept and around.has_product:
        gates = weights.weight_hh.shape[0]
        inside.kept = [x.new_empty((*layout.lead, n)) for n in (gates, kernel.normals * own.hidden, 1 + kernel.normals)]
    size = kernel.kept_width(own.hidden, weights.weight_hr is not None, inside.native())
    kept = x.new_empty((*layout.lead, size if is_kept else 0))
    named = {name: x.new_empty((*layout.lead, own.hidden)) for name in kernel.names if name != "h" and is_traced}
    output, finals = x.new_empty((*layout.lead, own.output)), [torch.empty_like(s) for s in states]
    slots = [named.get(name) for name in kernel.names] if is_traced else []
    scan = native.forward_scan(own, x, output, kept if is_kept else None, reverse=call.reverse, named=slots)
    native.forward(kernel, layout, states, finals, [scan], inside)
    traced = {name: named.get(name, output) for name in kernel.names} if is_traced else {}
    return _Run(output, finals, traced, kept, inside)


def _check_norms(around: NativeOptions, spec: CellSpec, dtype: torch.dtype, weights: CheckedWeights) -> None:
    """Check the weights of the layer norm, if there is one, for a scan with these weights.

    Raises:
        UsageError: One is missing, or its shape, dtype or device does not fit.
    """
    if around.norms is None:
        return
    gates, states = len(spec.recurrent_gates) * weights.hidden, len(normalised_states(spec))
    inputs = len(spec.input_gates) * weights.hidden
    gain, bias, state_gain, state_bias = around.norms
    for name, tensor, shape in (
        ("norm_ih", around.input_gain, (inputs,)),
        ("norm_hh", gain, (gates,)),
        ("bias_hh", bias, (gates,)),
        ("norm_state", state_gain, (states, weights.hidden)),
        ("norm_state_bias", state_bias, (states, weights.hidden)),
    ):
        if tensor is not None:
            check_tensor(name, tensor, shape, dtype)
        elif shape[0] and name not in ("norm_ih", "bias_hh"):
            raise UsageError(f"scan: {name} is missing, expected shape {shape}")


def _native_options(
    spec: CellSpec, around: StepOptions, norms: Norms | None, bias_hh: Tensor | None, mask: Tensor | None
) -> NativeOptions:
    """What acts around the cell, as the kernels take it."""
    states, seeds = spec.states, None
    if around.training:
        seeds = tuple(counter_rng.chained(int(around.seed), around.place, number + 1) for number in range(len(states)))
    return NativeOptions(
        tuple(around.zoneout.get(state, 0.0) for state in states),
        seeds,
        around.clip or 0.0,
        -1 if around.clip is None else states.index("c"),
        None if mask is None else mask.contiguous(),
        None if norms is None else norms.norm_ih,
        None if norms is None else (norms.norm_hh, bias_hh, norms.norm_state, norms.norm_state_bias),
    )


class _OptionsScan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, call: _Call, *tensors: Any) -> tuple[Tensor, ...]:
        is_kept = any(ctx.needs_input_grad)
        run = _forward(call, tensors, is_kept=is_kept)
        ctx.set_materialize_grads(False)
        ctx.call = call
        if is_kept:
            ctx.save_for_backward(*tensors, run.output, run.around.mask, *run.around.kept, run.kept)
        return run.output, *run.finals

    @staticmethod
    def backward(ctx: Any, d_output: Tensor | None, *d_finals: Tensor | None) -> tuple[Any, ...]:
        call, needs = ctx.call, ctx.needs_input_grad[1:]
        saved = ctx.saved_tensors
        tensors, (output, mask, normal, normal_state, scale, kept) = saved[: len(needs)], saved[len(needs) :]
        if torch.is_grad_enabled():
            return None, *_differentiable(call, tensors, needs, d_output, d_finals)
        x, weights, norms, states = _parted(call, [None if t is None else t.contiguous() for t in tensors])
        inside = _native_options(call.spec, call.around, norms, weights.bias_hh, mask)
        inside.kept = (normal, normal_state, scale)
        # The bias that is added behind the norm is one of its weights.
        is_norm = [needs[7], needs[4], needs[8], needs[9]]
        given = inside.norms or (None,) * len(is_norm)
        wanted = native.gradients(given, is_norm)
        inside.gradients = wanted
        kernel, own, layout = _checked(call, x, weights, states, inside)
        d_ends = [None if d is None else d.contiguous() for d in d_finals]
        d_states = [torch.empty_like(s) for s in states]
        d_own = None if d_output is None else d_output.contiguous()
        found = native.gradients((x, *own.tensors), needs[:7])
        scan = native.Backward(own, x, d_own, output, kept, found, reverse=call.reverse)
        native.backward(kernel, layout, d_ends, states, d_states, [scan], inside)
        d_gain, d_bias, d_state_gain, d_state_bias = wanted
        if call.around.has_product:
            found[4] = d_bias
        gradients = [*found, d_gain, d_state_gain, d_state_bias, *d_states]
        return None, *(g if need else None for g, need in zip(gradients, needs, strict=True))


def _differentiable(
    call: _Call,
    tensors: Sequence[Tensor | None],
    needs: Sequence[bool],
    d_output: Tensor | None,
    d_finals: Sequence[Tensor | None],
) -> list[Tensor | None]:
    """The gradients where they shall have derivatives themselves: those of the reference."""
    # Views are new ends of the graph: what d_output itself depends on must not be reached through it.
    tensors = [None if t is None else t.view_as(t) for t in tensors]
    x, weights, norms, states = _parted(call, tensors)
    around = replace(call.around, norms=norms)
    output, finals = reference.scan(
        call.spec, x, weights, states, batch_sizes=call.batch_sizes, reverse=call.reverse, around=around
    )
    return double_backward.differentiable((output, *finals), (d_output, *d_finals), tensors, needs)
