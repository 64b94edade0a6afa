"""Layers by the name of their cell: what recipes, the command line and comparisons ask for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from gatework import cells
from gatework.cells import CellSpec
from gatework.nn._layer import RecurrentLayer
from gatework.nn._options import ScanOptions
from gatework.nn.gru import GRU
from gatework.nn.lstm import LSTM
from gatework.nn.rnn import RNN

_DROP_INS: dict[str, Callable[..., RecurrentLayer]] = {
    "rnn": RNN,
    "rnn_relu": partial(RNN, nonlinearity="relu"),
    "gru": GRU,
    "lstm": LSTM,
}


class Recurrent(RecurrentLayer):
    """Layers of any cell, by name or by its CellSpec; with the parameters, methods and shapes of the drop-in layers.

    Args:
        cell: A registered name, or a CellSpec of your own.
        input_size: Features of the input.
        hidden_size: Units of each layer.
        num_layers: Layers, each on the output of the one before.
        options: `bias, batch_first, dropout, bidirectional, proj_size, device, dtype, forget_bias, orthogonal,
            options` as for `gatework.nn.LSTM`; `forget_bias` only where the cell has a forget gate.

    Raises:
        UsageError: There is no such cell, or an argument does not fit.
    """

    def __init__(
        self, cell: str | CellSpec, input_size: int, hidden_size: int, num_layers: int = 1, **options: Any
    ) -> None:
        super().__init__(
            cell if isinstance(cell, CellSpec) else cells.get(cell), input_size, hidden_size, num_layers, **options
        )

    def extra_repr(self) -> str:
        """The cell's name, then as the drop-in layers."""
        return f"{self.spec.name}, {super().extra_repr()}"


def recurrent(
    cell: str,
    input_size: int,
    hidden_size: int,
    *,
    num_layers: int = 1,
    bidirectional: bool = False,
    dropout: float = 0.0,
    batch_first: bool = False,
    forget_bias: float | None = None,
    orthogonal: bool = False,
    options: ScanOptions | None = None,
    device: torch.device | str | int | None = None,
    dtype: torch.dtype | None = None,
) -> RecurrentLayer:
    """A layer for a registered cell, the same call for every cell.

    Args:
        cell: The name in the registry.
        input_size: Features of the input.
        hidden_size: Units of each layer.
        num_layers: Layers, each on the output of the one before.
        bidirectional: Whether a second stack runs over the sequences from their ends.
        dropout: The probability that an element between two layers is zeroed in training; nothing with one layer.
        batch_first: Whether batches are (batch, time, features).
        forget_bias: What the biases of the forget gate add up to at first; nothing for a cell without a forget gate.
        orthogonal: Whether the recurrent matrix of every gate starts orthogonal.
        options: What acts around the cell at every step.
        device: Where the parameters lie.
        dtype: Their type.

    Raises:
        UsageError: There is no such cell, or an argument does not fit.
    """
    spec = cells.get(cell)
    given: dict[str, Any] = {"bidirectional": bidirectional, "batch_first": batch_first, "orthogonal": orthogonal}
    given |= {"dropout": dropout if num_layers > 1 else 0.0, "device": device, "dtype": dtype, "options": options}
    if spec.forget_gate is not None:
        given["forget_bias"] = forget_bias
    make = _DROP_INS.get(cell, partial(Recurrent, cell))
    return make(input_size, hidden_size, num_layers, **given)
