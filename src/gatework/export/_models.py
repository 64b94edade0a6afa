"""The models that are exported without example inputs: a recurrent layer, and a network around one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from gatework.errors import UsageError
from gatework.nn import RecurrentLayer
from gatework.nn._accelerate import taken_over
from gatework.nn.pair_vectors import plain

_TIME, _BATCH = 5, 3  # of the example; two different numbers, neither of them 1


class LayerModel(nn.Module):
    """A recurrent layer as a function of named tensors.

    Args:
        layer: The layer, gatework's, or torch.nn's where it is not ragged.
        is_ragged: Whether `lengths` come after the input.
        is_stateful: Whether the states come last and go out again.
    """

    def __init__(self, layer: RecurrentLayer | nn.RNNBase, *, is_ragged: bool, is_stateful: bool) -> None:
        super().__init__()
        self.layer: Any = layer
        self.is_ragged = is_ragged
        self.is_stateful = is_stateful
        states = states_of(layer) if is_stateful else ()
        self.input_names = ["x", *(["lengths"] if is_ragged else []), *states]
        self.output_names = ["output", *(f"{state}_next" for state in states)]

    def forward(self, x: Tensor, *others: Tensor) -> Any:
        """The output, and the states where they are carried.

        Args:
            x: Shape (time, batch, input), or (batch, time, input) with `batch_first`.
            others: The lengths, shape (batch,), where it is ragged; then the states, each of shape (layers x
                directions, batch, features), where it is stateful.
        """
        rest = list(others)
        lengths = {"lengths": rest.pop(0)} if self.is_ragged else {}
        hx = None if not rest else rest[0] if len(rest) == 1 else tuple(rest)
        for steps in lengths.values():
            torch._check(steps.shape[0] == x.shape[0 if self.layer.batch_first else 1])
        output, states = self.layer(x, hx, **lengths)
        if not self.is_stateful:
            return output
        return (output, states) if isinstance(states, Tensor) else (output, *states)

    def example(self) -> tuple[Tensor, ...]:
        """Inputs to trace it with, in the shapes and the order of the arguments of `forward()`."""
        layer = self.layer
        shape = (_BATCH, _TIME) if layer.batch_first else (_TIME, _BATCH)
        lengths = [torch.arange(_BATCH) + 1] if self.is_ragged else []
        states = initial(layer) if self.is_stateful else []
        return torch.zeros(*shape, layer.input_size), *lengths, *states


class NetworkModel(nn.Module):
    """A network of an optional embedding, a recurrent layer, a pooling and an output as a function of named tensors.

    Args:
        network: Has `embedding`, `recurrent`, `pooling` and `output`, as the networks of recipes.
        is_ragged: Whether `lengths` come after the input.
        is_stateful: Whether the states come last and go out again.

    Raises:
        UsageError: The states cannot be carried, as the output depends on all steps.
    """

    def __init__(self, network: Any, *, is_ragged: bool, is_stateful: bool) -> None:
        super().__init__()
        self.embedding: Any = plain(network.embedding)
        self.recurrent: Any = network.recurrent
        self.pooling: Any = network.pooling
        self.output: Any = network.output
        self.is_ragged = is_ragged
        self.is_stateful = is_stateful
        if is_stateful and (self.recurrent.bidirectional or self.pooling.kind != "last"):
            raise UsageError(
                "a network whose output depends on all steps cannot carry its states from call to call: export it "
                'without stateful=True, or train one in one direction with pooling "last"'
            )
        states = self.recurrent.spec.states if is_stateful else ()
        self.input_names = ["inputs", *(["lengths"] if is_ragged else []), *states]
        self.output_names = ["output", *(f"{state}_next" for state in states)]

    def forward(self, inputs: Tensor, *others: Tensor) -> Any:
        """The outputs, shape (batch, outputs), and the states where they are carried.

        Args:
            inputs: Token indices of shape (batch, time), or values of shape (batch, time, input).
            others: The lengths, shape (batch,), where it is ragged; then the states, each of shape (layers, batch,
                features), where it is stateful.
        """
        rest = list(others)
        lengths = rest.pop(0) if self.is_ragged else None
        hx = None if not rest else rest[0] if len(rest) == 1 else tuple(rest)
        if lengths is not None:
            torch._check(lengths.shape[0] == inputs.shape[0])
        x = inputs.transpose(0, 1)
        if self.recurrent.batch_first:
            raise UsageError("a network's recurrent layer takes the time first; make it with batch_first=False")
        if self.embedding is not None:
            x = self.embedding(x)
        sequence, states = self.recurrent(x, hx, lengths=lengths)
        last = states[0] if isinstance(states, tuple) else states
        output = self.output(self.pooling(sequence, last, lengths))
        if not self.is_stateful:
            return output
        return (output, states) if isinstance(states, Tensor) else (output, *states)

    def example(self) -> tuple[Tensor, ...]:
        """Inputs to trace it with, in the shapes and the order of the arguments of `forward()`."""
        inputs = torch.zeros(_BATCH, _TIME, self.recurrent.input_size)
        if self.embedding is not None:
            inputs = torch.arange(_BATCH * _TIME).view(_BATCH, _TIME) * 7 % self.embedding.num_embeddings
        lengths = [torch.arange(_BATCH) + 1] if self.is_ragged else []
        return inputs, *lengths, *(initial(self.recurrent) if self.is_stateful else [])


@dataclass(frozen=True)
class Subject:
    """What is exported.

    Attributes:
        model: The model, as a function of tensors.
        inputs: An example of what it is called with.
        input_names: What the tensors among them are called; as the arguments of `forward()` if None.
        output_names: What its outputs are called, if that is known.
        state: The output that each carried input receives at the next call, by the input's name.
        shortest: The smallest length of a sequence.
        fixed: The axes that keep their size, by argument of `forward()`.
    """

    model: nn.Module
    inputs: tuple[Any, ...]
    input_names: Sequence[str] | None = None
    output_names: Sequence[str] | None = None
    state: Mapping[str, str] = field(default_factory=dict)
    shortest: int = 1
    fixed: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, model: nn.Module, inputs: Sequence[Any] | None, *, ragged: bool, stateful: bool) -> Subject:
        """A model with the inputs that are given, or a layer or a network with inputs that fit it.

        Raises:
            UsageError: There are no inputs and none are known, or it cannot be ragged or stateful.
        """
        if inputs is not None:
            if ragged or stateful:
                raise UsageError(
                    "ragged and stateful are for a model that is given without inputs; give what it takes instead"
                )
            return cls(model, tuple(inputs))
        chosen = _known(model, is_ragged=ragged, is_stateful=stateful)
        states = chosen.input_names[len(chosen.input_names) - len(chosen.output_names) + 1 :]
        pairs = dict(zip(states, chosen.output_names[1:], strict=True))
        shortest = 0 if isinstance(chosen, LayerModel) else 1  # a network has to see something
        return cls(chosen, chosen.example(), chosen.input_names, chosen.output_names, pairs, shortest)


def _known(model: nn.Module, *, is_ragged: bool, is_stateful: bool) -> LayerModel | NetworkModel:
    """A layer or a network as a function of tensors."""
    if isinstance(model, nn.RNNBase) and is_ragged:
        model = taken_over(model)
    if isinstance(model, (RecurrentLayer, nn.RNNBase)):
        return LayerModel(model, is_ragged=is_ragged, is_stateful=is_stateful)
    if is_network(model):
        return NetworkModel(model, is_ragged=is_ragged, is_stateful=is_stateful)
    raise UsageError(
        f"what a {type(model).__name__} takes is not known: give an example of its inputs, as "
        "inputs=(torch.zeros(3, 5, 8),)"
    )


def is_network(model: nn.Module) -> bool:
    """Whether a model has the parts of a network of a recipe, and no others that its answers need."""
    parts = ("embedding", "recurrent", "pooling", "output")
    is_whole = all(hasattr(model, name) for name in parts) and isinstance(model.recurrent, RecurrentLayer)
    return is_whole and getattr(model, "context", None) is None


def states_of(layer: RecurrentLayer | nn.RNNBase) -> tuple[str, ...]:
    """The names of the states that a layer carries."""
    if isinstance(layer, RecurrentLayer):
        return layer.spec.states
    return ("h", "c") if isinstance(layer, nn.LSTM) else ("h",)


def initial(layer: Any) -> list[Tensor]:
    """The states of a start, for the batch of the example: zeros of shape (layers x directions, batch, features)."""
    depth = layer.num_layers * (2 if layer.bidirectional else 1)
    widths = [layer.proj_size or layer.hidden_size if name == "h" else layer.hidden_size for name in states_of(layer)]
    return [torch.zeros(depth, _BATCH, width) for width in widths]
