"""The encoder that fits a kind of input, and the network that reads what it encodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.data.series import SeriesEncoder
from gatework.data.text import TextEncoder

if TYPE_CHECKING:
    from torch import nn

    from gatework.config import DataConfig, ModelConfig
    from gatework.data.dataset import Columns, Examples, Inputs

Encoder = TextEncoder | SeriesEncoder


def fit_encoder(inputs: Inputs, config: DataConfig) -> Encoder:
    """Learns the vocabulary or the scale of the training part's inputs."""
    if isinstance(inputs, np.ndarray):
        return SeriesEncoder.fit(inputs, config)
    return TextEncoder.fit(inputs, config)


def encoder_state(encoder: Encoder) -> dict[str, Any]:
    """The encoder as values that JSON can hold."""
    return {"kind": encoder.kind, **encoder.state()}


def encoder_from_state(state: Mapping[str, Any]) -> Encoder:
    """The encoder whose `encoder_state()` this is."""
    return (SeriesEncoder if state["kind"] == "series" else TextEncoder).from_state(state)


def tuples(columns: Mapping[str, Any]) -> Columns:
    """Columns by role as they were before JSON made lists of tuples."""
    return {role: tuple(names) if isinstance(names, list) else names for role, names in columns.items()}


def encode(encoder: Encoder, inputs: Inputs, targets: np.ndarray) -> Examples:
    """Examples ready to be batched."""
    return encoder.encode(inputs, targets)  # type: ignore[arg-type]


def network(encoder: Encoder, config: ModelConfig, outputs: int) -> nn.Module:
    """A network with fresh weights that reads what the encoder gives."""
    from gatework.nn.model import SequenceModel

    if isinstance(encoder, SeriesEncoder):
        return SequenceModel(config, vocabulary=None, inputs=len(encoder.scale.mean), outputs=outputs)
    return SequenceModel(config, vocabulary=len(encoder.vocabulary), inputs=None, outputs=outputs)
