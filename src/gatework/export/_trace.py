"""From any torch model to an ONNX graph in which each call of a recurrent layer is one node.

torch's exporter never sees the loops over time, which it unrolls, freezes or gets wrong: a copy of the model is traced
whose recurrent layers, gatework's and torch.nn's, stand for themselves as nodes of the domain "gatework". The graph
comes back with these nodes written out.
"""

from __future__ import annotations

import copy
import inspect
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import MethodType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram
from torch.nn.utils.rnn import PackedSequence
from torch.utils._pytree import tree_map

from gatework.errors import KindError, UsageError, nearest
from gatework.export import _layers, _packed
from gatework.export._models import LayerModel
from gatework.export._nodes import Nodes
from gatework.nn import RecurrentLayer
from gatework.nn._accelerate import taken_over

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

DOMAIN = "gatework"
_ENDLESS = 2**31
_IR_VERSION = 10  # as torch's exporter
_NOISY = ("torch.onnx", "torch._export", "torch.export", "torch.fx")


@dataclass(frozen=True)
class Traced:
    """A model as an ONNX graph whose recurrent layers are still to be written out.

    Attributes:
        proto: The graph.
        layers: The recurrent layer behind each node of the domain "gatework", by the node's key.
        ranges: The smallest and the largest value of each size that may vary, by its name in the graph.
    """

    proto: ModelProto
    layers: Mapping[str, RecurrentLayer]
    ranges: Mapping[str, tuple[int, int]]


def trace(model: nn.Module, inputs: Sequence[Any], fixed: Mapping[str, Sequence[int]], opset: int) -> Traced:
    """Trace a model on example inputs.

    Args:
        model: Any module.
        inputs: What it is called with; every size above 1 may be another one later, where the model allows it.
        fixed: The axes that keep their size, by argument of `forward()`.
        opset: The version of ONNX's operators.

    Raises:
        UsageError: A recurrent layer cannot be exported, or there is no such argument.
    """
    replica = copy.deepcopy(model).cpu().eval().float()
    layers = _replaced(replica)
    with _packed.traceable():
        program = program_of(replica, inputs, fixed)
    _warn_of_frozen(program, fixed)
    with _quiet():
        exported = torch.onnx.export(program, dynamo=True, verbose=False, opset_version=opset)
    if exported is None:
        raise AssertionError("torch.onnx.export gives a program when no file is named")
    return Traced(exported.model_proto, layers, ranges_of(program))


def program_of(
    model: nn.Module, inputs: Sequence[Any], fixed: Mapping[str, Sequence[int]] | None = None
) -> ExportedProgram:
    """A model as torch's exported program; every size of the inputs above 1 may be another one, where it can."""
    # One tensor that is given twice, as zeros for h and c, would be one input to torch.
    example: tuple[Any, ...] = tree_map(
        lambda v: v.detach().cpu().clone() if isinstance(v, Tensor) else v, tuple(inputs)
    )
    arguments, fixed = inspect.signature(model.forward).bind(*example).arguments, fixed or {}
    for name in fixed:
        if name not in arguments:
            raise UsageError(f'fixed: the model is given no "{name}": {nearest(name, arguments)}')
    dynamic = {name: tree_map(partial(_sizes, fixed.get(name, ())), value) for name, value in arguments.items()}
    with _quiet(), torch.no_grad():
        return torch.export.export(model, example, dynamic_shapes=dynamic, strict=False)


def shapes_of(program: ExportedProgram) -> dict[str, tuple[int | str, ...]]:
    """The sizes of each tensor that goes in; one that may vary is its symbol."""
    given = program.graph_signature.user_inputs
    values = {node.name: node.meta.get("val") for node in program.graph.nodes if node.name in given}
    return {
        name: tuple(int(str(size)) if str(size).isdigit() else str(size) for size in value.shape)
        for name, value in values.items()
        if isinstance(value, Tensor)
    }


def _warn_of_frozen(program: ExportedProgram, fixed: Mapping[str, Sequence[int]]) -> None:
    """Say where the model's own code has fixed every size of an input."""
    for name, shape in shapes_of(program).items():
        sizes = [size for axis, size in enumerate(shape) if size != 1 and axis not in fixed.get(name, ())]
        if sizes and all(isinstance(size, int) for size in sizes):
            warnings.warn(
                f"the export takes {name} of the shape {shape} alone, as the model turns its sizes into numbers "
                "(len(x) does, x.shape[0] does not)",
                stacklevel=4,
            )


def ranges_of(program: ExportedProgram) -> dict[str, tuple[int, int]]:
    """The smallest and the largest value of each size that may vary, by its symbol."""
    limits = {str(size): (limit.lower, limit.upper) for size, limit in program.range_constraints.items()}
    return {size: (int(low), int(high) if high < _ENDLESS else _ENDLESS) for size, (low, high) in limits.items()}


def of_layer(model: LayerModel, opset: int) -> Traced:
    """The same for a recurrent layer alone, which needs no tracing."""
    from onnx import TensorProto, helper

    layer = model.layer if isinstance(model.layer, RecurrentLayer) else taken_over(model.layer)
    state_sizes = [layer.output_size if name == "h" else layer.hidden_size for name in layer.spec.states]
    depth = layer.num_layers * layer.num_directions
    lead = ["batch", "time"] if layer.batch_first else ["time", "batch"]
    shapes: dict[str, list[Any]] = {"x": [*lead, layer.input_size], "lengths": ["batch"]}
    shapes["output"] = [*lead, layer.output_size * layer.num_directions]
    for state, size in zip(layer.spec.states, state_sizes, strict=True):
        shapes[state] = shapes[f"{state}_next"] = [depth, "batch", size]
    kinds = {name: TensorProto.INT64 if name == "lengths" else TensorProto.FLOAT for name in shapes}
    inputs, outputs = ([helper.make_tensor_value_info(name, kinds[name], shapes[name]) for name in names]
                       for names in (model.input_names, model.output_names))  # fmt: skip
    given, results = list(model.input_names), [*model.output_names, *[""] * len(layer.spec.states)]
    results = results[: 1 + len(layer.spec.states)]
    nodes = [helper.make_node("Layer", given, results, domain=DOMAIN, key="layer", ragged=int(model.is_ragged))]
    if layer.batch_first:
        nodes[0].input[0], nodes[0].output[0] = "x/time_first", "output/time_first"
        nodes.insert(0, helper.make_node("Transpose", ["x"], ["x/time_first"], perm=[1, 0, 2]))
        nodes.append(helper.make_node("Transpose", ["output/time_first"], ["output"], perm=[1, 0, 2]))
    graph = helper.make_graph(nodes, "gatework", inputs, outputs)
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid(DOMAIN, 1)]
    proto = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
    return Traced(proto, {"layer": layer}, dict.fromkeys(("time", "batch"), (1, _ENDLESS)))


def _sizes(fixed: Sequence[int], value: Any) -> Any:
    """What torch is told of a tensor's sizes."""
    if isinstance(value, Tensor):
        return {axis: Dim.AUTO for axis, size in enumerate(value.shape) if size > 1 and axis not in fixed}
    return None


@contextmanager
def _quiet() -> Iterator[None]:
    """No words of torch's exporter about itself."""
    loggers = [logging.getLogger(name) for name in _NOISY]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def _replaced(replica: nn.Module) -> dict[str, RecurrentLayer]:
    """Let every recurrent layer of a model stand for itself as a node: the layers by the keys of the nodes."""
    layers: dict[str, RecurrentLayer] = {}
    for name, module in replica.named_modules():
        if isinstance(module, (RecurrentLayer, nn.RNNBase)):
            key = name or "layer"
            if type(module).forward not in _FORWARDS:
                raise UsageError(
                    f"{key}: {type(module).__name__} has a forward() of its own and cannot be exported; put what it "
                    f"does into a module that holds the layer"
                )
            layers[key] = module if isinstance(module, RecurrentLayer) else taken_over(module)
            _stand_in(module, layers[key], key)
    return layers


_FORWARDS = (RecurrentLayer.forward, nn.RNN.forward, nn.GRU.forward, nn.LSTM.forward)


def _stand_in(module: nn.Module, layer: RecurrentLayer, key: str) -> None:
    """Make the calls of a module nodes."""

    def forward(_: nn.Module, input: Any, hx: Any = None, *, lengths: Any = None, reset: Any = None) -> Any:
        if reset is not None:
            raise UsageError(f"{key}: reset= cannot be exported; cut the sequences at the resets before")
        if isinstance(input, PackedSequence):
            return _of_packed(layer, key, input, hx)
        if input.dim() == 2:
            first = None if hx is None else tree_map(lambda state: state.unsqueeze(1), hx)
            output, states = _node(layer, key, input.unsqueeze(1), first, lengths)
            return output.squeeze(1), _in_form(layer, [state.squeeze(1) for state in states])
        x = input.transpose(0, 1) if layer.batch_first else input
        output, states = _node(layer, key, x, hx, lengths)
        return output.transpose(0, 1) if layer.batch_first else output, _in_form(layer, states)

    def step(_: nn.Module, x: Tensor, state: Any = None) -> Any:
        output, states = _node(layer, key, x.unsqueeze(0), state, None)
        return output[0], _in_form(layer, states)

    def traced(*_: Any, **__: Any) -> Any:
        raise UsageError(f"{key}: trace() cannot be exported; call the layer itself")

    vars(module).update(
        forward=MethodType(forward, module), step=MethodType(step, module), trace=MethodType(traced, module)
    )


def _of_packed(layer: RecurrentLayer, key: str, packed: PackedSequence, hx: Any) -> Any:
    """A call with what `_packed` makes of a padded batch."""
    output, states = _node(layer, key, packed.data, hx, packed.batch_sizes)
    return PackedSequence(output, packed.batch_sizes), _in_form(layer, states)


def _in_form(layer: RecurrentLayer, states: list[Tensor]) -> Any:
    return states[0] if len(layer.spec.states) == 1 else tuple(states)


def _node(layer: RecurrentLayer, key: str, x: Tensor, hx: Any, lengths: Any) -> tuple[Tensor, list[Tensor]]:
    """The node that stands for a call: its output, (time, batch, features), and its final states."""
    states = [] if hx is None else [hx] if isinstance(hx, Tensor) else list(hx)
    time, batch, width = x.shape
    if width != layer.input_size:
        raise UsageError(f"{key}: the input has {width} features and the layer takes {layer.input_size}")
    depth = layer.num_layers * layer.num_directions
    widths = [layer.output_size if name == "h" else layer.hidden_size for name in layer.spec.states]
    if states and len(states) != len(widths):
        raise UsageError(f"{key}: {len(states)} states, expected {', '.join(layer.spec.states)}")
    for state, features in zip(states, widths, strict=False):
        for size, right in zip(state.shape, (depth, batch, features), strict=True):
            torch._check(size == right)
    if lengths is not None:
        if not isinstance(lengths, Tensor):
            raise KindError(f"{key}: lengths must be a tensor to be exported, got {type(lengths).__name__}")
        torch._check(lengths.shape[0] == batch)
    shapes = [(time, batch, layer.output_size * layer.num_directions), *((depth, batch, w) for w in widths)]
    ragged = [] if lengths is None else [lengths]
    output, *finals = torch.onnx.ops.symbolic_multi_out(
        f"{DOMAIN}::Layer", (x, *ragged, *states), {"key": key, "ragged": len(ragged)},
        dtypes=(x.dtype,) * len(shapes), shapes=shapes, version=1,
    )  # fmt: skip
    return output, finals


def complete(traced: Traced) -> ModelProto:
    """The graph with every node of a recurrent layer written out."""
    proto = traced.proto
    graph = proto.graph
    nodes: list[NodeProto] = []
    for place, node in enumerate(graph.node):
        if node.domain != DOMAIN:
            nodes.append(node)
            continue
        key, ragged = attributes(node)
        written = Nodes(f"{key}#{place}")
        x, *rest = node.input
        lengths = rest.pop(0) if ragged else ""
        results = _layers.write(written, traced.layers[key], x, lengths, list(rest))
        for result, output in zip(results, node.output, strict=True):
            if output:
                written.alias(result, output)
        nodes += written.nodes
        graph.initializer.extend(written.initializers())
    del graph.node[:]
    graph.node.extend(nodes)
    for opset in [opset for opset in proto.opset_import if opset.domain == DOMAIN]:
        proto.opset_import.remove(opset)
    return proto


def attributes(node: NodeProto) -> tuple[str, bool]:
    """The key of a layer's node, and whether it is given lengths."""
    from onnx import helper

    values = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    return values["key"].decode(), bool(values["ragged"])
