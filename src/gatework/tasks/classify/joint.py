"""What a trained classifier answers with: its network's scores, calibrated, or joined with those of simple methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.tasks.classify.calibration import Joined
from gatework.tasks.classify.voices import SimpleVoice, stored_voices

if TYPE_CHECKING:
    from torch import nn

    from gatework.tasks.classify.model import Joining

_DIMENSIONS = {"temperature": 0, "factors": 1, "shares": 1, "heat": 0}
"""Of the arrays that are kept of a `Joint`, apart from its voices'."""


@dataclass(frozen=True, eq=False)
class Joint:
    """How the scores of a network become those that are answered.

    Attributes:
        temperature: What the network's are divided by where it answers alone.
        joined: How they, and those of each voice, are joined.
        voices: The simple methods that answer beside the network; none where it answers alone.
    """

    temperature: float
    joined: Joined
    voices: tuple[SimpleVoice, ...]

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray], classes: int) -> Joint:
        """What a run has kept.

        Args:
            arrays: By name, as `Joining` calls its buffers.
            classes: How many classes there are.

        Raises:
            ValueError: They do not fit each other.
        """
        voices, others = stored_voices(arrays, classes)
        if {name: array.ndim for name, array in others.items()} != _DIMENSIONS:
            raise ValueError(f"the calibration has {', '.join(others) or 'nothing'}")
        shares, factors = (tuple(others[name].tolist()) for name in ("shares", "factors"))
        if not len(voices) < len(factors) == len(shares):
            raise ValueError(f"the calibration has {len(factors)} factors for {len(voices) + 1} voices")
        if min(shares) < 0 or not any(shares):
            raise ValueError("the shares of the calibration are none")
        return cls(float(others["temperature"]), Joined(shares, factors, float(others["heat"])), voices)

    def alone(self, outputs: np.ndarray) -> np.ndarray:
        """The network's calibrated scores, shape (examples, classes)."""
        return outputs if self.temperature == 1.0 else (outputs / self.temperature).astype(outputs.dtype)

    def together(self, outputs: np.ndarray, inputs: Any) -> np.ndarray:
        """The joined scores.

        Args:
            outputs: The network's own, shape (examples, classes).
            inputs: The texts, series or recordings.
        """
        heard = zip(self.joined.shares[1:], self.voices, strict=False)
        said = (voice.scores(inputs) if share else outputs for share, voice in heard)
        return self.joined.of([outputs, *said]).astype(outputs.dtype)


def joining_of(model: nn.Module) -> Joining | None:
    """What a network's scores are calibrated by and joined with; None where it is no network of this task."""
    # A server's network holds the trained one inside.
    joining: Joining | None = getattr(getattr(model, "network", model), "joining", None)
    return joining
