"""The network of a regression."""

from __future__ import annotations

import numpy as np

from gatework.nn.model import SequenceModel
from gatework.options import ModelOptions


class RegressionNetwork(SequenceModel):
    """A network that gives values, in the measure in which it learns them.

    Args:
        config: The cell, its size and its options.
        vocabulary: Number of tokens where the inputs are tokens, else None.
        inputs: Values per step where the inputs are series, else None.
        values: How many values there are.
        seconds: As `SequenceModel` takes them.
    """

    def __init__(
        self,
        config: ModelOptions,
        *,
        vocabulary: int | None,
        inputs: int | None,
        values: int,
        seconds: np.ndarray | None = None,
    ) -> None:
        super().__init__(config, vocabulary=vocabulary, inputs=inputs, outputs=values, seconds=seconds)
