"""The native kernels: which instruction set is in use, and calls with checked tensors.

This module and `_ops` are the only ones that know `_native`. Every tensor is checked here before its address crosses.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

import torch
from torch import Tensor

from gatework import _compiled, _native
from gatework._reference import ScanWeights
from gatework.cells import REGISTRY, Cell, CellSpec
from gatework.errors import UsageError, nearest

DTYPES = (torch.float32, torch.float64)
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
        kept: How many values of each unit the forward pass keeps for the backward pass.
        accumulators: How many accumulators the cell has.
        normals: How many states are normalised within the step.
        reads_previous: By state, whether the backward step reads its previous value.
        reads_next: By state, whether it reads the new value.
        names: What a trace of the cell holds, in order.
    """

    address: int
    spec: CellSpec
    kept: int
    accumulators: int
    normals: int
    reads_previous: tuple[bool, ...]
    reads_next: tuple[bool, ...]
    names: tuple[str, ...]


def has(spec: CellSpec, dtype: torch.dtype, variant: Variant = "plain") -> bool:
    """Whether the cell has native kernels for `dtype`; a person's own is compiled to find out."""
    if REGISTRY.get(spec.name) != spec or dtype not in DTYPES:
        return False
    if spec.name in _native.CELLS:
        return True
    # A program that is being traced calls an operator, which compiles the cell when it runs.
    return (
        not torch.compiler.is_compiling() and isinstance(spec, Cell) and _address_of(spec, dtype, variant) is not None
    )


def _address_of(spec: Cell, dtype: torch.dtype, variant: Variant) -> int | None:
    return _compiled.address(spec, active_isa(), "double" if dtype == torch.float64 else "float", variant)


def find(name: str, dtype: torch.dtype, variant: Variant = "plain") -> Kernel:
    """The kernels of a registered cell for `dtype` in the active instruction set."""
    return _find(REGISTRY[name], dtype == torch.float64, active_isa(), variant)


@cache
def _find(spec: CellSpec, is_double: bool, isa: str, variant: Variant) -> Kernel:
    if isinstance(spec, Cell):
        address = _compiled.address(spec, isa, "double" if is_double else "float", variant)
        if address is None:
            raise UsageError(f'the cell "{spec.name}" has no native kernels here')
    else:
        place = VARIANTS.index(variant)
        address = _native.find_kernel(_native.ISAS.index(isa), _native.CELLS.index(spec.name), is_double, place)
    facts = _native.describe(address)
    return Kernel(
        address,
        spec,
        facts["kept"],
        facts["accumulators"],
        facts["normals"],
        tuple(facts["reads_previous"]),
        tuple(facts["reads_next"]),
        tuple(facts["names"]),
    )


@dataclass(frozen=True, slots=True)
class Layout:
    """The rows of a sequence batch, checked.

    Attributes:
        steps: The number of time steps.
        batch: The number of sequences.
        rows: The number of steps of all sequences together.
        lead: The leading dimensions of a sequence tensor: (time, batch), or (rows,) when packed.
        batch_sizes: The sequences running at each step when packed, int64 and contiguous.
        offsets: The first row of each step when packed.
        reverse: Whether sequences run backwards.
    """

    steps: int
    batch: int
    rows: int
    lead: tuple[int, ...]
    batch_sizes: Tensor | None
    offsets: Tensor | None
    reverse: bool

    def sizes(self, *widths: int) -> tuple[int, ...]:
        """What the native side takes; `widths` are those of the input, the hidden state and the output."""
        return self.steps, self.batch, *widths, _address(self.batch_sizes), _address(self.offsets), int(self.reverse)


def layout_of(x: Tensor, batch: int, batch_sizes: Tensor | None, reverse: bool) -> Layout:
    """The layout of a sequence tensor.

    Raises:
        UsageError: `batch_sizes` does not describe the rows of `x`.
    """
    if batch_sizes is None:
        if x.dim() != 3 or x.shape[1] != batch:
            raise UsageError(f"scan: x has shape {tuple(x.shape)}, expected (time, {batch}, input)")
        return Layout(x.shape[0], batch, x.shape[0] * batch, (x.shape[0], batch), None, None, reverse)
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
    return Layout(len(counts), batch, x.shape[0], (x.shape[0],), sizes, ends - sizes, reverse)


def _address(tensor: Tensor | None) -> int:
    return 0 if tensor is None else tensor.data_ptr()


def _addresses(tensors: Sequence[Tensor | None], count: int = _native.MAX_STATES) -> tuple[int, ...]:
    return (*map(_address, tensors), *(0,) * (count - len(tensors)))


def addresses_at(tensors: Sequence[Tensor | None], place: int = 0) -> tuple[int, ...]:
    """Where the entry `place` of each contiguous tensor begins, padded to what the native side takes."""
    starts = [0 if t is None else t.data_ptr() + place * t.stride(0) * t.itemsize for t in tensors]
    return (*starts, *(0,) * (_native.MAX_STATES - len(starts)))


def checked(x: Tensor, weights: ScanWeights, spec: CellSpec) -> tuple[int, int]:
    """The hidden size and the output size, once the input and every weight agree.

    Raises:
        UsageError: A shape, dtype or device does not.
    """
    w, dtype = weights, x.dtype
    hidden, output = w.weight_ih.shape[0] // len(spec.input_gates), w.weight_hh.shape[-1]
    rows, width = (len(spec.input_gates) * hidden,), x.shape[-1] if x.dim() else -1
    recurrent = (len(spec.recurrent_gates) * hidden,)
    if dtype not in DTYPES or not x.is_cpu:
        raise UsageError(f"scan: x is {dtype} on {x.device}, expected float32 or float64 on the CPU")
    for name, tensor, shape in (
        ("weight_ih", w.weight_ih, (*rows, width)),
        ("weight_hh", w.weight_hh, (*recurrent, output)),
        ("bias_ih", w.bias_ih, rows),
        ("bias_hh", w.bias_hh, recurrent),
        ("weight_hr", w.weight_hr, (output, hidden)),
        ("weight_unit", w.weight_unit, (len(spec.unit_weights), hidden)),
    ):
        if tensor is not None:
            _check(name, tensor, shape, dtype)
    if w.weight_unit is None and spec.unit_weights:
        raise UsageError(f"scan: weight_unit is missing, expected shape ({len(spec.unit_weights)}, {hidden})")
    if w.weight_hr is None and output != hidden:
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
    batch = states[0].shape[-2] if states[0].dim() == len(lead) + 2 else -1
    for place, (name, state) in enumerate(zip(spec.states, states, strict=True)):
        _check(f"state {name}", state, (*lead, batch, hidden if place else output), dtype)
    return batch


def _check(name: str, tensor: Tensor, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    if tensor.shape != shape:
        raise UsageError(f"scan: {name} has shape {tuple(tensor.shape)}, expected {shape}")
    if tensor.dtype != dtype or not tensor.is_cpu:
        raise UsageError(f"scan: {name} is {tensor.dtype} on {tensor.device}, expected {dtype} on the CPU")


@dataclass(frozen=True, slots=True)
class Kept:
    """What a forward pass leaves for the backward pass.

    Attributes:
        values: The kept values, (..., kept hidden), or None.
        previous: By state, its value before each step, or None where the backward pass has it otherwise.
        next: By state, its value after each step (h before its projection), or None.
    """

    values: Tensor | None
    previous: tuple[Tensor | None, ...]
    next: tuple[Tensor | None, ...]

    def tensors(self) -> list[Tensor]:
        """Every tensor there is, in a fixed order."""
        return [t for t in (self.values, *self.previous, *self.next) if t is not None]


def kept_like(
    kernel: Kernel,
    lead: Sequence[int],
    like: Tensor,
    hidden: int,
    output: int,
    given: Sequence[Tensor] = (),
    around: Around | None = None,
) -> Kept:
    """The tensors that the forward pass fills, new or, in the order of `Kept.tensors()`, given."""
    tensors = iter(given)
    is_projected = hidden != output
    reads_next = list(kernel.reads_next)
    if around is not None and around.clipped >= 0:
        reads_next[around.clipped] = True
    # The output is not the new h where units keep their previous one.
    needs_h = is_projected or (around is not None and bool(around.zoneout[0]) and reads_next[0])

    def one(wanted: bool, width: int) -> Tensor | None:
        if not wanted:
            return None
        return next(tensors) if given else like.new_empty((*lead, width))

    values = one(kernel.kept > 0, kernel.kept * hidden)
    states = range(len(kernel.spec.states))
    previous = tuple(one(s > 0 and kernel.reads_previous[s], hidden) for s in states)
    after = tuple(one(reads_next[s] if s else needs_h, hidden) for s in states)
    return Kept(values, previous, after)


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


def _finish(status: int) -> None:
    if status:
        raise MemoryError("gatework: no memory for a scan's scratch space")


def _widths(kernel: Kernel, weights: ScanWeights) -> tuple[int, int, int]:
    """The sizes of the input, the hidden state and the output."""
    rows, width = weights.weight_ih.shape
    return width, rows // len(kernel.spec.input_gates), weights.weight_hh.shape[1]


def packed(
    kernel: Kernel, weights: ScanWeights, *, is_forward: bool, with_input: bool = True
) -> tuple[Tensor, Tensor | None]:
    """The weights in the order in which the kernel reads them, and the projection."""
    w = weights
    tensors = (w.weight_ih, w.weight_hh, w.bias_ih, w.bias_hh, w.weight_hr, w.weight_unit)
    parts = (*_widths(kernel, weights), *map(_address, tensors))
    forwards, backwards, projecting = _native.packed_size(kernel.address, parts)
    like = weights.weight_hh
    to = like.new_empty((forwards if is_forward else backwards) // like.itemsize)
    projection = like.new_empty(projecting // like.itemsize) if projecting else None
    if is_forward:
        _native.pack_forward(kernel.address, parts, to.data_ptr(), _address(projection))
    else:
        _native.pack_backward(kernel.address, parts, with_input, to.data_ptr(), _address(projection))
    return to, projection


def forward(
    kernel: Kernel,
    x: Tensor,
    weights: ScanWeights,
    initial: tuple[int, ...],
    finals: tuple[int, ...],
    layout: Layout,
    *,
    is_kept: bool = False,
    named: Sequence[Tensor | None] = (),
    around: Around | None = None,
) -> tuple[Tensor, Kept]:
    """Run a scan on contiguous, checked tensors: the output and what was kept.

    Args:
        kernel: The kernels of the cell.
        x: The input.
        weights: The weights.
        initial: Where the initial states are, each (batch, width); see `addresses_at()`.
        finals: Where the final states shall be.
        layout: The rows of `x`.
        is_kept: Whether to keep what the backward pass needs.
        named: Tensors for the trace, in the order of the kernel's names.
        around: What acts around the cell, for kernels that take it.
    """
    widths = _widths(kernel, weights)
    prepared, projection = packed(kernel, weights, is_forward=True)
    out = x.new_empty((*layout.lead, widths[2]))
    kept = Kept(None, (), ())
    if is_kept:
        kept = kept_like(kernel, layout.lead, x, *widths[1:], around=around)
    status = _native.forward(
        kernel.address, torch.get_num_threads(), layout.sizes(*widths), x.data_ptr(), prepared.data_ptr(),
        _address(projection), _address(weights.weight_unit), initial, out.data_ptr(), finals,
        _address(kept.values), _addresses(kept.previous), _addresses(kept.next), _addresses(named, _native.MAX_NAMED),
        around.native() if around else 0,
    )  # fmt: skip
    _finish(status)
    return out, kept


def backward(
    kernel: Kernel,
    d_output: Tensor | None,
    d_finals: tuple[int, ...],
    x: Tensor,
    weights: ScanWeights,
    initial: tuple[int, ...],
    d_initial: tuple[int, ...],
    layout: Layout,
    output: Tensor,
    kept: Kept,
    needs: Sequence[bool],
    around: Around | None = None,
) -> list[Tensor | None]:
    """The gradients of x and the six weights, from contiguous, checked tensors; `around` receives those of its norms.

    Args:
        kernel: The kernels of the cell.
        d_output: The derivative for the output, None where it is zero.
        d_finals: Where the derivatives for the final states are, 0 where they are zero.
        x: As for `forward()`.
        weights: As for `forward()`.
        initial: As for `forward()`.
        d_initial: Where the gradients of the initial states shall be.
        layout: As for `forward()`.
        output: What `forward()` returned.
        kept: What `forward()` kept.
        needs: Which gradients are wanted, in the order returned; of the others some are None.
        around: What acts around the cell, as the forward pass left it.
    """
    widths = _widths(kernel, weights)
    prepared, projection = packed(kernel, weights, is_forward=False, with_input=needs[0])
    projected = None if projection is None else torch.empty_like(output)
    w = weights
    inputs = (x, w.weight_ih, w.weight_hh, w.bias_ih, w.bias_hh, w.weight_unit)
    wanted = (*needs[:5], needs[6])
    found = [torch.empty_like(t) if need and t is not None else None for t, need in zip(inputs, wanted, strict=True)]
    status = _native.backward(
        kernel.address, torch.get_num_threads(), layout.sizes(*widths), x.data_ptr(), prepared.data_ptr(),
        _address(projection), _address(w.weight_unit), _address(d_output), d_finals, initial,
        output.data_ptr(), _address(kept.values), _addresses(kept.previous), _addresses(kept.next),
        _address(projected), d_initial, (*map(_address, found), *map(_address, around.gradients if around else _NONE)),
        around.native() if around else 0,
    )  # fmt: skip
    _finish(status)
    d_projection = None
    if projected is not None and needs[5]:
        before = kept.next[0]
        assert before is not None
        d_projection = projected.flatten(0, -2).t() @ before.flatten(0, -2)
    return [*found[:5], d_projection, found[5]]
