"""The loss of a language model on windows of streams."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gatework.nn import linear_cross_entropy
from gatework.tasks._task import Loss
from gatework.tasks.generate.model import LanguageModel
from gatework.tasks.generate.streams import IGNORED, StreamBatch

if TYPE_CHECKING:
    from torch import nn

    from gatework.data.dataset import Batch


def stream_loss(model: nn.Module, batch: Batch) -> Loss:
    """The cross-entropy of the next tokens, summed, and the states at the end of the windows."""
    if not isinstance(batch, StreamBatch) or not isinstance(model, LanguageModel):
        raise TypeError("a language model learns from windows of tokens")
    features, states = model(batch.inputs, batch.reset, batch.carried)
    total = linear_cross_entropy(
        features, model.embedding.weight, batch.targets.t(), model.bias, reduction="sum", ignore_index=IGNORED
    )
    weight = int(batch.lengths.sum())
    bits = float(total.detach()) / math.log(2)
    return Loss(total, weight, {"bits_per_token": bits}, tuple(state.detach() for state in states))
