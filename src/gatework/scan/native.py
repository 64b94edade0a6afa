"""Calls of the native kernels with checked tensors; `_native` itself trusts what it is given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from gatework import _native
from gatework.scan import kernels
from gatework.scan.layout import Layout
from gatework.scan.native_options import NativeOptions
from gatework.scan.records import (
    BackwardRecord,
    ForwardRecord,
    GradientRecord,
    NormGradientRecord,
    address,
    state_addresses,
)
from gatework.scan.scan import Slots
from gatework.scan.weights import CheckedWeights

_NO_NORMS = NormGradientRecord(0, 0, 0, 0)


def forward_scan(
    weights: CheckedWeights,
    x: Tensor,
    output: Tensor,
    saved: Tensor | None,
    place: int = 0,
    reverse: bool = False,
    named: Sequence[Tensor | None] = (),
) -> ForwardRecord:
    """One scan, in contiguous, checked tensors, which must stay until it has run.

    Args:
        weights: The weights.
        x: The input, shape (time, batch, input), or (rows, input) when packed.
        output: Where the output shall be, shape (time, batch, output) or (rows, output).
        saved: Where to save what the backward pass needs, (rows, `Kernel.saved_width()`); None where there is none.
        place: Which layer and direction of the states this is.
        reverse: Whether sequences run backwards.
        named: Tensors for the trace, in the order of the kernel's names, each as wide as the hidden size.
    """
    trace = [address(t) for t in named] if named else ()
    return ForwardRecord(place, reverse, weights.record, x.data_ptr(), output.data_ptr(), address(saved), trace)


class Gradients(NamedTuple):
    """Where the gradients of a scan's input and weights shall be, each of its tensor's shape, None where not wanted."""

    x: Tensor | None
    weight_ih: Tensor | None
    weight_hh: Tensor | None
    bias_ih: Tensor | None
    bias_hh: Tensor | None
    weight_hr: Tensor | None
    weight_unit: Tensor | None


class Backward(NamedTuple):
    """The derivative of one scan, in contiguous, checked tensors.

    Attributes:
        weights: The weights.
        x: The input, shape (time, batch, input), or (rows, input) when packed.
        d_output: The derivative for the output, of its shape, None where it is zero.
        output: The output of the forward pass, shape (time, batch, output) or (rows, output).
        saved: What the forward pass saved, (rows, `Kernel.saved_width()`).
        gradients: Where the gradients of x and the weights shall be.
        place: Which layer and direction of the states this is.
        reverse: Whether sequences run backwards.
    """

    weights: CheckedWeights
    x: Tensor
    d_output: Tensor | None
    output: Tensor
    saved: Tensor
    gradients: Gradients
    place: int = 0
    reverse: bool = False


def wanted(tensors: Iterable[Tensor | None], needs: Iterable[bool]) -> list[Tensor | None]:
    """New tensors for the gradients that are wanted, each of its tensor's shape, None where one is not."""
    return [torch.empty_like(t) if n and t is not None else None for t, n in zip(tensors, needs, strict=True)]


def gradients(x: Tensor, weights: CheckedWeights, needs: Slots[bool]) -> Gradients:
    """New tensors for those of x and the weights, each of its tensor's shape, None where one is not wanted."""
    return Gradients(*wanted((x, *weights.tensors), (needs.x, *needs.weights)))


def forward(
    kernel: kernels.Kernel,
    layout: Layout,
    initial: Sequence[Tensor],
    finals: Sequence[Tensor],
    scans: Sequence[ForwardRecord],
    options: NativeOptions | None = None,
) -> None:
    """Run scans one after the other: fills their outputs, what they save, and the final states.

    Args:
        kernel: The kernels of the cell.
        layout: The rows of every scan.
        initial: The initial states, each (scans, batch, width).
        finals: Where the final states shall be, likewise.
        scans: The scans; the input of one may be the output of one before.
        options: What acts around the cell, for kernels that take it.
    """
    status = _native.forward(
        kernel.address, torch.get_num_threads(), layout.record, state_addresses(initial), state_addresses(finals),
        scans, options.native() if options else 0,
    )  # fmt: skip
    finish(status)


def backward(
    kernel: kernels.Kernel,
    layout: Layout,
    d_finals: Sequence[Tensor | None],
    initial: Sequence[Tensor],
    d_initial: Sequence[Tensor | None],
    scans: Sequence[Backward],
    options: NativeOptions | None = None,
) -> None:
    """The derivatives of scans, the last first: fills their gradients and those of the initial states.

    Args:
        kernel: The kernels of the cell.
        layout: The rows of every scan.
        d_finals: The derivatives for the final states, each (scans, batch, width), None where they are zero.
        initial: The initial states, likewise.
        d_initial: Where their gradients shall be, None where one is not wanted.
        scans: The derivatives; what one gives for its input may be what the next is given for its output, and is then
            nobody else's to read.
        options: What acts around the cell, as the forward pass left it; receives the gradients of its norms.
    """
    projected: list[tuple[Backward, Tensor]] = []
    records = []
    for scan in scans:
        d_projected = None
        if scan.weights.tensors.weight_hr is not None:
            d_projected = torch.empty_like(scan.output)
            projected.append((scan, d_projected))
        records.append(
            BackwardRecord(
                scan.place, scan.reverse, scan.weights.record, scan.x.data_ptr(), address(scan.d_output),
                scan.output.data_ptr(), scan.saved.data_ptr(), address(d_projected),
                GradientRecord(*[0 if t is None else t.data_ptr() for t in scan.gradients]),
            )
        )  # fmt: skip
    status = _native.backward(
        kernel.address, torch.get_num_threads(), layout.record, state_addresses(d_finals), state_addresses(initial),
        state_addresses(d_initial), records, options.native() if options else 0,
        NormGradientRecord(*map(address, options.gradients)) if options else _NO_NORMS,
    )  # fmt: skip
    finish(status)
    for scan, d_projected in projected:
        _project_gradient(scan, d_projected)


def _project_gradient(scan: Backward, d_projected: Tensor) -> None:
    """Fills the gradient of the projection, which the native side leaves to a product of torch.

    Args:
        scan: The derivative of the scan.
        d_projected: What the kernels gave for the projected h of every row, of the output's shape.
    """
    if scan.gradients.weight_hr is None:
        return
    saved, hidden, d_h = scan.saved, scan.weights.hidden, d_projected.flatten(0, -2)
    # The last plane is h before its projection.
    h = saved.view(-1, hidden)[saved.numel() // hidden - len(d_h) :]
    torch.mm(d_h.t().to(h.dtype), h, out=scan.gradients.weight_hr)


def finish(status: int) -> None:
    """Raise what a native call's status stands for, if it stands for an error."""
    if status:
        raise MemoryError("gatework: no memory for a scan's scratch space")
