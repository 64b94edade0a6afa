"""The LSTM layer, a drop-in for torch.nn.LSTM."""

from __future__ import annotations

import torch

from gatework.cells import lstm
from gatework.nn._layer import RecurrentLayer
from gatework.nn._options import ScanOptions


class LSTM(RecurrentLayer):
    """Layers of long short-term memory over sequences; the equations are in `gatework.cells.lstm`.

    Args:
        input_size: Features of the input.
        hidden_size: Units of each layer.
        num_layers: Layers, each on the output of the one before.
        bias: Whether the two products have biases.
        batch_first: Whether batches are (batch, time, features) rather than (time, batch, features).
        dropout: The probability that an element between two layers is zeroed in training.
        bidirectional: Whether a second stack runs over the sequences from their ends.
        proj_size: The features that the output is projected to, smaller than `hidden_size`; 0 for no projection.
        device: Where the parameters lie.
        dtype: Their type.
        forget_bias: What the two biases of the forget gate add up to at first, in every layer and direction; None for
            torch's uniform start.
        orthogonal: Whether the recurrent matrix of every gate starts orthogonal.
        options: What acts around the cell at every step.

    Raises:
        UsageError: An argument does not fit.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        *,
        forget_bias: float | None = None,
        orthogonal: bool = False,
        options: ScanOptions | None = None,
    ) -> None:
        super().__init__(
            lstm.SPEC,
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device,
            dtype,
            forget_bias=forget_bias,
            orthogonal=orthogonal,
            options=options,
        )
