"""The nodes and weights of an ONNX graph in the making."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto
    from torch import Tensor


def numbers(weight: Tensor) -> np.ndarray:
    """A weight of any shape as an array of float64, which holds the numbers of every other type exactly."""
    values: np.ndarray = weight.detach().double().cpu().numpy()
    return values


class Nodes:
    """A list of nodes, in an order in which they can run, with the weights that they read.

    Args:
        prefix: What every name that is made here starts with, so that no two graphs share one.
        outer: The nodes of the graph around this one, which then keeps the weights of both: the body of a Scan.
    """

    def __init__(self, prefix: str, outer: Nodes | None = None) -> None:
        self.prefix = prefix
        self.nodes: list[NodeProto] = []
        self._count = 0
        self._outer = outer
        self._weights: dict[str, np.ndarray] = {}
        self._by_value: dict[tuple[Any, ...], str] = {}

    def add(self, operation: str, *inputs: str, **attributes: Any) -> str:
        """The name of a new node's one output; an input left out is an empty name."""
        (output,) = self.add_many(operation, inputs, 1, **attributes)
        return output

    def add_many(self, operation: str, inputs: Sequence[str], count: int, **attributes: Any) -> list[str]:
        """The names of all outputs of a new node."""
        from onnx import helper

        outputs = [self.new_name(operation.lower()) for _ in range(count)]
        self.nodes.append(helper.make_node(operation, list(inputs), outputs, name=outputs[0], **attributes))
        return outputs

    def alias(self, name: str, output: str) -> None:
        """Give a value one more name, the one by which others know it."""
        from onnx import helper

        self.nodes.append(helper.make_node("Identity", [name], [output], name=f"{output}_named"))

    def new_name(self, kind: str) -> str:
        """A name that nothing else in the graph has."""
        self._count += 1
        return f"{self.prefix}/{kind}_{self._count}"

    def weight(self, value: Any, dtype: Any = np.float32) -> str:
        """The name of a weight or constant; equal ones are kept once."""
        if self._outer is not None:
            return self._outer.weight(value, dtype)
        array = np.ascontiguousarray(value, dtype=dtype) if np.ndim(value) else np.asarray(value, dtype=dtype)
        key = (array.tobytes(), array.shape, array.dtype.str)
        if key not in self._by_value:
            self._by_value[key] = f"{self.prefix}/weight_{len(self._weights)}"
            self._weights[self._by_value[key]] = array
        return self._by_value[key]

    def integers(self, *values: int) -> str:
        """The name of a list of whole numbers, as axes and sizes are given."""
        return self.weight(np.array(values, dtype=np.int64), np.int64)

    def number(self, value: float) -> str:
        """The name of a single number."""
        return self.weight(value)

    def initializers(self) -> list[TensorProto]:
        """The weights in the form of a graph."""
        from onnx import numpy_helper

        return [numpy_helper.from_array(array, name) for name, array in self._weights.items()]
