"""A language model as other people's systems call it: tokens and states in, logits and states out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gatework.errors import UsageError

if TYPE_CHECKING:
    from gatework.tasks._after_training import Exportable
    from gatework.tasks.generate.model import LanguageModel

_TEXTS, _STEPS = 3, 5


class OneState(nn.Module):
    """A language model whose cell carries h."""

    def __init__(self, model: LanguageModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: Tensor, h: Tensor) -> tuple[Tensor, ...]:
        """Logits of shape (batch, time, vocabulary), and h after the last step."""
        features, states = self.model(inputs, None, (h,))
        return self.model.logits(features).transpose(0, 1), *states


class TwoStates(nn.Module):
    """A language model whose cell carries h and c."""

    def __init__(self, model: LanguageModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
        """Logits of shape (batch, time, vocabulary), and h and c after the last step."""
        features, states = self.model(inputs, None, (h, c))
        return self.model.logits(features).transpose(0, 1), *states


def exportable(model: LanguageModel) -> Exportable:
    """What is written of a language model, and how `gatework.export.onnx` is called for it.

    Raises:
        UsageError: Its cell carries more than h and c.
    """
    names = model.recurrent.spec.states
    if set(names) - {"h", "c"}:
        raise UsageError(f"the cell carries {', '.join(names)}, and language models are written of cells with h and c")
    zeros = torch.zeros(model.recurrent.num_layers, _TEXTS, model.recurrent.hidden_size)
    module = (OneState(model) if len(names) == 1 else TwoStates(model)).eval()
    keywords = {
        "inputs": (torch.arange(_TEXTS * _STEPS).view(_TEXTS, _STEPS) % len(model.bias), *[zeros] * len(names)),
        "fixed": dict.fromkeys(names, (0, 2)),
        "output_names": ("logits", *(f"{name}_next" for name in names)),
        "state": {name: f"{name}_next" for name in names},
    }
    return {"": (module, keywords)}
