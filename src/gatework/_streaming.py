"""One time step at a time with as little around it as there can be.

Real-time use asks for one step of one or a few sequences within microseconds, where every operator of torch costs one.
This path takes the plain case, a stack of layers on the CPU whose gradients nobody wants, and leaves all others to the
scan. The kernel reads the weights where they are, so there is no copy of them that could be out of date.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import is_

import torch
from torch import Tensor

from gatework import _kernels, _native
from gatework._reference import ScanWeights
from gatework.cells import CellSpec

MOST_SEQUENCES = 8  # from here on the packed weights of the scan pay for themselves


@dataclass(frozen=True, slots=True)
class Plan:
    """The checked weights of a stack of layers in one direction; it holds as long as they are where they were.

    Attributes:
        spec: The cell.
        weights: The weights of all layers.
        addresses: Their addresses when they were checked.
        dtype: Their element type.
        input: The width of the input.
        hidden: The hidden size.
        parts: For each layer what the native side takes.
    """

    spec: CellSpec
    weights: tuple[Tensor, ...]
    addresses: tuple[int, ...]
    dtype: torch.dtype
    input: int
    hidden: int
    parts: tuple[tuple[int, ...], ...]

    def holds(self, weights: Iterable[Tensor | None]) -> bool:
        """Whether these are the weights, each in the memory that was checked."""
        # All in C, as this is asked at every step.
        return all(map(is_, self.weights, weights)) and self.addresses == (*map(Tensor.data_ptr, self.weights),)


def plan(
    spec: CellSpec, parameters: Mapping[str, Tensor | None], kinds: Sequence[str], names: Sequence[Sequence[str]]
) -> Plan | None:
    """The plan for a stack of layers, or None where its weights need the scan.

    Args:
        spec: The cell.
        parameters: The parameters of the stack by name.
        kinds: Which fields of ScanWeights each layer has.
        names: For each layer the names of their parameters.
    """
    stack = [[parameters.get(name) for name in layer] for layer in names]
    weights = [t for layer in stack for t in layer if t is not None]
    dtype, width = weights[0].dtype, weights[0].shape[1]
    # A step of rounded numbers keeps its sums in float32, which the scan knows how to do.
    is_known = _kernels.COMPUTED.get(dtype) == dtype and _kernels.has(spec, dtype)
    if len(weights) != sum(map(len, stack)) or not is_known:
        return None
    hidden = weights[0].shape[0] // len(spec.input_gates)
    if any(t.dtype != dtype or not t.is_cpu or not t.is_contiguous() for t in weights):
        return None
    inputs, gates = len(spec.input_gates) * hidden, len(spec.recurrent_gates) * hidden
    parts: list[tuple[int, ...]] = []
    for layer in stack:
        columns = hidden if parts else width
        shapes = {"weight_ih": (inputs, columns), "weight_hh": (gates, hidden), "bias_ih": (inputs,)}
        shapes |= {"bias_hh": (gates,), "weight_unit": (len(spec.unit_weights), hidden)}
        given = dict(zip(kinds, layer, strict=True))
        if any(t is None or t.shape != shapes.get(kind) for kind, t in given.items()):
            return None
        addresses = [0 if (t := given.get(name)) is None else t.data_ptr() for name in ScanWeights._fields]
        parts.append((columns, hidden, hidden, *addresses))
    return Plan(spec, tuple(weights), tuple(t.data_ptr() for t in weights), dtype, width, hidden, tuple(parts))


def step(plan: Plan, x: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, tuple[Tensor, ...]] | None:
    """One step of a stack of layers.

    Args:
        plan: A plan that holds.
        x: The input, shape (batch, input).
        states: The states in the order of the cell's, each (layers, batch, hidden).

    Returns:
        The output, shape (batch, hidden), and the new states; None where this path does not apply.
    """
    batch, width = x.shape
    shape = (len(plan.parts), batch, plan.hidden)
    if batch > MOST_SEQUENCES or width != plan.input or len(states) != len(plan.spec.states):
        return None
    for tensor in (x, *states):
        if tensor.dtype != plan.dtype or not tensor.is_cpu or not tensor.is_contiguous():
            return None
        if tensor is not x and tensor.shape != shape:
            return None
    kernel = _kernels.find(plan.spec.name, plan.dtype).address
    following = tuple([torch.empty_like(s) for s in states])
    padding = (0,) * (_native.MAX_STATES - len(states))
    before, after = [s.data_ptr() for s in states], [s.data_ptr() for s in following]
    size = batch * plan.hidden * x.itemsize
    for place, parts in enumerate(plan.parts):
        output = x.new_empty((batch, plan.hidden))
        here, there = (*[a + place * size for a in before], *padding), (*[a + place * size for a in after], *padding)
        _native.step(kernel, batch, parts, x.data_ptr(), here, there, output.data_ptr())
        x = output
    return x, following
