"""The GRU layer, a drop-in for torch.nn.GRU."""

from __future__ import annotations

import torch

from gatework.cells import gru
from gatework.nn._checks import refuse_projection
from gatework.nn._layer import RecurrentLayer
from gatework.nn._options import ScanOptions


class GRU(RecurrentLayer):
    """Layers of gated recurrent units over sequences; the equations are in `gatework.cells.gru`.

    Args:
        input_size: Features of the input.
        hidden_size: Units of each layer.
        num_layers: Layers, each on the output of the one before.
        bias: Whether the two products have biases.
        batch_first: Whether batches are (batch, time, features) rather than (time, batch, features).
        dropout: The probability that an element between two layers is zeroed in training.
        bidirectional: Whether a second stack runs over the sequences from their ends.
        device: Where the parameters lie.
        dtype: Their type.
        orthogonal: Whether the recurrent matrix of every gate starts orthogonal.
        options: What acts around the cell at every step.
        proj_size: Not for this layer, as in torch: only an LSTM projects its output.

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
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        *,
        orthogonal: bool = False,
        options: ScanOptions | None = None,
        proj_size: int | None = None,
    ) -> None:
        refuse_projection("GRU", proj_size)
        super().__init__(
            gru.SPEC,
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
            orthogonal=orthogonal,
            options=options,
        )
