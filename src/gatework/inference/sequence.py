"""The network of a task that maps each text or series to one vector; `SequenceModel` is the same in torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gatework._equal_runs import equal_runs
from gatework.inference._layers import CarriedStates, Layers, Weights, has_layers, weight_shapes
from gatework.inference._pooling import AttentionAverage, LastState, Pooled, Statistics, View
from gatework.inference._quantized_layers import QuantizedLayers
from gatework.inference._rows import ScanRows
from gatework.options import ModelOptions

Array = NDArray[np.float32]
_TOGETHER = 1 << 17
"""The numbers that are pooled at once."""


CarriedOn = tuple[CarriedStates, Pooled | None]
"""What a network carries from step to step, which does not grow: the states of its layers, and what its view of them
needs. A stream makes one a row, and a tuple without names takes a fifth of the time."""


class Sizes(NamedTuple):
    """What a network is given and gives.

    Attributes:
        vocabulary: Tokens, where its inputs are such; else None.
        inputs: Values per step, where its inputs are series; else None.
        outputs: Outputs.
    """

    vocabulary: int | None
    inputs: int | None
    outputs: int


class SequenceNetwork:
    """A trained network, ready to answer.

    What it says of one sequence does not depend on what else is in the batch, to the last bit: kernels add up in the
    same order for any batch, and what follows them is computed for each sequence alone.

    Args:
        config: The cell, its size and its options.
        sizes: Those of inputs and outputs.
        weights: By the names that training gives them, of which `fits()` is true.
        is_quantized: Whether the layers compute on int8; what is before and after them stays as it is.
    """

    def __init__(self, config: ModelOptions, sizes: Sizes, weights: Weights, *, is_quantized: bool = False) -> None:
        self._given = config, sizes, weights
        held = {name: np.ascontiguousarray(array) for name, array in weights.items()}
        self._embedding: Array | None = held.get("embedding.weight")
        self._tokens = 0 if self._embedding is None else len(self._embedding)
        self._first_vector = 0 if self._embedding is None else self._embedding.ctypes.data
        self._vector_bytes = 0 if self._embedding is None else self._embedding.strides[0]
        start = "recurrent."
        recurrent = {name.removeprefix(start): array for name, array in held.items() if name.startswith(start)}
        self._width = sizes.inputs or config.embedding
        self.layers = (QuantizedLayers if is_quantized else Layers)(config, self._width, recurrent)
        self._weight, self._bias = held["output.weight"], held["output.bias"]
        self._pooling = _pooling(config, held)
        self._is_last = config.pooling == "last"
        self.is_bidirectional = config.bidirectional

    @staticmethod
    def fits(config: ModelOptions, sizes: Sizes, weights: Weights) -> bool:
        """Whether a network of this recipe can be computed here, and these are its weights and no others."""
        if not has_layers(config):
            return False
        shapes = _shapes(config, sizes)
        return set(shapes) == set(weights) and all(
            weights[name].shape == shape and weights[name].dtype == np.float32 for name, shape in shapes.items()
        )

    def quantized(self) -> SequenceNetwork:
        """The same network with its layers on int8."""
        return SequenceNetwork(*self._given, is_quantized=True)

    def outputs(self, inputs: np.ndarray, lengths: NDArray[np.int64]) -> Array:
        """Outputs of shape (examples, outputs).

        Args:
            inputs: Token indices of shape (examples, time), or values of shape (examples, time, inputs).
            lengths: Steps of each, at least 1, shape (examples,).
        """
        rows = ScanRows.of(lengths)
        sequence, last = self.layers.over(self._vectors(rows.packed(inputs)), rows)
        count = self.layers.directions
        ends = last[-1] if count == 1 else np.concatenate(list(last[-count:]), 1)
        outputs = np.empty((len(lengths), len(self._bias)), np.float32)
        steps = np.zeros_like(lengths) if self._is_last else lengths[rows.order]
        ranks = np.arange(len(lengths))[:, None]
        for alike in equal_runs(steps * sequence.shape[1], _TOGETHER):
            places = ranks[alike] + rows.offsets[: steps[alike.start]]
            seen = self._pooling.over(sequence[places], ends[alike])
            outputs[rows.order[alike]] = self._output(seen)
        return outputs

    def follow(self, steps: np.ndarray, carried: CarriedOn | None) -> tuple[Array, CarriedOn]:
        """Goes on by several steps of one sequence: for each, the outputs as if the sequence ended with it.

        Args:
            steps: Token indices of shape (steps,), or values of shape (steps, inputs); at least one step.
            carried: What the previous call returned, which is no longer to be used; None at the start.

        Returns:
            Outputs of shape (steps, outputs), and what the next call is given.
        """
        states, pooled = (None, None) if carried is None else carried
        if len(steps) == 1:
            # The array must live until the kernel has read it.
            vectors = self._vectors(steps) if self._embedding is None else self._embedding
            place = vectors.ctypes.data if self._embedding is None else self._vector_at(steps.item())
            states = self.layers.step(place, states)
            seen, pooled = self._pooling.step(states.hidden, pooled)
            return self._output_of_one(seen)[None], (states, pooled)
        sequence, states = self.layers.go_on(self._vectors(steps), states)
        outputs = np.empty((len(sequence), len(self._bias)), np.float32)
        for place, hidden in enumerate(sequence):
            seen, pooled = self._pooling.step(hidden, pooled)
            outputs[place] = self._output_of_one(seen)
        return outputs, (states, pooled)

    def to_arrays(self, carried: CarriedOn | None) -> list[Array]:
        """What is carried, as float32 arrays of its own; none at the start."""
        if carried is None:
            return []
        states, pooled = carried
        return [states.values.copy(), *(pooled or ())]

    def from_arrays(self, arrays: Sequence[Array]) -> CarriedOn | None:
        """What `to_arrays()` made arrays of.

        Raises:
            ValueError: They are not those of this network.
        """
        if not arrays:
            return None
        shapes = (self.layers.carried_shape, *self._pooling.carried_shapes(self.layers.hidden))
        if tuple(array.shape for array in arrays) != shapes or any(array.dtype != np.float32 for array in arrays):
            raise ValueError("the state is that of another network")
        values, *pooled = (np.array(array, order="C") for array in arrays)
        return CarriedStates.of(values), (pooled[0], pooled[1], pooled[2]) if pooled else None

    def _vectors(self, inputs: np.ndarray) -> Array:
        """What the layers read of tokens, or of values, shape (rows, features)."""
        vectors = inputs if self._embedding is None else self._embedding[inputs]
        return np.ascontiguousarray(vectors, np.float32)

    def _vector_at(self, token: int) -> int:
        """The address of a token's vector."""
        if not 0 <= token < self._tokens:
            raise IndexError(f"there is no token {token}")
        return self._first_vector + self._vector_bytes * token

    def _output(self, seen: Array) -> Array:
        """Those of several views, each by a product of its own: one of all would add up in another order."""
        output: Array = (self._weight @ seen[..., None])[..., 0] + self._bias
        return output

    def _output_of_one(self, seen: Array) -> Array:
        """That of one view: the same product in a third of the time."""
        output: Array = np.dot(self._weight, seen) + self._bias
        return output


def _shapes(config: ModelOptions, sizes: Sizes) -> dict[str, tuple[int, ...]]:
    """The weights of the network by name, with their shapes."""
    states = config.hidden * (2 if config.bidirectional else 1)
    seen = 3 * states if config.pooling == "concat" else states
    shapes = weight_shapes(config, sizes.inputs or config.embedding)
    named = {f"recurrent.{name}": shape for name, shape in shapes.items()}
    named |= {"output.weight": (sizes.outputs, seen), "output.bias": (sizes.outputs,)}
    if sizes.vocabulary is not None:
        named["embedding.weight"] = (sizes.vocabulary, config.embedding)
    if config.pooling == "attention":
        named |= {"pooling.score.weight": (1, states), "pooling.score.bias": (1,)}
    return named


def _pooling(config: ModelOptions, weights: Weights) -> View:
    if config.pooling == "attention":
        return AttentionAverage(weights["pooling.score.weight"], weights["pooling.score.bias"])
    return LastState() if config.pooling == "last" else Statistics(config.pooling)
