"""The weights of one scan, and of a stack of layers, checked before their addresses cross to the native side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from operator import is_
from typing import NamedTuple

import torch
from torch import Tensor

from gatework import _native
from gatework.cells import CellSpec
from gatework.errors import TensorError, UsageError
from gatework.scan import kernels
from gatework.scan.kept import KeptMemory
from gatework.scan.kernels import COMPUTED
from gatework.scan.layout import Layout, padded
from gatework.scan.native_options import NativeOptions
from gatework.scan.records import WeightRecord, address
from gatework.scan.scan import ScanWeights

_TYPES = ", ".join(str(dtype).removeprefix("torch.") for dtype in COMPUTED)


class CheckedWeights(NamedTuple):
    """The weights of one scan: checked, each in one piece of memory.

    Attributes:
        tensors: The weights.
        hidden: The hidden size.
        output: The output size.
        record: What the native side takes.
    """

    tensors: ScanWeights
    hidden: int
    output: int
    record: WeightRecord


def check_weights(spec: CellSpec, dtype: torch.dtype, width: int, weights: ScanWeights) -> CheckedWeights:
    """The weights for an input of `width` features of `dtype`, once all agree.

    The weights have the element type that the kernels for `dtype` compute in, see `kernels.COMPUTED`.

    Raises:
        UsageError: A shape, dtype or device does not fit.
    """
    inputs, recurrent = len(spec.input_gates), len(spec.recurrent_gates)
    hidden, output = weights.weight_ih.shape[0] // inputs, weights.weight_hh.shape[-1]
    if dtype not in COMPUTED:
        raise UsageError(f"scan: x is {dtype}, expected {_TYPES}")
    shapes: dict[str, tuple[int, ...]] = {
        "weight_ih": (inputs * hidden, width),
        "weight_hh": (recurrent * hidden, output),
        "bias_ih": (inputs * hidden,),
        "bias_hh": (recurrent * hidden,),
        "weight_hr": (output, hidden),
        "weight_unit": (len(spec.unit_weights), hidden),
    }
    for name, tensor in weights._asdict().items():
        if tensor is not None:
            check_tensor(name, tensor, shapes[name], COMPUTED[dtype])
    if weights.weight_unit is None and spec.unit_weights:
        raise UsageError(f"scan: weight_unit is missing, expected shape ({len(spec.unit_weights)}, {hidden})")
    if weights.weight_hr is None and output != hidden:
        raise UsageError(f"scan: weight_hh has {output} columns, expected {hidden} without a projection")
    weights = weights.contiguous()
    return CheckedWeights(weights, hidden, output, WeightRecord(width, hidden, output, *map(address, weights)))


class CheckedStack(NamedTuple):
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
        memory: Those in `given` as they lay in memory: a tensor may get other data, which its identity does not say.
        isa: The instruction set in use.
        kernel: The kernels that take it.
        saved_width: How many values of each row a forward pass saves for the backward pass, with nothing around the
            cell.
        options: What acts around the cell at a single step of each layer, 0 where nothing does.
        kept: Memory for what the forward passes of training save.
    """

    spec: CellSpec
    dtype: torch.dtype
    directions: int
    weights: tuple[CheckedWeights, ...]
    flat: tuple[Tensor | None, ...]
    given: tuple[Tensor, ...]
    slots: tuple[int, ...]
    whole: tuple[Tensor, ...]
    memory: tuple[Tensor, ...]
    isa: str
    kernel: kernels.Kernel
    saved_width: int
    options: tuple[_native.Options | int, ...]
    kept: KeptMemory

    def holds(self, weights: Iterable[Tensor | None]) -> bool:
        """Whether these are the weights, each in the memory that was checked, and the kernels those in use."""
        # All in C, as this is asked at every step of a stream.
        return (
            all(map(is_, self.given, weights))
            and self.given[0].dtype == COMPUTED[self.dtype]
            and self.reads(self.given)
            and self.isa == kernels.active_isa()
        )

    def reads(self, weights: Sequence[Tensor]) -> bool:
        """Whether the weights, in the order of `given`, lie in the memory that was checked, with the same strides."""
        try:
            return all(map(Tensor.is_set_to, weights, self.memory))
        except RuntimeError:  # some are on another device by now
            return False

    def rows(self, x: Tensor) -> Layout | None:
        """The rows of a padded batch, (time, batch, input), where it fits; else None."""
        shape = x.shape
        if shape[2] != self.weights[0].record.input or x.dtype is not self.dtype or not x.is_cpu:
            return None
        return padded(shape[0], shape[1])

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

    def with_tensors(self, given: Sequence[Tensor]) -> list[ScanWeights]:
        """Other tensors in the place of those in `given`, by layer and direction."""
        flat = list(self.flat)
        for slot, tensor in zip(self.slots, given, strict=True):
            flat[slot] = tensor
        width = len(ScanWeights._fields)
        return [ScanWeights._make(flat[k : k + width]) for k in range(0, len(flat), width)]


def check_stack(
    spec: CellSpec,
    dtype: torch.dtype,
    width: int,
    weights: Sequence[ScanWeights],
    directions: int = 1,
    options: Sequence[NativeOptions] = (),
) -> CheckedStack:
    """The checked weights of a stack of layers; with something around the cell for single steps alone.

    Args:
        spec: The cell.
        dtype: The element type of the input.
        width: The features of the input.
        weights: The weights by layer, then direction.
        directions: 1, or 2.
        options: What acts around the cell at a single step of each layer.

    Raises:
        UsageError: A shape, dtype or device does not fit.
    """
    stack: list[CheckedWeights] = []
    for place, layer in enumerate(weights):
        below = stack[-1].output * directions if place >= directions else width
        stack.append(check_weights(spec, dtype, below, layer))
    flat = tuple(chain.from_iterable(weights))
    given = _there((*flat, *chain.from_iterable(inside.gains for inside in options)))
    variant: kernels.Variant = "plain"
    if options:
        variant = "options" if options[0].norms is None else "normalised"
    kernel, first = kernels.find(spec.name, dtype, variant), stack[0]
    return CheckedStack(
        spec,
        dtype,
        directions,
        tuple(stack),
        flat,
        given,
        slots=tuple([k for k, t in enumerate(flat) if t is not None and t.numel()]),
        whole=_there(tuple(chain.from_iterable([layer.tensors for layer in stack]))),
        memory=tuple([t.detach() for t in given]),
        isa=kernels.active_isa(),
        kernel=kernel,
        saved_width=kernel.saved_width(first.hidden, first.tensors.weight_hr is not None),
        options=tuple([inside.native() for inside in options]) or (0,) * len(stack),
        kept=KeptMemory(),
    )


def check_states(
    states: Sequence[Tensor], spec: CellSpec, dtype: torch.dtype, lead: tuple[int, ...], weights: CheckedWeights
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
        check_tensor(f"state {name}", state, (*lead, batch, weights.hidden if place else weights.output), dtype)
    return batch


def check_tensor(name: str, tensor: Tensor, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    """Check a tensor that the native side shall have.

    Raises:
        TensorError: Its shape does not fit.
        UsageError: Its dtype or device does not fit.
    """
    if tensor.shape != shape:
        raise TensorError(f"scan: {name} has shape {tuple(tensor.shape)}, expected {shape}")
    if tensor.dtype != dtype or not tensor.is_cpu:
        raise UsageError(f"scan: {name} is {tensor.dtype} on {tensor.device}, expected {dtype} on the CPU")


def _there(tensors: Sequence[Tensor | None]) -> tuple[Tensor, ...]:
    return tuple([t for t in tensors if t is not None and t.numel()])
