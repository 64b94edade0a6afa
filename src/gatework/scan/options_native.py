"""One scan with something around its cell, on the kernels: a node of its own in the graph of derivatives.

Under layer norm the input product is made and normalised by torch for all steps at once, and the kernel takes it in
place of x: what does not recur does not belong into the loop over time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from gatework.cells import CellSpec
from gatework.errors import UsageError
from gatework.scan import double_backward, kernels, native
from gatework.scan.layout import Layout, layout_of
from gatework.scan.native_options import NativeOptions, NormSlots, native_options
from gatework.scan.options import StepOptions, normalised_states
from gatework.scan.scan import Exposed, Scan, ScanWeights, Settings, Slots, all_in_memory, in_memory
from gatework.scan.weights import CheckedStack, CheckedWeights, check_stack, check_states, check_tensor, check_weights


def has_kernel(spec: CellSpec, dtype: torch.dtype, *, is_normalised: bool) -> bool:
    """Whether a kernel takes what acts around this cell."""
    return kernels.has(spec, dtype, _variant(is_normalised))


def has_derivative(scan: Scan) -> bool:
    """Whether the kernels have a scan's derivative: a projected h is not saved as it was before it is clipped."""
    return scan.weights.weight_hr is None or "h" not in scan.options.after.get("clip", {})


def run(scan: Scan) -> tuple[Tensor, tuple[Tensor, ...]]:
    """As `reference.run()`, shapes included."""
    scan = _with_product(scan)
    if not scan.wants_gradient(torch.is_grad_enabled()):
        results = _forward(scan, is_saved=False)
        return results.output, tuple(results.finals)
    output, *finals = _OptionsScan.apply(scan.settings, *scan.slots.flat())
    return output, tuple(finals)


def trace(scan: Scan) -> tuple[Tensor, tuple[Tensor, ...], dict[str, Tensor]]:
    """As `reference.trace()`, shapes included, without derivatives."""
    results = _forward(_with_product(scan), is_saved=False, is_traced=True)
    return results.output, tuple(results.finals), results.named


def check_steps(
    spec: CellSpec, dtype: torch.dtype, width: int, weights: Sequence[ScanWeights], options: Sequence[StepOptions]
) -> CheckedStack:
    """The checked weights for single steps of a stack of layers in one direction; they draw no masks.

    Args:
        spec: The cell.
        dtype: The element type of the input.
        width: The features of the input.
        weights: The weights by layer.
        options: What acts around the cell in each.

    Raises:
        UsageError: A shape, dtype or device does not fit.
    """
    acting = [native_options(spec, o, w.bias_hh, None) for o, w in zip(options, weights, strict=True)]
    stack = check_stack(spec, dtype, width, weights, options=acting)
    for inside, layer in zip(acting, stack.weights, strict=True):
        _check_norms(inside, spec, dtype, layer)
    return stack


@dataclass(slots=True)
class _Results:
    """What a forward pass leaves.

    Attributes:
        output: Shape (time, batch, output), or (rows, output) when packed.
        finals: The final states, `h` of shape (batch, output), the others (batch, hidden).
        named: The named values where it is traced, in the layout of the output.
        saved: What the kernels save of each row, `Kernel.saved_width()` wide; of width 0 where there is no derivative.
        options: What acted around the cell, with what it saves itself.
    """

    output: Tensor
    finals: list[Tensor]
    named: dict[str, Tensor]
    saved: Tensor
    options: NativeOptions


def _variant(is_normalised: bool) -> kernels.Variant:
    return "normalised" if is_normalised else "options"


def _with_product(scan: Scan) -> Scan:
    """The scan as the kernel takes it: under layer norm with the normalised input product in place of x."""
    norms = scan.options.norms
    if norms is None:
        return scan
    weights = scan.weights
    product = scan.options.input_product(scan.x, weights.weight_ih, weights.bias_ih)
    weights = weights._replace(weight_ih=weights.weight_ih.new_empty(len(weights.weight_ih), 0), bias_ih=None)
    options = replace(scan.options, norms=norms._replace(norm_ih=None), has_product=True)
    return scan._replace(x=product, weights=weights, options=options)


def _checked(scan: Scan, inside: NativeOptions) -> tuple[kernels.Kernel, CheckedWeights, Layout]:
    """The kernel, its weights and the rows, once everything agrees."""
    spec, x, has_product = scan.spec, scan.x, scan.options.has_product
    # The bias behind the norm is one of the norms, and the kernel takes the input product in place of x.
    weights = scan.weights._replace(bias_hh=None) if has_product else scan.weights
    checked = check_weights(spec, x.dtype, 0 if has_product else x.shape[-1], weights)
    _check_norms(inside, spec, x.dtype, checked)
    width = len(weights.weight_ih) if has_product else x.shape[-1]
    batch = check_states(scan.states, spec, x.dtype, (), checked)
    kernel = kernels.find(spec.name, x.dtype, _variant(has_product))
    return kernel, checked, layout_of(x, width, batch, scan.batch_sizes)


def _forward(scan: Scan, *, is_saved: bool, is_traced: bool = False) -> _Results:
    scan = scan.settings.scan(Slots.of(all_in_memory(scan.slots.flat())))
    x, states, options = scan.x, scan.states, scan.options
    inside = native_options(scan.spec, options, scan.weights.bias_hh, options.dropped(states[0]))
    kernel, weights, layout = _checked(scan, inside)
    if is_saved and options.has_product:
        widths = (scan.weights.weight_hh.shape[0], kernel.normalised * weights.hidden, 1 + kernel.normalised)
        inside.saved = [x.new_empty((*layout.lead, width)) for width in widths]
    width = kernel.saved_width(weights.hidden, weights.tensors.weight_hr is not None, inside.native())
    saved = x.new_empty((*layout.lead, width if is_saved else 0))
    named = {name: x.new_empty((*layout.lead, weights.hidden)) for name in kernel.names if name != "h" and is_traced}
    output, finals = x.new_empty((*layout.lead, weights.output)), [torch.empty_like(s) for s in states]
    slots = [named.get(name) for name in kernel.names] if is_traced else []
    layer = native.forward_scan(weights, x, output, saved if is_saved else None, reverse=scan.reverse, named=slots)
    native.forward(kernel, layout, states, finals, [layer], inside)
    traced = {name: named.get(name, output) for name in kernel.names} if is_traced else {}
    return _Results(output, finals, traced, saved, inside)


def _check_norms(inside: NativeOptions, spec: CellSpec, dtype: torch.dtype, weights: CheckedWeights) -> None:
    """Check the weights of the layer norm, if there is one, for a scan with these weights.

    Raises:
        UsageError: One is missing, or its shape, dtype or device does not fit.
    """
    if inside.norms is None:
        return
    gates, states = len(spec.recurrent_gates) * weights.hidden, len(normalised_states(spec))
    inputs = len(spec.input_gates) * weights.hidden
    norms = inside.norms
    for name, tensor, shape in (
        ("norm_ih", inside.input_gain, (inputs,)),
        ("norm_hh", norms.gain, (gates,)),
        ("bias_hh", norms.bias, (gates,)),
        ("norm_state", norms.state_gain, (states, weights.hidden)),
        ("norm_state_bias", norms.state_bias, (states, weights.hidden)),
    ):
        if tensor is not None:
            check_tensor(name, tensor, shape, dtype)
        elif shape[0] and name not in ("norm_ih", "bias_hh"):
            raise UsageError(f"scan: {name} is missing, expected shape {shape}")


class _OptionsScan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, settings: Settings, *tensors: Any) -> tuple[Tensor, ...]:
        is_saved = any(ctx.needs_input_grad)
        results = _forward(settings.scan(Slots.of(tensors)), is_saved=is_saved)
        ctx.set_materialize_grads(False)
        ctx.settings = settings
        if is_saved:
            inside = results.options
            ctx.output = Exposed(results.output)
            ctx.save_for_backward(*tensors, inside.mask, *inside.saved, results.saved)
        return results.output, *results.finals

    @staticmethod
    def backward(ctx: Any, d_output: Tensor | None, *d_finals: Tensor | None) -> tuple[Any, ...]:
        needs = ctx.needs_input_grad[1:]
        kept = ctx.saved_tensors  # once only: checkpointing computes them at each access
        tensors, (mask, *inner, saved) = kept[: len(needs)], kept[len(needs) :]
        if double_backward.is_asked((d_output, *d_finals)):
            return None, *double_backward.through_reference(ctx.settings, tensors, needs, d_output, d_finals)
        scan = ctx.settings.scan(Slots.of(all_in_memory(tensors)))
        inside = native_options(scan.spec, scan.options, scan.weights.bias_hh, mask)
        inside.saved = inner
        output = ctx.output.as_given()
        if output is None:
            output = _forward(scan, is_saved=False).output
        gradients = _backward(scan, inside, Slots.of(needs), d_output, d_finals, output, saved).flat()
        return None, *(g if need else None for g, need in zip(gradients, needs, strict=True))


def _backward(
    scan: Scan,
    inside: NativeOptions,
    needs: Slots[bool],
    d_output: Tensor | None,
    d_finals: Sequence[Tensor | None],
    output: Tensor,
    saved: Tensor,
) -> Slots[Tensor | None]:
    """The gradients of a scan's tensors, each of its tensor's shape, from what its forward pass left.

    Args:
        scan: The scan, with the input product in place of x under layer norm.
        inside: What acted around its cell.
        needs: Which gradients are wanted.
        d_output: The derivative for the output, of its shape, None where it is zero.
        d_finals: Those for the final states, likewise.
        output: As in `_Results`.
        saved: As in `_Results`.
    """
    if inside.norms is not None:
        wanted = (needs.norm_hh, needs.bias_hh, needs.norm_state, needs.norm_state_bias)
        inside.gradients = NormSlots(*native.wanted(inside.norms, wanted))
    kernel, weights, layout = _checked(scan, inside)
    d_states = [torch.empty_like(s) for s in scan.states]
    d_tensors = native.gradients(scan.x, weights, needs)
    d_output = None if d_output is None else in_memory(d_output)
    layer = native.Backward(weights, scan.x, d_output, output, saved, d_tensors, reverse=scan.reverse)
    native.backward(kernel, layout, all_in_memory(d_finals), scan.states, d_states, [layer], inside)
    d_norms = inside.gradients
    slots = Slots.of([*d_tensors, None, d_norms.gain, d_norms.state_gain, d_norms.state_bias, *d_states])
    return slots if inside.norms is None else slots._replace(bias_hh=d_norms.bias)
