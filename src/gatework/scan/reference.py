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

import torch
from torch import Tensor
from torch.nn.functional import linear

from gatework.cells import CellSpec
from gatework.scan.options import PLAIN
from gatework.scan.scan import Scan


def run(scan: Scan) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Run a cell over a batch of sequences.

    Returns:
        The output in the layout of `x`, shape (time, batch, output) or (rows, output), and the final states in the
        order of `spec.states`, each sequence's own last, of the shapes of the initial ones.
    """
    output, finals, _ = _run(scan, keep_all=False)
    return output, finals


def trace(scan: Scan) -> tuple[Tensor, tuple[Tensor, ...], dict[str, Tensor]]:
    """As `run()`, with every gate and state that `step()` names, in the layout of `x`, as wide as the hidden size.

    `h` is the projected output.
    """
    return _run(scan, keep_all=True)


def step(scan: Scan) -> tuple[Tensor, ...]:
    """One time step of a batch, x of shape (batch, input).

    Returns:
        The states after, in the order of `spec.states` and of the shapes of those before; the first is the output.
    """
    values = _step(scan, _input_product(scan), scan.states, scan.options.dropped(scan.states[0]), 0)
    return tuple([values[name] for name in scan.spec.states])


def _input_product(scan: Scan) -> Tensor:
    return scan.options.input_product(scan.x, scan.weights.weight_ih, scan.weights.bias_ih)


def _run(scan: Scan, keep_all: bool) -> tuple[Tensor, tuple[Tensor, ...], dict[str, Tensor]]:
    spec, batch_sizes, products = scan.spec, scan.batch_sizes, _input_product(scan)
    dropped = scan.options.dropped(scan.states[0])
    inputs = products.unbind() if batch_sizes is None else products.split(batch_sizes.tolist())
    current = list(scan.states)
    steps: list[dict[str, Tensor]] = []
    for time, product in enumerate(reversed(inputs) if scan.reverse else inputs):
        running = len(product)
        has_ended = running < len(current[0])
        before = [state[:running] for state in current] if has_ended else current
        values = _step(scan, product, before, dropped, time)
        after = [values[name] for name in spec.states]
        if has_ended:
            after = [torch.cat([new, old[running:]]) for new, old in zip(after, current, strict=True)]
        current = after
        steps.append(values if keep_all else {"h": values["h"]})
    if scan.reverse:
        steps.reverse()
    if steps:
        join = torch.stack if batch_sizes is None else torch.cat
        named = {name: join([step[name] for step in steps]) for name in steps[0]}
    else:
        named = _no_steps(scan, products)
    return named["h"], tuple(current), named


def _step(
    scan: Scan, product: Tensor, states: Sequence[Tensor], dropped: Tensor | None, time: int
) -> dict[str, Tensor]:
    """One time step of the first rows of a batch: the products, the cell's equations, the projection.

    Args:
        scan: The scan.
        product: The input product of the step, shape (running, G hidden).
        states: The states of the sequences that run, `h` of shape (running, output), the others (running, hidden).
        dropped: The mask of the recurrent dropout, shape (batch, output), or None.
        time: The step, in the order of the scan.

    Returns:
        Every named gate and state, shape (running, hidden), `h` (running, output).
    """
    spec, weights, options = scan.spec, scan.weights, scan.options
    recurrent = options.recurrent_product(states[0], weights.weight_hh, weights.bias_hh, dropped)
    parts = _parts(spec, product, recurrent)
    parts["state"] = states
    if weights.weight_unit is not None:
        parts["p"] = weights.weight_unit.unbind()
    values = options.step(spec, [parts[kind][place] for kind, place in spec.sources])
    if weights.weight_hr is not None:
        values["h"] = linear(values["h"], weights.weight_hr)
    options.carried(spec, time, states, values)
    return values


def _parts(spec: CellSpec, product: Tensor, recurrent: Tensor) -> dict[str, Sequence[Tensor]]:
    """What the parameters a_, x_ and u_ of `step()` are, by kind, each of shape (running, hidden).

    Args:
        spec: The cell.
        product: The input product, shape (running, G hidden).
        recurrent: The recurrent product, shape (running, R hidden).
    """
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


def _no_steps(scan: Scan, products: Tensor) -> dict[str, Tensor]:
    """What a run of no steps names: empty tensors in the layout of `products`, part of the graph like any other."""
    nothing = products.new_zeros(0, products.shape[-1])
    values = _step(scan._replace(options=PLAIN), nothing, [state[:0] for state in scan.states], None, 0)
    lead = products.shape[:-1]
    return {name: value.new_zeros(*lead, value.shape[-1]) for name, value in values.items()}
