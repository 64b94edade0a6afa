"""The native kernels: which instruction set is in use, and calls with checked tensors.

This module and `_ops` are the only ones that know `_native`. Every tensor is checked here before its address crosses.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Literal, NoReturn, get_args

import torch
from torch import Tensor

from gatework import _compiled, _native
from gatework._reference import ScanWeights
from gatework.cells import REGISTRY, Cell, CellSpec
from gatework.errors import UsageError, nearest

# By element type, in the native side's order: what a scan's x and output are, and what all else is.
COMPUTED = {torch.float32: torch.float32, torch.float64: torch.float64, torch.bfloat16: torch.float32}
_ELEMENTS = tuple(COMPUTED)
_NAMES = ("float", "double", "bfloat16")
# What a kernel does at every step besides the cell itself: nothing, masks and clipping, layer norm too.
Variant = Literal["plain", "around", "normalised"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)
_forced: list[str] = []


def supported_isas() -> tuple[str, ...]:
    """The instruction sets that this build has and this processor runs, in ascending order of preference."""
    return tuple(n for k, n in enumerate(_native.ISAS) if _native.is_compiled(k) and _native.is_supported(k))


def active_isa() -> str:
    """The instruction set in use: the best supported one, or what `GATEWORK_ISA` names.

    Raises:
        UsageError: `GATEWORK_ISA` names none, or one that this processor or build does not have.
    """
    return _forced[-1] if _forced else _default_isa()


def multiplies_bfloat16() -> bool:
    """Whether the instruction set in use multiplies bfloat16 numbers itself; else they become float32 first."""
    return active_isa().endswith("_bf16")


@cache
def _default_isa() -> str:
    return _chosen(os.environ.get("GATEWORK_ISA", ""))


def _chosen(wanted: str) -> str:
    usable = supported_isas()
    if not wanted:
        return usable[-1]
    if wanted not in _native.ISAS:
        raise UsageError(f'GATEWORK_ISA="{wanted}" names no instruction set: {nearest(wanted, _native.ISAS)}')
    if wanted not in usable:
        lacking = "build" if not _native.is_compiled(_native.ISAS.index(wanted)) else "processor"
        raise UsageError(f'GATEWORK_ISA="{wanted}": this {lacking} does not have it; it has {", ".join(usable)}')
    return wanted


@contextmanager
def use_isa(name: str) -> Iterator[None]:
    """Force an instruction set for the calls inside, in all threads."""
    _forced.append(_chosen(name))
    try:
        yield
    finally:
        _forced.pop()


@dataclass(frozen=True, slots=True)
class Kernel:
    """The native kernels of one cell in one element type and instruction set.

    Attributes:
        address: Where the native table is.
        spec: The cell.
        normals: How many states are normalised within the step.
        names: What a trace of the cell holds, in order.
    """

    address: int
    spec: CellSpec
    normals: int
    names: tuple[str, ...]

    def kept_width(self, hidden: int, is_projected: bool, around: Around | None = None) -> int:
        """How many values of each row the forward pass keeps for the backward pass."""
        return hidden * _native.planes(self.address, is_projected, around.native() if around else 0)


def has(spec: CellSpec, dtype: torch.dtype, variant: Variant = "plain") -> bool:
    """Whether the cell has native kernels for `dtype`; a person's own is compiled to find out."""
    if REGISTRY.get(spec.name) != spec or dtype not in COMPUTED:
        return False
    if dtype == torch.bfloat16 and variant != "plain":
        return False
    if spec.name in _native.CELLS:
        return True
    # A program that is being traced calls an operator, which compiles the cell when it runs.
    return (
        not torch.compiler.is_compiling() and isinstance(spec, Cell) and _address_of(spec, dtype, variant) is not None
    )


def _address_of(spec: Cell, dtype: torch.dtype, variant: Variant) -> int | None:
    return _compiled.address(spec, _isa_for(dtype), _NAMES[_ELEMENTS.index(dtype)], variant)


def _isa_for(dtype: torch.dtype) -> str:
    """The instruction set that a person's own cell is compiled for; bfloat16 has one that others have no use for."""
    return active_isa().removesuffix("" if dtype == torch.bfloat16 else "_bf16")


def find(name: str, dtype: torch.dtype, variant: Variant = "plain") -> Kernel:
    """The kernels of a registered cell for `dtype` in the active instruction set."""
    return _find(REGISTRY[name], dtype, active_isa(), variant)


@cache
def _find(spec: CellSpec, dtype: torch.dtype, isa: str, variant: Variant) -> Kernel:
    if isinstance(spec, Cell):
        address = _address_of(spec, dtype, variant)
        if address is None:
            raise UsageError(f'the cell "{spec.name}" has no native kernels here')
    else:
        places = _native.ISAS.index(isa), _native.CELLS.index(spec.name)
        address = _native.find_kernel(*places, _ELEMENTS.index(dtype), VARIANTS.index(variant))
    facts = _native.describe(address)
    return Kernel(address, spec, facts["normals"], tuple(facts["names"]))


@dataclass(frozen=True, slots=True)
class Layout:
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
        return self.steps, self.batch, _address(self.batch_sizes), _address(self.offsets)


def layout_of(x: Tensor, batch: int, batch_sizes: Tensor | None) -> Layout:
    """The layout of a sequence tensor.

    Raises:
        UsageError: `batch_sizes` does not describe the rows of `x`.
    """
    if batch_sizes is None:
        if x.dim() != 3 or x.shape[1] != batch:
            raise UsageError(f"scan: x has shape {tuple(x.shape)}, expected (time, {batch}, input)")
        return Layout(x.shape[0], batch, (x.shape[0], batch))
    if (
        x.dim() != 2
        or batch_sizes.dim() != 1
        or batch_sizes.dtype != torch.int64
        or not batch_sizes.device.type == "cpu"
    ):
        raise UsageError("scan: a packed x has shape (rows, input) and batch_sizes is int64 on the CPU, shape (time,)")
    sizes = batch_sizes.contiguous()
    ends = sizes.cumsum(0)
    counts = sizes.tolist()
    is_decreasing = all(a >= b for a, b in zip([batch, *counts], [*counts, 0], strict=True))
    if not is_decreasing or sum(counts) != x.shape[0]:
        raise UsageError(
            f"scan: batch_sizes must not grow, start at {batch} or less and add up to the {x.shape[0]} rows of x"
        )
    return Layout(len(counts), batch, (x.shape[0],), sizes, ends - sizes)


def _address(tensor: Tensor | None) -> int:
    return 0 if tensor is None else tensor.data_ptr()


def _addresses(tensors: Sequence[Tensor | None]) -> tuple[int, ...]:
    """Where the tensors are, padded to what the native side takes."""
    return (*[0 if t is None else t.data_ptr() for t in tensors], *(0,) * (_native.MAX_STATES - len(tensors)))


def checked(x: Tensor, weights: ScanWeights, spec: CellSpec) -> tuple[int, int]:
    """The hidden size and the output size, once the input and every weight agree.

    The weights have the element type that the kernels for `x` compute in, see `COMPUTED`.

    Raises:
        UsageError: A shape, dtype or device does not.
    """
    dtype = x.dtype
    inputs, recurrent = len(spec.input_gates), len(spec.recurrent_gates)
    hidden, output = weights.weight_ih.shape[0] // inputs, weights.weight_hh.shape[-1]
    if dtype not in COMPUTED or not x.is_cpu:
        raise UsageError(f"scan: x is {dtype} on {x.device}, expected float32, float64 or bfloat16 on the CPU")
    dtype = COMPUTED[dtype]
    shapes = (
        (inputs * hidden, x.shape[-1] if x.dim() else -1),
        (recurrent * hidden, output),
        (inputs * hidden,),
        (recurrent * hidden,),
        (output, hidden),
        (len(spec.unit_weights), hidden),
    )
    for name, tensor, shape in zip(ScanWeights._fields, weights, shapes, strict=True):
        if tensor is not None and (tensor.shape != shape or tensor.dtype != dtype or not tensor.is_cpu):
            _refuse(name, tensor, shape, dtype)
    if weights.weight_unit is None and spec.unit_weights:
        raise UsageError(f"scan: weight_unit is missing, expected shape ({len(spec.unit_weights)}, {hidden})")
    if weights.weight_hr is None and output != hidden:
        raise UsageError(f"scan: weight_hh has {output} columns, expected {hidden} without a projection")
    return hidden, output


def checked_states(
    states: Sequence[Tensor], spec: CellSpec, dtype: torch.dtype, lead: Sequence[int], widths: tuple[int, int]
) -> int:
    """The batch, once the states have the shape (*lead, batch, width); `widths` are those of the hidden state and of h.

    Raises:
        UsageError: The number of states, a shape, dtype or device does not fit.
    """
    if len(states) != len(spec.states):
        raise UsageError(f"scan: {len(states)} states, expected {', '.join(spec.states)}")
    hidden, output = widths
    dtype = COMPUTED[dtype]
    batch = states[0].shape[-2] if states[0].dim() == len(lead) + 2 else -1
    for place, (name, state) in enumerate(zip(spec.states, states, strict=True)):
        shape = (*lead, batch, hidden if place else output)
        if state.shape != shape or state.dtype != dtype or not state.is_cpu:
            _refuse(f"state {name}", state, shape, dtype)
    return batch


def _refuse(name: str, tensor: Tensor, shape: tuple[int, ...], dtype: torch.dtype) -> NoReturn:
    if tensor.shape != shape:
        raise UsageError(f"scan: {name} has shape {tuple(tensor.shape)}, expected {shape}")
    raise UsageError(f"scan: {name} is {tensor.dtype} on {tensor.device}, expected {dtype} on the CPU")


_NONE = (None,) * 4


@dataclass(slots=True)
class Around:
    """What acts around the cell in one scan, as the native side takes it; tensors are contiguous.

    Attributes:
        zoneout: By state, the share of units that keep their previous value.
        seeds: By state, the seed of its masks; None where all units take the mean instead.
        clip: How far from 0 the clipped state may be.
        clipped: The place of the clipped state, or -1.
        mask: The factor on the h that the recurrent product sees, (batch, output), or None.
        norms: The gain and the bias of the recurrent product, those of the normalised states; None without layer norm.
        kept: The normalised recurrent product, the normalised states and the scales, for the backward pass.
        gradients: For each of `norms` its gradient.
    """

    zoneout: tuple[float, ...]
    seeds: tuple[int, ...] | None
    clip: float
    clipped: int
    mask: Tensor | None
    norms: Sequence[Tensor | None] | None
    kept: Sequence[Tensor | None] = (None,) * 3
    gradients: Sequence[Tensor | None] = _NONE

    def native(self) -> _native.Around:
        """The same with addresses; it holds as long as the tensors do."""
        missing = (0,) * (_native.MAX_STATES - len(self.zoneout))
        parts = (self.mask, *(self.norms or _NONE), *self.kept)
        return _native.around(
            (*self.zoneout, *missing), self.seeds is not None, (*(self.seeds or (0,) * len(self.zoneout)), *missing),
            self.clip, self.clipped, self.norms is not None, tuple(map(_address, parts)),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Forward:
    """One scan, in contiguous, checked tensors.

    Attributes:
        weights: The weights.
        x: The input.
        output: Where the output shall be.
        kept: Where to keep what the backward pass needs, (rows, `Kernel.kept_width()`); None where there is none.
        place: Which layer and direction of the states this is.
        reverse: Whether sequences run backwards.
        named: Tensors for the trace, in the order of the kernel's names.
    """

    weights: ScanWeights
    x: Tensor
    output: Tensor
    kept: Tensor | None
    place: int = 0
    reverse: bool = False
    named: Sequence[Tensor | None] = ()


@dataclass(frozen=True, slots=True)
class Backward:
    """The derivative of one scan, in contiguous, checked tensors.

    Attributes:
        weights: The weights.
        x: The input.
        d_output: The derivative for the output, None where it is zero.
        output: The output of the forward pass.
        kept: What the forward pass kept.
        needs: Of x and the weights, which gradients are wanted.
        place: Which layer and direction of the states this is.
        reverse: Whether sequences run backwards.
    """

    weights: ScanWeights
    x: Tensor
    d_output: Tensor | None
    output: Tensor
    kept: Tensor
    needs: Sequence[bool]
    place: int = 0
    reverse: bool = False

    def gradients(self) -> list[Tensor | None]:
        """New tensors for the gradients that are wanted, of x and the weights."""
        tensors = (self.x, *self.weights)
        return [torch.empty_like(t) if n and t is not None else None for n, t in zip(self.needs, tensors, strict=True)]


def _parts(spec: CellSpec, weights: ScanWeights) -> tuple[int, ...]:
    """What the native side takes of the weights."""
    rows, width = weights.weight_ih.shape
    addresses = [0 if t is None else t.data_ptr() for t in weights]
    return width, rows // len(spec.input_gates), weights.weight_hh.shape[1], *addresses


def forward(
    kernel: Kernel,
    layout: Layout,
    initial: Sequence[Tensor],
    finals: Sequence[Tensor],
    scans: Sequence[Forward],
    around: Around | None = None,
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
    layers = [
        (
            s.place, s.reverse, _parts(kernel.spec, s.weights), s.x.data_ptr(), s.output.data_ptr(), _address(s.kept),
            [_address(t) for t in s.named],
        )
        for s in scans
    ]  # fmt: skip
    status = _native.forward(
        kernel.address, torch.get_num_threads(), layout.sizes(), _addresses(initial), _addresses(finals), layers,
        around.native() if around else 0,
    )  # fmt: skip
    _finish(status)


def backward(
    kernel: Kernel,
    layout: Layout,
    d_finals: Sequence[Tensor | None],
    initial: Sequence[Tensor],
    d_initial: Sequence[Tensor],
    scans: Sequence[tuple[Backward, list[Tensor | None]]],
    around: Around | None = None,
) -> None:
    """The derivatives of scans, the last first: fills their gradients and those of the initial states.

    Args:
        kernel: The kernels of the cell.
        layout: The rows of every scan.
        d_finals: The derivatives for the final states, None where they are zero.
        initial: The initial states, each (scans, batch, width).
        d_initial: Where their gradients shall be.
        scans: The derivatives, each with the tensors of its `gradients()`; what one gives for its input may be what
            another is given for its output.
        around: What acts around the cell, as the forward pass left it; receives the gradients of its norms.
    """
    projected: list[Tensor | None] = []
    layers = []
    for s, found in scans:
        projected.append(None if s.weights.weight_hr is None else torch.empty_like(s.output))
        d_x, d_ih, d_hh, d_bias_ih, d_bias_hh, _, d_unit = [_address(t) for t in found]
        layers.append((
            s.place, s.reverse, _parts(kernel.spec, s.weights), s.x.data_ptr(), _address(s.d_output),
            s.output.data_ptr(), s.kept.data_ptr(), _address(projected[-1]),
            (d_x, d_ih, d_hh, d_bias_ih, d_bias_hh, d_unit),
        ))  # fmt: skip
    status = _native.backward(
        kernel.address, torch.get_num_threads(), layout.sizes(), _addresses(d_finals), _addresses(initial),
        _addresses(d_initial), layers, around.native() if around else 0,
        tuple(map(_address, around.gradients if around else _NONE)),
    )  # fmt: skip
    _finish(status)
    for (s, found), d_h in zip(scans, projected, strict=True):
        if d_h is not None and found[5] is not None:
            d_h = d_h.flatten(0, -2)
            # The last plane is h before its projection.
            h = s.kept.view(-1, found[5].shape[1])[s.kept.numel() // found[5].shape[1] - len(d_h) :]
            torch.mm(d_h.t().to(h.dtype), h, out=found[5])


def _finish(status: int) -> None:
    if status:
        raise MemoryError("gatework: no memory for a scan's scratch space")
