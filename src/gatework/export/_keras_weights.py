"""The weights of Keras' recurrent layers and of gatework's, from one to the other.

This is the one place that knows Keras' order. A kernel is the transpose of a weight. The LSTM has the gates i, f, c, o,
which is torch's order, and a single bias. The GRU has z, r, h where torch has r, z, n, and with `reset_after` both
biases, as rows of one array. The SimpleRNN has one gate and one bias.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gatework.errors import UsageError
from gatework.export._nodes import numbers
from gatework.nn import RecurrentLayer


@dataclass(frozen=True)
class Kind:
    """A class of Keras that gatework has a cell for.

    Attributes:
        name: Keras' class.
        order: The place of each of its gates among gatework's.
        has_two_biases: Whether the products have a bias each.
        settings: What its config must say for the equations to be the cell's.
    """

    name: str
    order: tuple[int, ...]
    has_two_biases: bool
    settings: Mapping[str, object]

    def swapped(self, weight: np.ndarray) -> np.ndarray:
        """A weight of shape (gates x units, ...) with its gates in the other one's order, its own inverse."""
        return np.concatenate([weight.reshape(len(self.order), -1, *weight.shape[1:])[place] for place in self.order])


KINDS = {
    "lstm": Kind("LSTM", (0, 1, 2, 3), False, {"activation": "tanh", "recurrent_activation": "sigmoid"}),
    "gru": Kind("GRU", (1, 0, 2), True, {"activation": "tanh", "recurrent_activation": "sigmoid", "reset_after": True}),
    "rnn": Kind("SimpleRNN", (0,), False, {"activation": "tanh"}),
    "rnn_relu": Kind("SimpleRNN", (0,), False, {"activation": "relu"}),
}


def kind_of(layer: RecurrentLayer) -> Kind:
    """Keras' class for a layer.

    Raises:
        UsageError: Keras has none.
    """
    options = layer.step_options(0, None)
    kind = KINDS.get(layer.spec.name)
    if kind is None or layer.proj_size or not options.is_plain:
        what = f'the cell "{layer.spec.name}"' if kind is None else "proj_size, layer norm, zoneout and clip"
        raise UsageError(f"Keras has no layer for {what}; write it by --to onnx (gatework.export.onnx), js or c")
    return kind


def to_keras(layer: RecurrentLayer, place: int) -> list[np.ndarray]:
    """The variables of Keras' layer: the kernel, the recurrent kernel, and the bias where there is one.

    Args:
        layer: The layer.
        place: Which layer and direction of its stack.

    Returns:
        float32, in the shapes that `shapes()` gives.
    """
    kind, weights = kind_of(layer), layer.weights_at(place)
    arrays = [kind.swapped(numbers(weights.weight_ih)).T, kind.swapped(numbers(weights.weight_hh)).T]
    if weights.bias_ih is not None and weights.bias_hh is not None:
        biases = [kind.swapped(numbers(bias)) for bias in (weights.bias_ih, weights.bias_hh)]
        arrays.append(np.stack(biases) if kind.has_two_biases else biases[0] + biases[1])
    return [np.ascontiguousarray(array, np.float32) for array in arrays]


def shapes(kind: Kind, inputs: int, units: int, *, has_bias: bool) -> list[tuple[int, ...]]:
    """The shapes of the variables of Keras' layer."""
    rows = len(kind.order) * units
    bias: list[tuple[int, ...]] = [(2, rows) if kind.has_two_biases else (rows,)]
    return [(inputs, rows), (units, rows), *(bias if has_bias else [])]


def from_keras(kind: Kind, arrays: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """gatework's weights by their names without suffix, from the variables of Keras' layer, shaped as by `shapes()`."""
    kernel, recurrent, *biases = arrays
    weights = {"weight_ih": kind.swapped(kernel.T), "weight_hh": kind.swapped(recurrent.T)}
    for bias in biases:
        both = bias if kind.has_two_biases else np.stack([bias, np.zeros_like(bias)])
        weights |= {"bias_ih": kind.swapped(both[0]), "bias_hh": kind.swapped(both[1])}
    return weights
