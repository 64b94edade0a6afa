"""What a table of answers amounts to as a sample: how much each example adds to the metric that decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, eq=False)
class Sample:
    """The examples of a test part, as what a metric is the mean of.

    Attributes:
        losses: What each example adds: its error, or 1 where it is wrong and 0 where it is right. Shape (examples,).
        weights: What each counts; they sum to 1. Shape (examples,).
        blocks: The group each belongs to. Examples of one group are alike, as overlapping forecasts are, and count as
            one observation; where every example stands by itself, each is a group. Shape (examples,), int64.
    """

    losses: np.ndarray
    weights: np.ndarray
    blocks: np.ndarray

    @classmethod
    def of_rows(cls, losses: np.ndarray) -> Sample:
        """Examples that stand by themselves and count alike, from what each adds, shape (examples,)."""
        import numpy as np

        count = len(losses)
        return cls(losses.astype(np.float64), np.full(count, 1 / max(count, 1)), np.arange(count))
