"""Shapes of a training step, and the step itself, of our layers and of torch's with the same weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

import gatework
from gatework.errors import UsageError, nearest


@dataclass(frozen=True)
class Shape:
    """The sizes of a training step of a stack of layers.

    Attributes:
        name: How the shape is called.
        batch: The number of sequences.
        steps: The time steps of the longest sequence.
        input: The width of the input.
        hidden: The hidden size.
        layers: The number of layers.
        shortest: The shortest length where lengths differ, uniform up to `steps`; otherwise None.
        has_input_gradient: Whether the input's gradient is wanted, as behind an embedding.
    """

    name: str
    batch: int
    steps: int
    input: int
    hidden: int
    layers: int = 1
    shortest: int | None = None
    has_input_gradient: bool = False


SHAPES = (
    Shape("imdb", 32, 200, 128, 128),
    Shape("embedded", 32, 200, 128, 128, has_input_gradient=True),
    Shape("waves", 32, 100, 1, 20, layers=2),
    Shape("long", 8, 1000, 64, 64),
    Shape("large", 64, 100, 512, 512),
    Shape("ragged", 32, 200, 128, 128, shortest=100, has_input_gradient=True),
)
CELLS = ("lstm", "gru", "rnn")
_CLASSES = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}


def choose(names: Sequence[str]) -> list[Shape]:
    """The shapes of those names, all when there are none.

    Raises:
        UsageError: There is no such shape.
    """
    known = {shape.name: shape for shape in SHAPES}
    for name in names:
        if name not in known:
            raise UsageError(f'there is no shape "{name}": {nearest(name, known)}')
    return [known[name] for name in names] or list(SHAPES)


def layers_of(shape: Shape, cell: str) -> tuple[nn.Module, nn.Module]:
    """Our layer and torch's with the same weights."""
    sizes = (shape.input, shape.hidden, shape.layers)
    ours = getattr(gatework.nn, _CLASSES[cell])(*sizes)
    theirs = getattr(nn, _CLASSES[cell])(*sizes)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def lengths_of(shape: Shape) -> Tensor | None:
    """The lengths of the sequences where they differ, shape (batch,)."""
    if shape.shortest is None:
        return None
    generator = torch.Generator().manual_seed(0)
    return torch.randint(shape.shortest, shape.steps + 1, (shape.batch,), generator=generator)


def training_step(shape: Shape, layer: nn.Module, is_ours: bool) -> Callable[[], None]:
    """A function that runs forward and backward once on the same random input, of the layer's element type.

    The output receives a random gradient: what a loss costs is not the layer's.
    """
    generator = torch.Generator().manual_seed(0)
    lengths, parameters = lengths_of(shape), list(layer.parameters())
    x, gradient = (
        torch.randn(shape.steps, shape.batch, width, generator=generator).to(parameters[0].dtype)
        for width in (shape.input, shape.hidden)
    )
    x.requires_grad_(shape.has_input_gradient)
    if lengths is not None and not is_ours:
        gradient = pack_padded_sequence(gradient, lengths, enforce_sorted=False).data

    def run() -> None:
        for parameter in parameters:
            parameter.grad = None
        x.grad = None
        if lengths is None:
            output = layer(x)[0]
        elif is_ours:
            output = layer(x, lengths=lengths)[0]
        else:
            output = layer(pack_padded_sequence(x, lengths, enforce_sorted=False))[0].data
        torch.autograd.backward(output, gradient)

    return run
