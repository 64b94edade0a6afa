"""A network as plain arrays and the graph of its cell: what JavaScript and C are written from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from gatework.cells import options
from gatework.cells._derive import NORMALISED, Derivation, derive, topological
from gatework.cells._printer import Language, statements
from gatework.cells._symbol import Graph, Symbol
from gatework.errors import UsageError
from gatework.export._models import is_network
from gatework.export._nodes import numbers
from gatework.nn import RecurrentLayer
from gatework.nn._accelerate import taken_over
from gatework.nn.pair_vectors import plain

Linear = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Network:
    """A recurrent layer, and what may stand before and after it.

    Attributes:
        layer: The recurrent layer.
        derived: The equations of its cell, with the states normalised where there is a layer norm.
        scans: The weights of each layer and direction by their names; those that there are.
        after: What acts on states after the step: by option, then by state, its number.
        embedding: The vectors of the tokens, or None where the inputs are numbers.
        pooling: What the output sees of the states over time, or None where there is no output.
        score: The weight and bias that attention scores a step with.
        output: The weight and bias of the output.
    """

    layer: RecurrentLayer
    derived: Derivation
    scans: tuple[Mapping[str, np.ndarray], ...]
    after: Mapping[str, Mapping[str, float]]
    embedding: np.ndarray | None = None
    pooling: str | None = None
    score: Linear | None = None
    output: Linear | None = None

    @property
    def accumulators(self) -> list[tuple[int, int]]:
        """For each accumulator of the step its block of the input and of the recurrent product; -1 without."""
        spec = self.layer.spec
        places = []
        for name in self.derived.accumulators:
            kind, gate = name[0], name[2:]
            taken = spec.input_gates.index(gate) if kind != "u" else -1
            places.append((taken, spec.recurrent_gates.index(gate) if kind != "x" else -1))
        return places


def network(model: nn.Module) -> Network:
    """A model's arrays.

    Args:
        model: A recurrent layer, gatework's or torch.nn's, or a network of an optional `embedding`, a `recurrent`
            layer, a `pooling` and an `output`.

    Raises:
        UsageError: The model is another one, or its cell cannot be computed unit by unit.
    """
    if isinstance(model, nn.RNNBase):
        model = taken_over(model)
    if isinstance(model, RecurrentLayer):
        return _of_layer(model)
    if not is_network(model):
        raise UsageError(
            f"a {type(model).__name__} is neither a recurrent layer nor a network with embedding, recurrent, pooling "
            "and output; gatework.export.onnx takes any model"
        )
    parts: Any = model
    vectors = plain(parts.embedding)
    table = None if vectors is None else numbers(vectors.weight)
    score = None if parts.pooling.score is None else _linear(parts.pooling.score)
    return _of_layer(parts.recurrent, table, parts.pooling.kind, score, _linear(parts.output))


def _linear(layer: nn.Linear) -> Linear:
    bias = np.zeros(layer.out_features) if layer.bias is None else numbers(layer.bias)
    return numbers(layer.weight), bias


def _of_layer(layer: RecurrentLayer, *others: Any) -> Network:
    acting = layer.step_options(0, None)
    derived = derive(layer.spec, is_normalised=acting.norms is not None)
    if not derived.can_be_cut:
        raise UsageError(
            f"the cell \"{layer.spec.name}\" needs one state's norm for another's within a step, which only "
            "gatework.export.onnx can write"
        )
    scans = tuple(_weights(layer, place) for place in range(layer.num_layers * layer.num_directions))
    return Network(layer, derived, scans, acting.after, *others)


def _weights(layer: RecurrentLayer, place: int) -> dict[str, np.ndarray]:
    norms = layer.step_options(place, None).norms
    given = layer.weights_at(place)._asdict()
    given |= {} if norms is None else norms._asdict()
    return {name: numbers(weight) for name, weight in given.items() if weight is not None and weight.numel()}


def step_statements(
    derived: Derivation, language: Language, read: Callable[[str, int], str]
) -> tuple[list[str], list[str]]:
    """The statements of one step of one unit: those before the norms of its states, and all of it.

    Args:
        derived: The cell's equations.
        language: What to write.
        read: How a value is read: its kind ("sum", "vector", "before" or "normal"), and which of them it is.

    Returns:
        The statements that end with what "inner" reads, without layer norm none; and those that end with what "after"
        reads, the new states.
    """

    def printed(outputs: tuple[Symbol, ...], result: str) -> list[str]:
        names = {}
        for symbol in topological(outputs):
            if symbol.operation == "input":
                names[symbol] = read(*_place(derived, str(symbol.value)))
        lines = [statement for _, statement in statements(outputs, names, {}, language)]
        return lines + [f"{read(result, n)} = {names[symbol]};" for n, symbol in enumerate(outputs)]

    inner = printed(derived.inner, "inner") if derived.inner else []
    return inner, printed(derived.next_states, "after")


def after_statements(held: Network, language: Language) -> dict[str, tuple[list[str], str]]:
    """What acts on each state after the step, of `previous` and `next`; none of the states that nothing acts on.

    Returns:
        By state the statements, and the name of the state that is carried on.
    """
    written = {}
    for state in held.layer.spec.states:
        graph = Graph(options.__file__)
        previous, new = graph.input("previous"), graph.input("next")
        carried = options.evaluated(state, previous, new, held.after)
        if carried is not new:
            names = {previous: "previous", new: "next"}
            lines = [statement for _, statement in statements([carried], names, {}, language)]
            written[state] = (lines, names[carried])
    return written


def _place(derived: Derivation, value: str) -> tuple[str, int]:
    spec = derived.spec
    if value in derived.accumulators:
        return "sum", derived.accumulators.index(value)
    if value in spec.states:
        return "before", spec.states.index(value)
    if value.startswith(NORMALISED):
        return "normal", derived.normalised.index(value.removeprefix(NORMALISED))
    return "vector", spec.unit_weights.index(value.removeprefix("p_"))
