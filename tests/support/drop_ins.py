"""Every drop-in class with its options beside torch's own, for the tests of the layers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor

import gatework
from gatework.nn import _paths


@dataclass(frozen=True)
class DropIn:
    """A class of torch.nn and the one of the same name here, with constructor options."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)

    def pair(self, *args: Any, **options: Any) -> tuple[torch.nn.RNNBase, gatework.nn.RecurrentLayer]:
        """torch's layer and ours with the same weights."""
        theirs = getattr(torch.nn, self.name)(*args, **self.options, **options)
        ours = getattr(gatework.nn, self.name)(*args, **self.options, **options)
        ours.load_state_dict(theirs.state_dict())
        return theirs, ours

    def __str__(self) -> str:
        return "-".join([self.name, *(f"{key}={value}" for key, value in self.options.items())])


DROP_INS = [
    DropIn("RNN"),
    DropIn("RNN", {"nonlinearity": "relu"}),
    DropIn("GRU"),
    DropIn("LSTM"),
    DropIn("LSTM", {"proj_size": 3}),
]


def tensors(result: Any) -> list[Tensor]:
    """Every tensor of a nested result, in order."""
    if isinstance(result, Tensor):
        return [result]
    return [] if result is None else [tensor for part in result for tensor in tensors(part)]


def take_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every layer be computed by its cell's `step()` in a loop."""
    monkeypatch.setattr(_paths, "choose", lambda *_, **__: "reference")
    monkeypatch.setattr(_paths, "is_direct", lambda _: False)
