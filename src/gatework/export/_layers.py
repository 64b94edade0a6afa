"""A stack of recurrent layers as nodes of ONNX."""

from __future__ import annotations

import numpy as np

from gatework.export import _native, _scan
from gatework.export._nodes import Nodes
from gatework.nn import RecurrentLayer


def write(nodes: Nodes, layer: RecurrentLayer, x: str, lengths: str, states: list[str]) -> list[str]:
    """Add all layers of a stack, as they compute in evaluation.

    Args:
        nodes: What they are added to.
        layer: The stack.
        x: The input, (time, batch, features).
        lengths: The steps of each sequence, shape (batch,), of any integer type; "" where all run to the end.
        states: The initial states, each (layers x directions, batch, features); none where they are zero.

    Returns:
        The output, (time, batch, directions x features), then the final states.
    """
    operator = None
    if not layer.proj_size and layer.step_options(0, None).is_plain:
        operator = _native.operator_of(layer.spec)
    ragged = ""
    if lengths:
        from onnx import TensorProto

        ragged = nodes.add("Cast", lengths, to=TensorProto.INT32) if operator else _mask(nodes, x, lengths)
    by_level = [_split(nodes, state, layer.num_layers, layer.num_directions) for state in states]
    ends: list[list[str]] = []
    for level in range(layer.num_layers):
        first = [levels[level] for levels in by_level]
        if operator is not None:
            x, finals = _native.write(nodes, operator, layer, level, x, ragged, first)
        else:
            x, finals = _scan.write(nodes, layer, level, x, ragged, first)
        ends.append(finals)
    if len(ends) == 1:
        return [x, *ends[0]]
    return [x, *(nodes.add("Concat", *levels, axis=0) for levels in zip(*ends, strict=True))]


def _split(nodes: Nodes, state: str, count: int, size: int) -> list[str]:
    """A state's part in each layer."""
    if count == 1:
        return [state]
    return nodes.add_many("Split", [state, nodes.integers(*[size] * count)], count, axis=0)


def _mask(nodes: Nodes, x: str, lengths: str) -> str:
    """Which steps each sequence has, (time, batch, 1), bool."""
    from onnx import TensorProto

    time = nodes.add("Gather", nodes.add("Shape", x), nodes.weight(0, np.int64), axis=0)
    steps = nodes.add("Range", nodes.weight(0, np.int64), time, nodes.weight(1, np.int64))
    steps = nodes.add("Unsqueeze", steps, nodes.integers(1, 2))
    ends = nodes.add("Unsqueeze", nodes.add("Cast", lengths, to=TensorProto.INT64), nodes.integers(1))
    return nodes.add("Less", steps, ends)
