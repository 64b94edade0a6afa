"""A training part on disk whose examples are cut out of longer series when they are asked for."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from gatework.data.dataset import Split
from gatework.data.inputs import Inputs


class Cuts(Inputs, Protocol):
    """What the examples are cut out of."""

    def notes(self) -> tuple[str, ...]:
        """What was found in the table and how it was handled, one sentence each."""
        ...

    def split_at(self, index: np.ndarray) -> Split:
        """The examples at these positions, shape (count,), in memory."""
        ...


class CutSplit(Split):
    """Examples that are cut out of series on disk; a task says what their targets are."""

    inputs: Cuts

    def __init__(self, cuts: Cuts) -> None:
        object.__setattr__(self, "inputs", cuts)
        object.__setattr__(self, "beside", None)

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was found in the table and how it was handled."""
        return self.inputs.notes()

    def take(self, index: np.ndarray) -> Split:
        """The examples at these positions, shape (count,), in memory."""
        return self.inputs.split_at(index)
