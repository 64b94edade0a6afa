"""Tasks whose network answers a batch with one array, as classes, values, forecasts and errors are."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from gatework.data.batches import evaluation_order
from gatework.tasks._task import Evaluation, Loss, Task

if TYPE_CHECKING:
    import polars as pl
    from torch import Tensor, nn

    from gatework.data.dataset import Batch, Examples, Split

_EVALUATION_BATCH = 256


class DenseTask(Task):
    """A task whose outputs for a split are one array with a row per example."""

    @abstractmethod
    def loss_of(self, outputs: Tensor, batch: Batch) -> Loss:
        """The loss of a network's outputs for a batch."""

    @abstractmethod
    def answers(self, outputs: np.ndarray, split: Split) -> pl.DataFrame:
        """Outputs beside what is known of the examples, one row each."""

    @abstractmethod
    def rows(self, outputs: np.ndarray, split: Split) -> pl.DataFrame:
        """What a person wants to see of outputs."""

    def loss(self, model: nn.Module, batch: Batch) -> Loss:
        """The loss of a network on a batch."""
        return self.loss_of(model(**batch.tensors()), batch)

    def in_own_unit(self, outputs: np.ndarray, batch: Batch) -> np.ndarray:
        """Outputs with what was taken off a batch's values before they became float32; nothing by default."""
        return outputs

    def outputs(self, model: nn.Module, examples: Examples) -> tuple[np.ndarray, float]:
        """Runs a network over examples without learning.

        Returns:
            Outputs of shape (examples, ...) in the order of the examples, and the mean loss.
        """
        import torch

        outputs: list[np.ndarray] = []
        total, weight = 0.0, 0.0
        order = evaluation_order(examples.lengths, _EVALUATION_BATCH)
        model.eval()
        with torch.no_grad():
            for index in order:
                batch = examples.batch(index)
                output = model(**batch.tensors())
                loss = self.loss_of(output, batch)
                total, weight = total + float(loss.total), weight + loss.weight
                outputs.append(self.in_own_unit(output.numpy(), batch))
        back = np.argsort(np.concatenate(order))
        return np.concatenate(outputs)[back], total / (weight or 1.0)

    def evaluate(self, model: nn.Module, examples: Examples) -> Evaluation:
        """What a network says of examples with known answers, and how good that is."""
        outputs, loss = self.outputs(model, examples)
        answers = self.answers(outputs, examples.split)
        return Evaluation(loss, self.metrics(answers), answers)

    def predict(self, model: nn.Module, split: Split) -> pl.DataFrame:
        """What a person wants to see of examples, as rows of a table."""
        return self.rows(self.outputs(model, self.encode(split))[0], split)
