"""A task's part in a training, beyond its loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gatework.data.batches import training_order
from gatework.tasks._core import Core

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

    from gatework.data.dataset import Dataset, Examples
    from gatework.options import TrainingOptions


class InTraining(Core):
    """What a training may leave to its task: fresh weights, the order of batches, a look after an epoch."""

    def order(self, examples: Examples, config: TrainingOptions, epoch: int) -> Sequence[np.ndarray]:
        """The batches of an epoch, in order; as many in every epoch, and a function of the arguments alone.

        Args:
            examples: The training part, encoded.
            config: The size of a batch and the seed.
            epoch: The epoch, counted from 1.

        Returns:
            For each step what `Examples.batch()` is given, the first dimension of which several processes share.
        """
        return training_order(examples.lengths, config.batch_size, config.seed, epoch, config.bucket)

    def begin(self, model: nn.Module, dataset: Dataset) -> None:
        """Changes fresh weights before the first step of a training, as to go on from another network's."""

    def specimen(self, model: nn.Module) -> dict[str, str]:
        """What a network makes after an epoch, as texts by name, for a person to see; nothing by default.

        It draws from no random generator but its own, so that training is the same with and without it.
        """
        return {}
