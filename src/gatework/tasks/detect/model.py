"""The networks behind the scorers, each over whole training windows and step by step with carried state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from gatework.nn.model import layers

if TYPE_CHECKING:
    from gatework.nn import RecurrentLayer
    from gatework.options import ModelOptions

# How many windows an autoencoder reads at once when it goes over a file.
_WINDOWS = 512


class DetectNetwork(nn.Module, ABC):
    """A network that says what it expects of every row.

    Args:
        config: The cell, its size and its options.
        variables: Watched columns.
        features: Further inputs of a row: what the clock says.
        outputs: Numbers it gives for every row.
        usual: How many errors of the validation part it carries for thresholds to begin with, at how many scales:
            (scales, rows).
    """

    usual: Tensor
    budget: Tensor

    def __init__(
        self, config: ModelOptions, variables: int, features: int, outputs: int, usual: tuple[int, int]
    ) -> None:
        super().__init__()
        self.variables, self.features = variables, features
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(config.hidden, outputs)
        self.register_buffer("usual", torch.zeros(*usual, outputs))
        # What thresholds are multiplied by, to keep to a number of alarms per week.
        self.register_buffer("budget", torch.ones(()))

    def forward(self, inputs: Tensor) -> Tensor:
        """What is expected of every row of training windows, shape (batch, time x outputs).

        Args:
            inputs: Rows of windows, shape (batch, time, variables + features).
        """
        return self.over(inputs.transpose(0, 1)).transpose(0, 1).flatten(1)

    @property
    @abstractmethod
    def stacks(self) -> Mapping[str, RecurrentLayer]:
        """Its recurrent layers, by what the names of their weights begin with."""

    @abstractmethod
    def over(self, inputs: Tensor) -> Tensor:
        """What is expected, shape (time, batch, outputs), from inputs of shape (time, batch, variables + features)."""

    @abstractmethod
    def follow(self, inputs: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Goes on along one series.

        Args:
            inputs: The rows that come next, shape (rows, variables + features).
            state: What the previous call returned; None at the start.

        Returns:
            What is expected of each row, shape (rows, outputs), NaN where nothing is yet, and the state to go on with.
        """


class RowNetwork(DetectNetwork, ABC):
    """A network of one stack that answers for each row as it reads it, with carried state.

    Args:
        config: The cell, its size and its options.
        variables: Watched columns.
        features: Further inputs of a row.
        outputs: Numbers it gives for every row.
        usual: As for `DetectNetwork`.
    """

    def __init__(
        self, config: ModelOptions, variables: int, features: int, outputs: int, usual: tuple[int, int]
    ) -> None:
        super().__init__(config, variables, features, outputs, usual)
        self.layers = layers(config, variables + features)

    @property
    def stacks(self) -> Mapping[str, RecurrentLayer]:
        """Those that read the rows."""
        return {"layers": self.layers}

    def over(self, inputs: Tensor) -> Tensor:
        """What is expected, shape (time, batch, outputs)."""
        return self.answered(inputs, self.dropout(self.layers(inputs)[0]))

    def follow(self, inputs: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Goes on along one series; the first row of all has nothing before it and is expected to be as 0 says."""
        if len(inputs) == 1:
            hidden, state = self.layers.step(inputs, state)
        else:
            hidden, state = self.layers(inputs.unsqueeze(1), state)
            hidden = hidden.squeeze(1)
        return self.answered(inputs, hidden), state

    @abstractmethod
    def answered(self, inputs: Tensor, hidden: Tensor) -> Tensor:
        """What is expected of rows, shape (..., outputs), by the layers' output.

        Args:
            inputs: The rows as they are read, shape (..., variables + features).
            hidden: The layers' output at each, shape (..., hidden).
        """


class NextRowNetwork(RowNetwork):
    r"""Expects of a row the one before it plus what the layers add: $\hat x_t = x_{t-1} + W h_t$.

    Its input at row $t$ is $x_{t-1}$ and what the clock says of $t$. It begins as the forecast "no change".
    """

    def __init__(self, config: ModelOptions, variables: int, features: int, usual: tuple[int, int]) -> None:
        super().__init__(config, variables, features, variables, usual)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def answered(self, inputs: Tensor, hidden: Tensor) -> Tensor:
        """What is expected of rows, shape (..., variables), by the layers' output."""
        return inputs[..., : self.variables] + linear(hidden, self.output.weight, self.output.bias)


class LabelNetwork(RowNetwork):
    """Says how likely a row is labelled, from it and the rows before it: log odds, one number a row."""

    def __init__(self, config: ModelOptions, variables: int, features: int, usual: tuple[int, int]) -> None:
        super().__init__(config, variables, features, 1, usual)

    def answered(self, inputs: Tensor, hidden: Tensor) -> Tensor:
        """Log odds of rows, shape (..., 1), by the layers' output."""
        odds: Tensor = self.output(hidden)
        return odds


class Autoencoder(DetectNetwork):
    r"""Expects of the last rows what it can restore from the one state it reads them into (Malhotra et al. 2016).

    The encoder's last state stands at every step of the decoder's input, beside what the clock says.

    Args:
        config: The cell, its size and its options.
        variables: Watched columns.
        features: Further inputs of a row.
        usual: As for `DetectNetwork`.
        context: Rows that are read at once.
    """

    def __init__(
        self, config: ModelOptions, variables: int, features: int, usual: tuple[int, int], context: int
    ) -> None:
        super().__init__(config, variables, features, variables, usual)
        self.context = context
        self.encoder = layers(config, variables + features)
        self.decoder = layers(config, config.hidden + features)

    @property
    def stacks(self) -> Mapping[str, RecurrentLayer]:
        """Those that read the rows, and those that restore them."""
        return {"encoder": self.encoder, "decoder": self.decoder}

    def over(self, inputs: Tensor) -> Tensor:
        """What is restored, shape (time, batch, variables)."""
        code = self.encoder(inputs)[0][-1:].expand(len(inputs), -1, -1)
        hidden = self.decoder(torch.cat([code, inputs[..., self.variables :]], dim=-1))[0]
        restored: Tensor = self.output(self.dropout(hidden))
        return restored

    def follow(self, inputs: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Goes on along one series: each row is expected as the last of the `context` rows that end with it."""
        rows = inputs if state is None else torch.cat([state, inputs])
        known = len(rows) - len(inputs)
        windows = rows.unfold(0, self.context, 1) if len(rows) >= self.context else None
        expected = torch.full((len(inputs), self.variables), float("nan"))
        if windows is not None:
            first = self.context - 1 - known
            parts = [self.over(part.permute(2, 0, 1))[-1] for part in windows.split(_WINDOWS)]
            expected[first:] = torch.cat(parts)
        return expected, rows[max(0, len(rows) - self.context + 1) :]
