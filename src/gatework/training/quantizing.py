"""A trained network on int8; in a file of its own, as it imports torch."""

from __future__ import annotations

from torch import nn

from gatework.nn import quantize


def quantized(network: nn.Module) -> nn.Module:
    """A copy of a run's network whose recurrent layers compute on int8; see `gatework.quantize()`."""
    return quantize(network)
