"""Layers that ONNX has an operator for: RNN, GRU and LSTM, with peepholes or coupled gates.

This is the one place that knows ONNX's gate orders. gatework has torch's: i, f, g, o and r, z, n; ONNX has i, o, f, c
and z, r, h. A coupled LSTM has no input gate of its own: as 1 - sigmoid(a) = sigmoid(-a), it is the forget gate with
its weights negated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from gatework import cells
from gatework.cells import CellSpec
from gatework.export._nodes import Nodes, numbers
from gatework.nn import RecurrentLayer

# A gate of ONNX: the place of gatework's gate, and the sign that it gets.
_Order = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Operator:
    """How a cell is written as an operator of ONNX.

    Attributes:
        name: The operator.
        order: Where each of its gates comes from.
        peepholes: Where each of its peephole vectors comes from in `weight_unit`; none for a cell without.
        attributes: Further attributes, given the number of directions.
    """

    name: str
    order: _Order
    peepholes: tuple[int, ...] = ()
    attributes: Callable[[int], dict[str, object]] = lambda _: {}


def _same(*places: int) -> _Order:
    return tuple((place, 1) for place in places)


_OPERATORS = {
    "rnn": Operator("RNN", _same(0)),
    "rnn_relu": Operator("RNN", _same(0), attributes=lambda directions: {"activations": ["Relu"] * directions}),
    "gru": Operator("GRU", _same(1, 0, 2), attributes=lambda _: {"linear_before_reset": 1}),
    "lstm": Operator("LSTM", _same(0, 3, 1, 2)),
    "peephole": Operator("LSTM", _same(0, 3, 1, 2), peepholes=(0, 2, 1)),
    "coupled": Operator("LSTM", ((0, -1), (2, 1), (0, 1), (1, 1)), attributes=lambda _: {"input_forget": 1}),
}


def operator_of(spec: CellSpec) -> Operator | None:
    """The operator that computes a cell, if ONNX has one."""
    is_built_in = cells.REGISTRY.get(spec.name) == spec and spec.name in cells.BUILT_IN
    return _OPERATORS.get(spec.name) if is_built_in else None


def write(
    nodes: Nodes, operator: Operator, layer: RecurrentLayer, level: int, x: str, lengths: str, states: list[str]
) -> tuple[str, list[str]]:
    """Add one layer in all its directions.

    Args:
        nodes: What the layer is added to.
        operator: Its operator.
        layer: The stack that it belongs to.
        level: Which layer of the stack it is.
        x: Its input, (time, batch, features).
        lengths: The steps of each sequence, int32; "" where all run to the end.
        states: Its initial states, each (directions, batch, hidden); none where they are zero.

    Returns:
        The output, (time, batch, directions x hidden), and the final states in the form of the initial ones.
    """
    directions = layer.num_directions
    weights = [layer.weights_at(level * directions + direction) for direction in range(directions)]
    gates = [_in_order(operator, w.weight_ih) for w in weights], [_in_order(operator, w.weight_hh) for w in weights]
    inputs = [x, *(nodes.weight(np.stack(side)) for side in gates)]
    if weights[0].bias_ih is not None:
        joined = [np.concatenate([_in_order(operator, w.bias_ih), _in_order(operator, w.bias_hh)]) for w in weights]
        inputs.append(nodes.weight(np.stack(joined)))
    inputs += [""] * (4 - len(inputs)) + [lengths, *states]
    if operator.peepholes:
        rows = [_vectors(operator, w.weight_unit) for w in weights]
        inputs += [""] * (7 - len(inputs)) + [nodes.weight(np.stack(rows))]
    while not inputs[-1]:
        inputs.pop()
    attributes = {"hidden_size": layer.hidden_size, **operator.attributes(directions)}
    attributes["direction"] = "bidirectional" if directions == 2 else "forward"
    output, *finals = nodes.add_many(operator.name, inputs, 1 + len(layer.spec.states), **attributes)
    if lengths and states:
        # onnxruntime gives zeros where a sequence has no steps; its state is the one that it came with.
        is_run = nodes.add("Greater", lengths, nodes.weight(0, np.int32))
        is_run = nodes.add("Unsqueeze", is_run, nodes.integers(1))
        finals = [nodes.add("Where", is_run, new, old) for new, old in zip(finals, states, strict=True)]
    # (time, directions, batch, hidden) -> (time, batch, directions x hidden)
    if directions == 1:
        return nodes.add("Squeeze", output, nodes.integers(1)), finals
    apart = nodes.add("Transpose", output, perm=[0, 2, 1, 3])
    return nodes.add("Reshape", apart, nodes.integers(0, 0, directions * layer.hidden_size)), finals


def _vectors(operator: Operator, weight: Tensor | None) -> np.ndarray:
    """The peephole vectors in ONNX's order, one after the other."""
    return np.empty(0) if weight is None else numbers(weight)[list(operator.peepholes)].reshape(-1)


def _in_order(operator: Operator, weight: Tensor | None) -> np.ndarray:
    """The rows of a weight or bias in ONNX's order of gates."""
    if weight is None:
        return np.empty(0)
    values = numbers(weight)
    hidden = len(values) // (1 + max(place for place, _ in operator.order))
    return np.concatenate([sign * values[place * hidden : (place + 1) * hidden] for place, sign in operator.order])
