"""Calls of the native kernels with checked tensors; `_native` itself trusts what it is given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from gatework import _native
from gatework.scan import kernels
from gatework.scan.layout import Layout, address
from gatework.scan.weights import CheckedWeights

if TYPE_CHECKING:
    from gatework.scan.options_native import NativeOptions


def _addresses(tensors: Sequence[Tensor | None]) -> tuple[int, ...]:
    """Where the tensors are, padded to what the native side takes."""
    return (*[0 if t is None else t.data_ptr() for t in tensors], *(0,) * (_native.MAX_STATES - len(tensors)))


_NO_NORMS = (0,) * 4
# One scan of the forward pass, in the form of the native side.
ForwardScan = tuple[int, bool, tuple[int, ...], int, int, int, Sequence[int]]


def forward_scan(
    weights: CheckedWeights,
    x: Tensor,
    output: Tensor,
    kept: Tensor | None,
    place: int = 0,
    reverse: bool = False,
    named: Sequence[Tensor | None] = (),
) -> ForwardScan:
    """One scan, in contiguous, checked tensors, which must stay until it has run.

    Args:
        weights: The weights.
        x: The input.
        output: Where the output shall be.
        kept: Where to keep what the backward pass needs, (rows, `Kernel.kept_width()`); None where there is none.
        place: Which layer and direction of the states this is.
        reverse: Whether sequences run backwards.
        named: Tensors for the trace, in the order of the kernel's names.
    """
    slots = [address(t) for t in named] if named else ()
    return place, reverse, weights.parts, x.data_ptr(), output.data_ptr(), address(kept), slots


class Backward(NamedTuple):
    """The derivative of one scan, in contiguous, checked tensors.

    Attributes:
        weights: The weights.
        x: The input.
        d_output: The derivative for the output, None where it is zero.
        output: The output of the forward pass.
        kept: What the forward pass kept.
        found: Where the gradients of x and the weights shall be, None where one is not wanted; see `gradients()`.
        place: Which layer and direction of the states this is.
        reverse: Whether sequences run backwards.
    """

    weights: CheckedWeights
    x: Tensor
    d_output: Tensor | None
    output: Tensor
    kept: Tensor
    found: Sequence[Tensor | None]
    place: int = 0
    reverse: bool = False


def gradients(tensors: Iterable[Tensor | None], needs: Iterable[bool]) -> list[Tensor | None]:
    """New tensors for the gradients that are wanted."""
    return [torch.empty_like(t) if n and t is not None else None for t, n in zip(tensors, needs, strict=True)]


def forward(
    kernel: kernels.Kernel,
    layout: Layout,
    initial: Sequence[Tensor],
    finals: Sequence[Tensor],
    scans: Sequence[ForwardScan],
    around: NativeOptions | None = None,
) -> None:
    """Run scans one after the other: fills their outputs, what they keep, and the final states.

    Args:
        kernel: The kernels of the cell.
        layout: The rows of every scan.
        initial: The initial states, each (scans, batch, width).
        finals: Where the final states shall be.
        scans: The scans; the input of one may be the output of one before.
        around: What acts around the cell, for kernels that take it.
    """
    status = _native.forward(
        kernel.address, torch.get_num_threads(), layout.sizes(), _addresses(initial), _addresses(finals), scans,
        around.native() if around else 0,
    )  # fmt: skip
    finish(status)


def backward(
    kernel: kernels.Kernel,
    layout: Layout,
    d_finals: Sequence[Tensor | None],
    initial: Sequence[Tensor],
    d_initial: Sequence[Tensor | None],
    scans: Sequence[Backward],
    around: NativeOptions | None = None,
) -> None:
    """The derivatives of scans, the last first: fills their gradients and those of the initial states.

    Args:
        kernel: The kernels of the cell.
        layout: The rows of every scan.
        d_finals: The derivatives for the final states, None where they are zero.
        initial: The initial states, each (scans, batch, width).
        d_initial: Where their gradients shall be, None where one is not wanted.
        scans: The derivatives; what one gives for its input may be what the next is given for its output, and is then
            nobody else's to read.
        around: What acts around the cell, as the forward pass left it; receives the gradients of its norms.
    """
    projected = []
    layers = []
    for weights, x, d_output, output, kept, found, place, reverse in scans:
        d_projected = None
        if weights.tensors.weight_hr is not None:
            d_projected = torch.empty_like(output)
            projected.append((weights.hidden, kept, d_projected, found[5]))
        layers.append((
            place, reverse, weights.parts, x.data_ptr(), address(d_output), output.data_ptr(), kept.data_ptr(),
            address(d_projected), [0 if t is None else t.data_ptr() for t in found],
        ))  # fmt: skip
    status = _native.backward(
        kernel.address, torch.get_num_threads(), layout.sizes(), _addresses(d_finals), _addresses(initial),
        _addresses(d_initial), layers, around.native() if around else 0,
        [address(t) for t in around.gradients] if around else _NO_NORMS,
    )  # fmt: skip
    finish(status)
    for hidden, kept, d_projected, d_projection in projected:
        if d_projection is not None:
            d_h = d_projected.flatten(0, -2)
            # The last plane is h before its projection.
            h = kept.view(-1, hidden)[kept.numel() // hidden - len(d_h) :]
            torch.mm(d_h.t().to(h.dtype), h, out=d_projection)


def finish(status: int) -> None:
    """Raise what a native call's status stands for, if it stands for an error."""
    if status:
        raise MemoryError("gatework: no memory for a scan's scratch space")
