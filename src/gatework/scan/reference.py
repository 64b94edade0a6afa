"""The reference scan: a cell's `step()` in a plain loop over time.

Any device, any floating dtype, differentiable to any order. It is the oracle of every faster path, the path of every
cell that has no kernel, and what double backward goes through.

Two layouts of a sequence batch are known. Uniform: `x` has shape (time, batch, features). Packed: `x` has shape
(rows, features) and `batch_sizes` says how many sequences are still running at each step; the sequences are sorted by
decreasing length, so the rows of a step are its first `batch_sizes[t]` sequences (the layout of PackedSequence). Fewer
sequences may run at the first step than there are: the others are empty and keep their initial states.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import linear

from gatework.cells import CellSpec
from gatework.scan.options import PLAIN, StepOptions


class ScanWeights(NamedTuple):
    """The weights of one layer in one direction; G gates take the input product, R the recurrent one.

    Attributes:
        weight_ih: W, shape (G hidden, input).
        weight_hh: U, shape (R hidden, output); without rows for a cell that has no recurrent product.
        bias_ih: b, shape (G hidden,), or None.
        bias_hh: b', shape (R hidden,), or None.
        weight_hr: The projection of the output, shape (output, hidden), or None; then output = hidden.
        weight_unit: The learnt vectors of the cell, shape (vectors, hidden), or None where it has none.
    """

    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor | None = None
    bias_hh: Tensor | None = None
    weight_hr: Tensor | None = None
    weight_unit: Tensor | None = None

    def contiguous(self) -> ScanWeights:
        """The same weights, each in one piece of memory."""
        others = [None if t is None else t.contiguous() for t in self[2:]]
        return ScanWeights(self.weight_ih.contiguous(), self.weight_hh.contiguous(), *others)


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
    """Run a cell over a batch of sequences.

    Args:
        spec: The cell.
        x: The input, shape (time, batch, input), or (rows, input) when packed.
        weights: The weights of this layer and direction.
        states: The initial states in the order of `spec.states`; `h` has shape (batch, output), the others
            (batch, hidden).
        batch_sizes: The number of sequences running at each step, int64 on the CPU, shape (time,); None when uniform.
        reverse: Run each sequence from its own end to its start.
        around: What acts around the cell.

    Returns:
        The output in the layout of `x`, and the final states in the order of `spec.states`, each sequence's own last.
    """
    output, finals, _ = _run(spec, x, weights, states, batch_sizes, reverse, around, keep_all=False)
    return output, finals


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
    """As `scan()`, with every gate and state that `step()` names, in the layout of `x`; `h` is the projected output."""
    return _run(spec, x, weights, states, batch_sizes, reverse, around, keep_all=True)


def step(
    spec: CellSpec, x: Tensor, weights: ScanWeights, states: Sequence[Tensor], around: StepOptions = PLAIN
) -> tuple[Tensor, ...]:
    """One time step of a batch.

    Args:
        spec: The cell.
        x: The input of the step, shape (batch, input).
        weights: The weights of this layer and direction.
        states: The states before, in the order of `spec.states`, as for `scan()`.
        around: What acts around the cell.

    Returns:
        The states after, in the same order; the first is the output.
    """
    product = around.input_product(x, weights.weight_ih, weights.bias_ih)
    values = _step(spec, product, weights, states, around, around.dropped(states[0]), 0)
    return tuple([values[name] for name in spec.states])


def _run(
    spec: CellSpec,
    x: Tensor,
    weights: ScanWeights,
    states: Sequence[Tensor],
    batch_sizes: Tensor | None,
    reverse: bool,
    around: StepOptions,
    keep_all: bool,
) -> tuple[Tensor, tuple[Tensor, ...], dict[str, Tensor]]:
    products = around.input_product(x, weights.weight_ih, weights.bias_ih)
    dropped = around.dropped(states[0])
    inputs = products.unbind() if batch_sizes is None else products.split(batch_sizes.tolist())
    current = list(states)
    steps: list[dict[str, Tensor]] = []
    for time, product in enumerate(reversed(inputs) if reverse else inputs):
        running = len(product)
        has_ended = running < len(current[0])
        before = [state[:running] for state in current] if has_ended else current
        values = _step(spec, product, weights, before, around, dropped, time)
        after = [values[name] for name in spec.states]
        if has_ended:
            after = [torch.cat([new, old[running:]]) for new, old in zip(after, current, strict=True)]
        current = after
        steps.append(values if keep_all else {"h": values["h"]})
    if reverse:
        steps.reverse()
    if steps:
        join = torch.stack if batch_sizes is None else torch.cat
        named = {name: join([step[name] for step in steps]) for name in steps[0]}
    else:
        named = _no_steps(spec, products, weights, current)
    return named["h"], tuple(current), named


def _step(
    spec: CellSpec,
    product: Tensor,
    weights: ScanWeights,
    states: Sequence[Tensor],
    around: StepOptions,
    dropped: Tensor | None,
    time: int,
) -> dict[str, Tensor]:
    """One time step of the first rows of a batch: the products, the cell's equations, the projection."""
    recurrent = around.recurrent_product(states[0], weights.weight_hh, weights.bias_hh, dropped)
    parts = _parts(spec, product, recurrent)
    parts["state"] = states
    if weights.weight_unit is not None:
        parts["p"] = weights.weight_unit.unbind()
    values = around.step(spec, [parts[kind][place] for kind, place in spec.sources])
    if weights.weight_hr is not None:
        values["h"] = linear(values["h"], weights.weight_hr)
    around.after(spec, time, states, values)
    return values


def _parts(spec: CellSpec, product: Tensor, recurrent: Tensor) -> dict[str, Sequence[Tensor]]:
    """What the parameters a_, x_ and u_ of `step()` are, by kind, in the order of `spec.sources`."""
    kinds = {kind for kind, _ in spec.sources}
    parts: dict[str, Sequence[Tensor]] = {}
    if "a" in kinds and spec.input_gates == spec.recurrent_gates:
        parts["a"] = (product + recurrent).chunk(len(spec.gates), -1)
    if kinds & {"x", "u"}:
        # chunk() cannot give no blocks at all.
        parts["x"] = product.chunk(len(spec.input_gates), -1)
        parts["u"] = recurrent.chunk(len(spec.recurrent_gates), -1) if spec.recurrent_gates else ()
    if "a" in kinds and "a" not in parts:
        by_gate = dict(zip(spec.recurrent_gates, parts["u"], strict=True))
        gates = zip(spec.input_gates, parts["x"], strict=True)
        parts["a"] = [block + by_gate[gate] if gate in by_gate else block for gate, block in gates]
    return parts


def _no_steps(spec: CellSpec, products: Tensor, weights: ScanWeights, states: Sequence[Tensor]) -> dict[str, Tensor]:
    """What a run of no steps names: empty tensors in the layout of `products`, part of the graph like any other."""
    nothing = products.new_zeros(0, products.shape[-1])
    values = _step(spec, nothing, weights, [state[:0] for state in states], PLAIN, None, 0)
    lead = products.shape[:-1]
    return {name: value.new_zeros(*lead, value.shape[-1]) for name, value in values.items()}
