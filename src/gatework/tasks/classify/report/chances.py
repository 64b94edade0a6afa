"""Class probabilities of several models on the same examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Chances:
    """What every model says of the test part.

    Attributes:
        by_name: Per model, the probability of each class, shape (examples, classes), best model first.
        actual: The actual classes, shape (examples,).
        classes: The names of the classes, in the order of their indices.
        networks: The names of the models that are networks; of all models where none is.
    """

    by_name: Mapping[str, np.ndarray]
    actual: np.ndarray
    classes: tuple[str, ...]
    networks: tuple[str, ...]

    def predicted(self, name: str) -> np.ndarray:
        """The class that a model chooses for every example, shape (examples,)."""
        chosen: np.ndarray = self.by_name[name].argmax(axis=1)
        return chosen
