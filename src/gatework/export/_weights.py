"""Weights in fewer bits: rounded in the model before it is traced, and stored as what they are in the file.

The graph computes in float32 all the same: it turns the stored weights into float32 first, once, as it is loaded. So
the file is smaller by half or three quarters, it runs as fast as before, and it is checked as strictly, against the
model with the rounded weights.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

Weights = Literal["float32", "bfloat16", "int8"]
_LARGEST = 127


def rounded(model: nn.Module, kind: Weights) -> nn.Module:
    """A copy of a model whose matrices hold only numbers that the kind of weights has.

    An int8 matrix has a scale for each row. The scale itself has eight significant bits, so that a whole number times
    it is exact in float32, and the largest of a row is always 127 scales: thus the scales can be read off the matrix
    again, wherever in the graph it has gone.
    """
    made = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in made.parameters():
            if parameter.dim() == 2 and parameter.is_floating_point():
                parameter.copy_(_bfloat16(parameter) if kind == "bfloat16" else _int8(parameter))
    return made


def _bfloat16(weight: Tensor) -> Tensor:
    return weight.to(torch.bfloat16).to(weight.dtype)


def _int8(weight: Tensor) -> Tensor:
    scale = _bfloat16(weight.abs().amax(1, keepdim=True) / _LARGEST)
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    return (weight / scale).round().clamp(-_LARGEST, _LARGEST) * scale


def compact(proto: ModelProto, kind: Weights) -> None:
    """Store the matrices of a graph in their kind where they are exactly that."""
    from onnx import numpy_helper

    store = _as_bfloat16 if kind == "bfloat16" else _as_int8
    kept: list[TensorProto] = []
    first: list[NodeProto] = []
    for weight in proto.graph.initializer:
        values = numpy_helper.to_array(weight)
        is_matrix = values.dtype == np.float32 and values.ndim in (2, 3) and values.size > values.shape[-1]
        stored = store(weight.name, values) if is_matrix else None
        kept += [weight] if stored is None else stored[0]
        first += [] if stored is None else stored[1]
    del proto.graph.initializer[:]
    proto.graph.initializer.extend(kept)
    nodes = [*first, *proto.graph.node]
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)


_Stored = tuple[list["TensorProto"], list["NodeProto"]]


def _as_bfloat16(name: str, values: np.ndarray) -> _Stored | None:
    """A matrix of bfloat16 and the node that turns it into float32."""
    from onnx import TensorProto, helper

    bits = values.view(np.uint32)
    if (bits & 0xFFFF).any():
        return None
    halves = (bits >> 16).astype("<u2").tobytes()
    stored = helper.make_tensor(f"{name}/bfloat16", TensorProto.BFLOAT16, values.shape, halves, raw=True)
    return [stored], [helper.make_node("Cast", [stored.name], [name], name=f"{name}/cast", to=TensorProto.FLOAT)]


def _as_int8(name: str, values: np.ndarray) -> _Stored | None:
    """A matrix of int8, its scales, and the nodes that make float32 of both."""
    from onnx import TensorProto, helper, numpy_helper

    for axis in (-1, -2):
        scale = np.abs(values).max(axis, keepdims=True) / np.float32(_LARGEST)
        scale = np.where(scale > 0, scale, np.float32(1))
        whole = np.rint(values / scale)
        if np.array_equal(whole * scale, values):
            stored = numpy_helper.from_array(whole.astype(np.int8), f"{name}/int8")
            scales = numpy_helper.from_array(scale.astype(np.float32), f"{name}/scale")
            floats = f"{name}/whole"
            cast = helper.make_node("Cast", [stored.name], [floats], name=floats, to=TensorProto.FLOAT)
            return [stored, scales], [cast, helper.make_node("Mul", [floats, scales.name], [name], name=f"{name}/mul")]
    return None
