"""Layers as ONNX's Scan, its body printed from the graph of `step()`: any cell, with all that acts around it.

The input product of all steps is made before the loop. In the body stand the recurrent product, the cell's equations,
the projection, the layer norms, and what `gatework.cells.options` says of states after the step in evaluation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from gatework.cells import CellSpec
from gatework.cells import options as acting
from gatework.cells._derive import NORMALISED, Derivation, derive, topological
from gatework.cells._symbol import Graph, Symbol
from gatework.export._nodes import Nodes, numbers
from gatework.nn import RecurrentLayer
from gatework.scan.options import StepOptions
from gatework.scan.scan import ScanWeights

if TYPE_CHECKING:
    from onnx import ValueInfoProto

_OPERATIONS = {
    "add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "neg": "Neg", "sigmoid": "Sigmoid", "tanh": "Tanh",
    "relu": "Relu", "exp": "Exp", "log": "Log", "softplus": "Softplus", "maximum": "Max", "minimum": "Min",
    "where": "Where", "gt": "Greater", "ge": "GreaterOrEqual", "eq": "Equal",
}  # fmt: skip


def write(
    nodes: Nodes, layer: RecurrentLayer, level: int, x: str, mask: str, states: list[str]
) -> tuple[str, list[str]]:
    """Add one layer in all its directions.

    Args:
        nodes: What the layer is added to.
        layer: The stack that it belongs to.
        level: Which layer of the stack it is.
        x: Its input, (time, batch, features).
        mask: Which steps each sequence has, (time, batch, 1), bool; "" where all run to the end.
        states: Its initial states, each (directions, batch, features); none where they are zero.

    Returns:
        The output, (time, batch, directions x features), and the final states in the form of the initial ones.
    """
    outputs, ends = [], []
    for direction in range(layer.num_directions):
        first = [nodes.add("Gather", state, nodes.weight(direction, np.int64), axis=0) for state in states]
        output, finals = _direction(nodes, layer, level, direction, x, mask, first or _zeros(nodes, layer, x))
        outputs.append(output)
        ends.append([nodes.add("Unsqueeze", final, nodes.integers(0)) for final in finals])
    if len(outputs) == 1:
        return outputs[0], ends[0]
    joined = [nodes.add("Concat", *pair, axis=0) for pair in zip(*ends, strict=True)]
    return nodes.add("Concat", *outputs, axis=-1), joined


def _zeros(nodes: Nodes, layer: RecurrentLayer, x: str) -> list[str]:
    """The states of a start."""
    batch = nodes.add("Slice", nodes.add("Shape", x), nodes.integers(1), nodes.integers(2))
    widths = [layer.output_size if name == "h" else layer.hidden_size for name in layer.spec.states]
    shapes = [nodes.add("Concat", batch, nodes.integers(width), axis=0) for width in widths]
    return [nodes.add("ConstantOfShape", shape) for shape in shapes]


def _direction(
    nodes: Nodes, layer: RecurrentLayer, level: int, direction: int, x: str, mask: str, states: list[str]
) -> tuple[str, list[str]]:
    from onnx import helper

    place = level * layer.num_directions + direction
    weights, options = layer.weights_at(place), layer.step_options(place, None)
    gain = None if options.norms is None else options.norms.norm_ih
    product = _product(nodes, x, weights.weight_ih, weights.bias_ih, gain)
    body = Nodes(nodes.new_name("body"), nodes)
    before = [body.new_name(f"{name}_before") for name in layer.spec.states]
    inputs = [body.new_name("product"), *([body.new_name("mask")] if mask else [])]
    after = _step(body, layer.spec, weights, options, inputs[0], before)
    output = after[0]
    if mask:
        # A sequence that has ended, or seen from its end has not begun, keeps its state and gives zeros.
        output = body.add("Where", inputs[1], after[0], body.number(0.0))
        after = [body.add("Where", inputs[1], new, old) for new, old in zip(after, before, strict=True)]
    results = [body.add("Identity", name) for name in (*after, output)]
    graph = helper.make_graph(
        body.nodes, body.prefix, [_value(name, is_mask=name in inputs[1:]) for name in (*before, *inputs)],
        [_value(name) for name in results],
    )  # fmt: skip
    sequences = [product, mask] if mask else [product]
    *finals, output = nodes.add_many(
        "Scan", [*states, *sequences], len(states) + 1, body=graph, num_scan_inputs=len(sequences),
        scan_input_directions=[direction] * len(sequences), scan_output_directions=[direction],
    )  # fmt: skip
    return output, finals


def _value(name: str, *, is_mask: bool = False) -> ValueInfoProto:
    from onnx import TensorProto, helper

    return helper.make_tensor_value_info(name, TensorProto.BOOL if is_mask else TensorProto.FLOAT, [None, None])


def _step(
    body: Nodes, spec: CellSpec, weights: ScanWeights, options: StepOptions, product: str, before: list[str]
) -> list[str]:
    """One time step: the states after it."""
    recurrent = ""
    if spec.recurrent_gates:
        gain = None if options.norms is None else options.norms.norm_hh
        recurrent = _product(body, before[0], weights.weight_hh, weights.bias_hh, gain)
    given = _arguments(body, spec, weights, product, recurrent, before)
    derived = derive(spec, is_normalised=options.norms is not None and options.norms.norm_state is not None)
    after = _equations(body, derived, options, given, before)
    if weights.weight_hr is not None:
        after["h"] = body.add("MatMul", after["h"], body.weight(numbers(weights.weight_hr).T))
    return [_carried(body, options, *parts) for parts in zip(spec.states, before, after.values(), strict=True)]


def _carried(body: Nodes, options: StepOptions, state: str, before: str, new: str) -> str:
    """A state with what acts on it after the step."""
    graph = Graph(acting.__file__)
    previous, following = graph.input("previous"), graph.input("next")
    names = {previous: before, following: new}
    return _printed(body, acting.evaluated(state, previous, following, options.after), names)


def _product(nodes: Nodes, x: str, weight: Tensor, bias: Tensor | None, gain: Tensor | None) -> str:
    """W x + b, with W x normalised where there is a gain."""
    product = nodes.add("MatMul", x, nodes.weight(numbers(weight).T))
    if gain is not None:
        product = nodes.add("LayerNormalization", product, nodes.weight(numbers(gain)), axis=-1, epsilon=acting.EPSILON)
    return product if bias is None else nodes.add("Add", product, nodes.weight(numbers(bias)))


def _arguments(
    body: Nodes, spec: CellSpec, weights: ScanWeights, product: str, recurrent: str, before: list[str]
) -> dict[str, str]:
    """What each parameter of `step()` is."""
    kinds = {kind for kind, _ in spec.sources}
    blocks: dict[str, list[str]] = {"state": before}
    if kinds == kinds - {"x", "u"} and spec.input_gates == spec.recurrent_gates:
        blocks["a"] = _split(body, body.add("Add", product, recurrent), len(spec.gates))
    else:
        blocks["x"] = _split(body, product, len(spec.input_gates))
        blocks["u"] = _split(body, recurrent, len(spec.recurrent_gates))
        by_gate = dict(zip(spec.recurrent_gates, blocks["u"], strict=True))
        fed = {f"a_{gate}" for gate in spec.input_gates} & set(spec.arguments)
        blocks["a"] = [
            body.add("Add", block, by_gate[gate]) if f"a_{gate}" in fed and gate in by_gate else block
            for gate, block in zip(spec.input_gates, blocks["x"], strict=True)
        ]
    if weights.weight_unit is not None:
        blocks["p"] = [body.weight(row) for row in numbers(weights.weight_unit)]
    return {name: blocks[kind][place] for name, (kind, place) in zip(spec.arguments, spec.sources, strict=True)}


def _split(body: Nodes, joined: str, count: int) -> list[str]:
    if count <= 1:
        return [joined][:count]
    return body.add_many("Split", [joined], count, axis=-1, num_outputs=count)


def _equations(
    body: Nodes, derived: Derivation, options: StepOptions, given: Mapping[str, str], before: list[str]
) -> dict[str, str]:
    """The cell's equations: the new value of each state."""
    inner = dict(zip((f"{NORMALISED}{state}" for state in derived.normalised), derived.inner, strict=True))
    names: dict[Symbol, str] = {}

    def name(symbol: Symbol) -> None:
        """Names the inputs that a value needs; before a norm's result, all that the norm is taken of."""
        for needed in topological([symbol], names):
            mark = str(needed.value)
            if needed.operation == "input" and mark in inner:
                name(inner[mark])
                value = _printed(body, inner[mark], names)
                names[needed] = _normalised(body, options, derived, value, mark)
            elif needed.operation == "input":
                names[needed] = given[mark]

    after = {}
    for state, symbol, old in zip(derived.spec.states, derived.next_states, before, strict=True):
        inputs = [str(s.value) for s in topological([symbol]) if s.operation == "input"]
        name(symbol)
        after[state] = _printed(body, symbol, names)
        if all(read.startswith("p_") for read in inputs):  # the same for every sequence
            after[state] = body.add("Expand", after[state], body.add("Shape", old))
    return after


def _printed(body: Nodes, output: Symbol, names: dict[Symbol, str]) -> str:
    """The nodes of a value, from those that have names; all that is written gets one."""
    for symbol in topological([output], names):
        if symbol.operation == "constant":
            names[symbol] = body.number(float(symbol.value or 0.0))
        else:
            names[symbol] = body.add(_OPERATIONS[symbol.operation], *(names[a] for a in symbol.arguments))
    return names[output]


def _normalised(body: Nodes, options: StepOptions, derived: Derivation, value: str, mark: str) -> str:
    """A state's layer norm within the step."""
    norms = options.norms
    if norms is None or norms.norm_state is None or norms.norm_state_bias is None:
        raise AssertionError("a normalised step has the weights of its norms")
    row = derived.normalised.index(mark.removeprefix(NORMALISED))
    gain, offset = (body.weight(numbers(weight)[row]) for weight in (norms.norm_state, norms.norm_state_bias))
    return body.add("LayerNormalization", value, gain, offset, axis=-1, epsilon=acting.EPSILON)
