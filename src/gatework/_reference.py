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
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import linear

from gatework.cells import CellSpec


@dataclass(frozen=True, slots=True)
class ScanWeights:
    """The weights of one layer in one direction; G is the number of gates.

    Attributes:
        weight_ih: W, shape (G hidden, input).
        weight_hh: U, shape (G hidden, output).
        bias_ih: b, shape (G hidden,), or None.
        bias_hh: b', shape (G hidden,), or None.
        weight_hr: The projection of the output, shape (output, hidden), or None; then output = hidden.
    """

    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor | None = None
    bias_hh: Tensor | None = None
    weight_hr: Tensor | None = None


def scan(
    spec: CellSpec,
    x: Tensor,
    weights: ScanWeights,
    states: Sequence[Tensor],
    *,
    batch_sizes: Tensor | None = None,
    reverse: bool = False,
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

    Returns:
        The output in the layout of `x`, and the final states in the order of `spec.states`, each sequence's own last.
    """
    output, finals, _ = _run(spec, x, weights, states, batch_sizes, reverse, keep_all=False)
    return output, finals


def trace(
    spec: CellSpec,
    x: Tensor,
    weights: ScanWeights,
    states: Sequence[Tensor],
    *,
    batch_sizes: Tensor | None = None,
    reverse: bool = False,
) -> tuple[Tensor, tuple[Tensor, ...], dict[str, Tensor]]:
    """As `scan()`, with every gate and state that `step()` names, in the layout of `x`; `h` is the projected output."""
    return _run(spec, x, weights, states, batch_sizes, reverse, keep_all=True)


def _run(
    spec: CellSpec,
    x: Tensor,
    weights: ScanWeights,
    states: Sequence[Tensor],
    batch_sizes: Tensor | None,
    reverse: bool,
    keep_all: bool,
) -> tuple[Tensor, tuple[Tensor, ...], dict[str, Tensor]]:
    products = linear(x, weights.weight_ih, weights.bias_ih)
    inputs = products.unbind() if batch_sizes is None else products.split(batch_sizes.tolist())
    current = dict(zip(spec.states, states, strict=True))
    steps: list[dict[str, Tensor]] = []
    for product in reversed(inputs) if reverse else inputs:
        values = _step(spec, product, weights, {name: state[: len(product)] for name, state in current.items()})
        for name, state in current.items():
            ended = state[len(product) :]
            current[name] = torch.cat([values[name], ended]) if len(ended) else values[name]
        steps.append(values if keep_all else {"h": values["h"]})
    if reverse:
        steps.reverse()
    if steps:
        join = torch.stack if batch_sizes is None else torch.cat
        named = {name: join([step[name] for step in steps]) for name in steps[0]}
    else:
        named = _no_steps(spec, products, weights, current)
    return named["h"], tuple(current.values()), named


def _step(spec: CellSpec, product: Tensor, weights: ScanWeights, states: dict[str, Tensor]) -> dict[str, Tensor]:
    """One time step of the first rows of a batch: the products, the cell's equations, the projection."""
    recurrent = linear(states["h"], weights.weight_hh, weights.bias_hh)
    hidden = weights.weight_hh.shape[0] // len(spec.gates)
    parts = {"x": product.split(hidden, -1), "u": recurrent.split(hidden, -1)}
    parts["a"] = (product + recurrent).split(hidden, -1)
    arguments = []
    for argument in spec.arguments:
        kind, _, gate = argument.partition("_")
        arguments.append(states[argument] if argument in states else parts[kind][spec.gates.index(gate)])
    values = dict(spec.step(*arguments))
    if weights.weight_hr is not None:
        values["h"] = linear(values["h"], weights.weight_hr)
    return values


def _no_steps(spec: CellSpec, products: Tensor, weights: ScanWeights, states: dict[str, Tensor]) -> dict[str, Tensor]:
    """What a run of no steps names: empty tensors in the layout of `products`, part of the graph like any other."""
    nothing = products.new_zeros(0, products.shape[-1])
    values = _step(spec, nothing, weights, {name: state[:0] for name, state in states.items()})
    lead = products.shape[:-1]
    return {name: value.new_zeros(*lead, value.shape[-1]) for name, value in values.items()}
