"""A detector's network as other people's systems call it: rows and states in, what is expected and states out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gatework.errors import UsageError
from gatework.tasks.detect.model import Autoencoder, DetectNetwork, LabelNetwork, NextRowNetwork

if TYPE_CHECKING:
    from gatework.tasks._after_training import Exportable

_SERIES, _ROWS = 3, 5


class _Follower(nn.Module):
    """A network that goes on row by row, for several series at once."""

    def __init__(self, network: NextRowNetwork | LabelNetwork) -> None:
        super().__init__()
        self.network = network

    def _followed(self, inputs: Tensor, state: Any) -> tuple[Tensor, Any]:
        rows = inputs.transpose(0, 1)
        hidden, state = self.network.layers(rows, state)
        return self.network.answered(rows, hidden).transpose(0, 1), state


class OneStateFollower(_Follower):
    """The network of a cell that carries h."""

    def forward(self, inputs: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """What is expected of every row, shape (batch, time, outputs), and h after the last."""
        expected, state = self._followed(inputs, h)
        return expected, state


class TwoStateFollower(_Follower):
    """The network of a cell that carries h and c."""

    def forward(self, inputs: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What is expected of every row, shape (batch, time, outputs), and h and c after the last."""
        expected, state = self._followed(inputs, (h, c))
        return expected, *state


class Restorer(nn.Module):
    """An autoencoder, which reads whole windows."""

    def __init__(self, network: Autoencoder) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: Tensor) -> Tensor:
        """What is restored of every row, shape (batch, time, outputs)."""
        return self.network.over(inputs.transpose(0, 1)).transpose(0, 1)


def exportable(network: DetectNetwork) -> Exportable:
    """What is written of a detector, and how `gatework.export.onnx` is called for it.

    Raises:
        UsageError: Its cell carries more than h and c.
    """
    width = network.variables + network.features
    if isinstance(network, Autoencoder):
        example = torch.zeros(_SERIES, network.context, width)
        return {"": (Restorer(network).eval(), {"inputs": (example,), "output_names": ("expected",)})}
    if not isinstance(network, (NextRowNetwork, LabelNetwork)):
        return {}
    names = network.layers.spec.states
    if set(names) - {"h", "c"}:
        raise UsageError(f"the cell carries {', '.join(names)}, and detectors are written of cells with h and c")
    module = (OneStateFollower if len(names) == 1 else TwoStateFollower)(network).eval()
    zeros = torch.zeros(network.layers.num_layers, _SERIES, network.layers.hidden_size)
    return {
        "": (
            module,
            {
                "inputs": (torch.zeros(_SERIES, _ROWS, width), *[zeros] * len(names)),
                "fixed": {"inputs": (2,)} | dict.fromkeys(names, (0, 2)),
                "output_names": ("expected", *(f"{name}_next" for name in names)),
                "state": {name: f"{name}_next" for name in names},
            },
        )
    }
