"""What a trained classifier answers with: its network's scores, calibrated, or joined with those of a linear one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.tasks.classify.linear import LinearClassifier
from gatework.tasks.classify.stored import from_arrays

if TYPE_CHECKING:
    from torch import nn

    from gatework.tasks.classify.model import Joining

LINEAR = "linear_"
"""What the names of a linear classifier's arrays begin with."""


@dataclass(frozen=True, eq=False)
class Joint:
    """How the scores of a network become those that are answered.

    Attributes:
        temperature: What the network's are divided by where it answers alone.
        factors: What they, and those of the linear classifier, are multiplied by before they are added.
        linear: The linear classifier; None where there is none.
    """

    temperature: float
    factors: tuple[float, float]
    linear: LinearClassifier | None

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray], classes: int) -> Joint:
        """What a run has kept.

        Args:
            arrays: By name, as `Joining` calls its buffers.
            classes: How many classes there are.

        Raises:
            ValueError: They do not fit each other.
        """
        kept = {name.removeprefix(LINEAR): array for name, array in arrays.items() if name.startswith(LINEAR)}
        others = {name: array for name, array in arrays.items() if not name.startswith(LINEAR)}
        if {name: array.shape for name, array in others.items()} != {"temperature": (), "factors": (2,)}:
            raise ValueError(f"the calibration has {', '.join(others) or 'nothing'}")
        network, linear = others["factors"].tolist()
        return cls(float(others["temperature"]), (network, linear), from_arrays(kept, classes) if kept else None)

    def alone(self, outputs: np.ndarray) -> np.ndarray:
        """The network's calibrated scores, shape (examples, classes)."""
        return outputs if self.temperature == 1.0 else (outputs / self.temperature).astype(outputs.dtype)

    def together(self, outputs: np.ndarray, inputs: Any) -> np.ndarray:
        """The joined scores.

        Args:
            outputs: The network's own, shape (examples, classes).
            inputs: The texts or series.
        """
        network, linear = self.factors
        scores = network * outputs
        if self.linear is not None and linear:
            scores = scores + linear * self.linear.scores(inputs)
        return scores.astype(outputs.dtype)


def joining_of(model: nn.Module) -> Joining | None:
    """What a network's scores are calibrated by and joined with; None where it is no network of this task."""
    # A server's network holds the trained one inside.
    joining: Joining | None = getattr(getattr(model, "network", model), "joining", None)
    return joining
