"""Names that people can read in an ONNX graph: of its inputs and outputs, and of the sizes that may vary."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gatework.errors import UsageError
from gatework.export._trace import DOMAIN, Traced, attributes

if TYPE_CHECKING:
    from onnx import GraphProto, ValueInfoProto


def shape_of(value: ValueInfoProto) -> tuple[int | str, ...]:
    """The sizes of an input or output; one that may vary is its name."""
    return tuple(dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim)


def name_sizes(traced: Traced) -> Traced:
    """The same with sizes called "time" and "batch" where a recurrent layer says what they are."""
    graph = traced.proto.graph
    shapes = {value.name: shape_of(value) for value in (*graph.value_info, *graph.input)}
    chosen: dict[str, str] = {}
    for node in graph.node:
        if node.domain == DOMAIN:
            for shape, name in zip(shapes.get(node.input[0], ()), ("time", "batch"), strict=False):
                # Several steps of an input may be one of the layer's: then its time is an expression of the input's.
                symbols = set(re.findall(r"[A-Za-z_]\w*", shape)) if isinstance(shape, str) else set()
                size = symbols.pop() if len(symbols) == 1 else ""
                if size and size not in chosen:
                    chosen[size] = name if name not in chosen.values() else f"{name}_{len(chosen)}"
    for value in (*graph.input, *graph.output):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param.isdigit():
                dim.dim_value = int(dim.dim_param)
            elif dim.dim_param:
                dim.dim_param = _renamed(dim.dim_param, chosen)
    del graph.value_info[:]  # of values inside, with sizes by the old names
    return Traced(traced.proto, traced.layers, {chosen.get(s, s): r for s, r in traced.ranges.items()})


def _renamed(expression: str, names: Mapping[str, str]) -> str:
    return re.sub(r"[A-Za-z_]\w*", lambda match: names.get(match[0], match[0]), expression)


# Frames that are joined to steps are counted by these.
_OF_LENGTHS = ("Cast", "Add", "Sub", "Mul", "Div", "Mod", "Neg", "Floor")


def lengths_of(graph: GraphProto) -> set[str]:
    """The names of the inputs that are the lengths of sequences."""
    sources = {output: node.input[0] for node in graph.node if node.op_type in _OF_LENGTHS for output in node.output}
    inputs = {value.name for value in graph.input}
    lengths = set()
    for node in graph.node:
        if node.domain == DOMAIN and attributes(node)[1]:
            name = node.input[1]
            while name in sources:
                name = sources[name]
            lengths.add(name)
    return lengths & inputs


def name_values(graph: GraphProto, inputs: Sequence[str] | None, outputs: Sequence[str] | None) -> None:
    """Give the inputs and outputs of a graph their names.

    Raises:
        UsageError: There are more or fewer names than values.
    """
    if outputs is None:
        outputs = [f"output_{place}" if place else "output" for place in range(len(graph.output))]
    chosen: dict[str, str] = {}
    for kind, values, names in (("inputs", graph.input, inputs), ("outputs", graph.output, outputs)):
        if names is None:
            continue
        if len(names) != len(values) or len(set(names)) != len(names):
            raise UsageError(f"the model has {len(values)} {kind}; {', '.join(names)} are {len(names)} names for them")
        chosen |= {value.name: name for value, name in zip(values, names, strict=True)}
    taken = {name for node in graph.node for name in node.output} | {value.name for value in graph.input}
    taken |= {weight.name for weight in graph.initializer}
    chosen |= {name: f"inner/{name}" for name in set(chosen.values()) & (taken - chosen.keys())}
    _rename(graph, chosen)


def _rename(graph: GraphProto, names: Mapping[str, str]) -> None:
    for node in graph.node:
        for values in (node.input, node.output):
            values[:] = [names.get(name, name) for name in values]
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _rename(attribute.g, names)
    for value in (*graph.input, *graph.output, *graph.initializer):
        value.name = names.get(value.name, value.name)
