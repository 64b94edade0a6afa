"""Calls of the native kernels with checked tensors.

Every tensor is checked here before its address crosses; `_native` itself trusts what it is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from operator import is_
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from gatework import _kernels, _native
from gatework._kernels import COMPUTED
from gatework._reference import ScanWeights
from gatework.cells import CellSpec
from gatework.errors import UsageError

if TYPE_CHECKING:
    from gatework._surrounded import NativeAround


def _given(tensors: Sequence[Tensor | None]) -> tuple[Tensor, ...]:
    return tuple([t for t in tensors if t is not None and t.numel()])


class Layout(NamedTuple):
    """The rows of a sequence batch, checked.

    Attributes:
        steps: The number of time steps.
        batch: The number of sequences.
        lead: The leading dimensions of a sequence tensor: (time, batch), or (rows,) when packed.
        batch_sizes: The sequences running at each step when packed, int64 and contiguous.
        offsets: The first row of each step when packed.
    """

    steps: int
    batch: int
    lead: tuple[int, ...]
    batch_sizes: Tensor | None = None
    offsets: Tensor | None = None

    def sizes(self) -> tuple[int, ...]:
        """What the native side takes."""
        return self.steps, self.batch, address(self.batch_sizes), address(self.offsets)


def layout_of(x: Tensor, width: int, batch: int, batch_sizes: Tensor | None) -> Layout:
    """The layout of a sequence tensor with `width` features.

    Raises:
        UsageError: `x` has another shape or device, or `batch_sizes` does not describe its rows.
    """
    shape = x.shape
    if not x.is_cpu or not shape or shape[-1] != width:
        raise UsageError(f"scan: x has shape {tuple(shape)} on {x.device}, expected {width} features on the CPU")
    if batch_sizes is None:
        if len(shape) != 3 or shape[1] != batch:
            raise UsageError(f"scan: x has shape {tuple(shape)}, expected (time, {batch}, {width})")
        return Layout(shape[0], batch, shape[:2])
    if (
        len(shape) != 2
        or batch_sizes.dim() != 1
        or batch_sizes.dtype != torch.int64
        or not batch_sizes.device.type == "cpu"
    ):
        raise UsageError("scan: a packed x has shape (rows, input) and batch_sizes is int64 on the CPU, shape (time,)")
    sizes = batch_sizes.contiguous()
    ends = sizes.cumsum(0)
    counts = sizes.tolist()
    is_decreasing = all(a >= b for a, b in zip([batch, *counts], [*counts, 0], strict=True))
    if not is_decreasing or sum(counts) != shape[0]:
        raise UsageError(
            f"scan: batch_sizes must not grow, start at {batch} or less and add up to the {shape[0]} rows of x"
        )
    return Layout(len(counts), batch, (shape[0],), sizes, ends - sizes)


class Weights(NamedTuple):
    """The weights of one scan: checked, each in one piece of memory.

    Attributes:
        tensors: The weights.
        hidden: The hidden size.
        output: The output size.
        parts: What the native side takes: the sizes of the input, the hidden state and the output, and addresses.
    """

    tensors: ScanWeights
    hidden: int
    output: int
    parts: tuple[int, ...]


def checked(spec: CellSpec, dtype: torch.dtype, width: int, weights: ScanWeights) -> Weights:
    """The weights for an input of `width` features of `dtype`, once all agree.

    The weights have the element type that the kernels for `dtype` compute in, see `_kernels.COMPUTED`.

    Raises:
        UsageError: A shape, dtype or device does not fit.
    """
    inputs, recurrent = len(spec.input_gates), len(spec.recurrent_gates)
    hidden, output = weights.weight_ih.shape[0] // inputs, weights.weight_hh.shape[-1]
    if dtype not in COMPUTED:
        raise UsageError(f"scan: x is {dtype}, expected float32, float64 or bfloat16")
    dtype = COMPUTED[dtype]
    shapes = (
        (inputs * hidden, width),
        (recurrent * hidden, output),
        (inputs * hidden,),
        (recurrent * hidden,),
        (output, hidden),
        (len(spec.unit_weights), hidden),
    )
    for name, tensor, shape in zip(ScanWeights._fields, weights, shapes, strict=True):
        if tensor is not None:
            check(name, tensor, shape, dtype)
    if weights.weight_unit is None and spec.unit_weights:
        raise UsageError(f"scan: weight_unit is missing, expected shape ({len(spec.unit_weights)}, {hidden})")
    if weights.weight_hr is None and output != hidden:
        raise UsageError(f"scan: weight_hh has {output} columns, expected {hidden} without a projection")
    weights = weights.contiguous()
    return Weights(weights, hidden, output, (width, hidden, output, *map(address, weights)))


class Plan(NamedTuple):
    """The checked weights of a stack of layers, the directions of each side by side; it holds while they stay.

    Attributes:
        spec: The cell.
        dtype: The element type of the input.
        directions: 1, or 2.
        weights: The weights by layer, then direction.
        flat: The same as they were given, all fields of ScanWeights of each.
        given: The same without those that are not there or have no elements, then those of the norms.
        slots: The place in `flat` of each of the weights in `given`.
        whole: These weights, each in one piece of memory.
        addresses: Where they are.
        isa: The instruction set in use.
        kernel: The kernels that take it.
        kept: How many values of each row a forward pass keeps for the backward pass, with nothing around the cell.
        arounds: What acts around the cell at a single step of each layer, 0 where nothing does.
    """

    spec: CellSpec
    dtype: torch.dtype
    directions: int
    weights: tuple[Weights, ...]
    flat: tuple[Tensor | None, ...]
    given: tuple[Tensor, ...]
    slots: tuple[int, ...]
    whole: tuple[Tensor, ...]
    addresses: tuple[int, ...]
    isa: str
    kernel: _kernels.Kernel
    kept: int
    arounds: tuple[_native.Around | int, ...]

    def holds(self, weights: Iterable[Tensor | None]) -> bool:
        """Whether these are the weights, each in the memory that was checked, and the kernels those in use."""
        # All in C, as this is asked at every step of a stream.
        return (
            all(map(is_, self.given, weights))
            and self.addresses == (*map(Tensor.data_ptr, self.given),)
            and self.given[0].dtype == COMPUTED[self.dtype]
            and self.isa == _kernels.active_isa()
        )

    def reads(self, weights: Sequence[Tensor]) -> bool:
        """Whether the weights, in the order of `given`, lie in the memory that was checked."""
        return self.addresses == (*map(Tensor.data_ptr, weights),)

    def rows(self, x: Tensor) -> Layout | None:
        """The rows of a padded batch, (time, batch, input), where it fits; else None."""
        shape = x.shape
        if shape[2] != self.weights[0].parts[0] or x.dtype is not self.dtype or not x.is_cpu:
            return None
        return Layout(shape[0], shape[1], shape[:2])

    def takes(self, states: Sequence[Tensor], batch: int) -> bool:
        """Whether the states of that many sequences are plain tensors that fit."""
        weights, dtype = self.weights, COMPUTED[self.dtype]
        width = weights[0].output
        for state in states:
            if type(state) is not Tensor or state.shape != (len(weights), batch, width):
                return False
            if state.dtype is not dtype or not state.is_cpu:
                return False
            width = weights[0].hidden
        return len(states) == len(self.spec.states)


def plan(
    spec: CellSpec,
    dtype: torch.dtype,
    width: int,
    weights: Sequence[ScanWeights],
    directions: int = 1,
    arounds: Sequence[NativeAround] = (),
) -> Plan:
    """The plan for a stack of layers; with something around the cell for single steps alone.

    Args:
        spec: The cell.
        dtype: The element type of the input.
        width: The features of the input.
        weights: The weights by layer, then direction.
        directions: 1, or 2.
        arounds: What acts around the cell at a single step of each layer.

    Raises:
        UsageError: A shape, dtype or device does not fit.
    """
    stack: list[Weights] = []
    for place, own in enumerate(weights):
        below = stack[-1].output * directions if place >= directions else width
        stack.append(checked(spec, dtype, below, own))
    flat = tuple(chain.from_iterable(weights))
    given = _given((*flat, *chain.from_iterable(around.gains for around in arounds)))
    variant: _kernels.Variant = "plain"
    if arounds:
        variant = "around" if arounds[0].norms is None else "normalised"
    native = tuple([around.native() for around in arounds]) or (0,) * len(stack)
    slots = tuple([k for k, t in enumerate(flat) if t is not None and t.numel()])
    whole = _given(tuple(chain.from_iterable([own.tensors for own in stack])))
    addresses = tuple([t.data_ptr() for t in given])
    kernel, first = _kernels.find(spec.name, dtype, variant), stack[0]
    kept = kernel.kept_width(first.hidden, first.tensors.weight_hr is not None)
    isa = _kernels.active_isa()
    return Plan(spec, dtype, directions, tuple(stack), flat, given, slots, whole, addresses, isa, kernel, kept, native)


def checked_states(
    states: Sequence[Tensor], spec: CellSpec, dtype: torch.dtype, lead: tuple[int, ...], weights: Weights
) -> int:
    """The batch, once the states of a scan with these weights have the shape (*lead, batch, width).

    Raises:
        UsageError: The number of states, a shape, dtype or device does not fit.
    """
    if len(states) != len(spec.states):
        raise UsageError(f"scan: {len(states)} states, expected {', '.join(spec.states)}")
    dtype = COMPUTED[dtype]
    batch = states[0].shape[-2] if states[0].dim() == len(lead) + 2 else -1
    for place, (name, state) in enumerate(zip(spec.states, states, strict=True)):
        check(f"state {name}", state, (*lead, batch, weights.hidden if place else weights.output), dtype)
    return batch


def check(name: str, tensor: Tensor, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    """Check a tensor that the native side shall have.

    Raises:
        UsageError: Its shape, dtype or device does not fit.
    """
    if tensor.shape != shape:
        raise UsageError(f"scan: {name} has shape {tuple(tensor.shape)}, expected {shape}")
    if tensor.dtype != dtype or not tensor.is_cpu:
        raise UsageError(f"scan: {name} is {tensor.dtype} on {tensor.device}, expected {dtype} on the CPU")


def address(tensor: Tensor | None) -> int:
    """Where a tensor is; 0 where there is none."""
    return 0 if tensor is None else tensor.data_ptr()


def _addresses(tensors: Sequence[Tensor | None]) -> tuple[int, ...]:
    """Where the tensors are, padded to what the native side takes."""
    return (*[0 if t is None else t.data_ptr() for t in tensors], *(0,) * (_native.MAX_STATES - len(tensors)))


_NO_NORMS = (0,) * 4
# One scan of the forward pass, in the form of the native side.
ForwardScan = tuple[int, bool, tuple[int, ...], int, int, int, Sequence[int]]


def forward_scan(
    weights: Weights,
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

    weights: Weights
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
    kernel: _kernels.Kernel,
    layout: Layout,
    initial: Sequence[Tensor],
    finals: Sequence[Tensor],
    scans: Sequence[ForwardScan],
    around: NativeAround | None = None,
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
    kernel: _kernels.Kernel,
    layout: Layout,
    d_finals: Sequence[Tensor | None],
    initial: Sequence[Tensor],
    d_initial: Sequence[Tensor | None],
    scans: Sequence[Backward],
    around: NativeAround | None = None,
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
