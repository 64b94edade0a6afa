"""Regression: one or more values from each series or text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.data.dataset import columns_from_state
from gatework.data.reading import Reading
from gatework.data.series import Scale
from gatework.data.store.inputs import PackedSplit
from gatework.errors import DataError
from gatework.tasks import regress
from gatework.tasks._chart import histogram
from gatework.tasks._sequence import (
    Encoder,
    SequenceTask,
    encoder_from_state,
    encoder_state,
    fit_encoder,
)
from gatework.tasks._task import Baseline, Loss
from gatework.tasks.regress import report
from gatework.tasks.regress.baselines import baselines
from gatework.tasks.regress.metrics import answers_of, metrics, sample
from gatework.tasks.regress.options import OPTIONS
from gatework.tasks.regress.tally import ValueTally

if TYPE_CHECKING:
    import polars as pl
    from torch import Tensor, nn

    from gatework.data.dataset import Batch, Columns, Dataset, Split
    from gatework.options import DataOptions, ModelOptions
    from gatework.recipe import Recipe
    from gatework.tasks._chart import Chart
    from gatework.tasks._sample import Sample
    from gatework.tasks._section import Answered, ReportSection


@dataclass(frozen=True)
class RegressTask(SequenceTask):
    """The values that belong to each example.

    Where the recipe scales, inputs and targets are standardised for the network; answers are in the targets' own unit.

    Attributes:
        encoder: How inputs become batches.
        scale: The training targets' statistics, or the identity.
        columns: The columns that it was fitted to, by role.
        reading: How the training table's texts became values.
        classes: None.
    """

    options = OPTIONS
    name = OPTIONS.name
    metric = "mse"
    lower_is_better = True
    answer = "target"
    shown = ("mse", "mae")

    encoder: Encoder
    scale: Scale
    columns: Columns = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    reading: Reading = field(default_factory=Reading)

    @classmethod
    def load(cls, source: Any, recipe: Recipe) -> Dataset:
        """Reads and splits the data to learn from; see `gatework.data.load`.

        Raises:
            DataError: Every value to learn from is the same.
        """
        dataset = super().load(source, recipe)
        train = dataset.train
        if not isinstance(train, PackedSplit) and len(train) and (train.targets == train.targets[0]).all():
            raise DataError(f'"{dataset.name}": every example has the same value to predict; there is nothing to learn')
        return dataset

    @classmethod
    def fit(cls, dataset: Dataset, config: DataOptions) -> RegressTask:
        """Learns the vocabulary or scale from the training part alone.

        Raises:
            DataError: The data set has classes and no values to predict.
        """
        if dataset.classes:
            raise DataError(f'"{dataset.name}" has classes and no values to predict; train it with the task "classify"')
        train = dataset.train
        if isinstance(train, PackedSplit):
            scale = train.target_scale(is_scaled=config.scale)
        else:
            scale = Scale.learnt(train.targets, train.weights, is_scaled=config.scale)
        return cls(fit_encoder(dataset.train, config), scale, dataset.columns, reading=dataset.reading)

    def model(self, config: ModelOptions) -> nn.Module:
        """A network with fresh weights."""
        sizes = self.sizes
        return regress.RegressionNetwork(
            config, vocabulary=sizes.vocabulary, inputs=sizes.inputs, values=sizes.outputs, seconds=self.seconds
        )

    def state(self) -> dict[str, Any]:
        """All that is needed to predict, as values that JSON can hold."""
        return {
            "columns": dict(self.columns),
            "encoder": encoder_state(self.encoder),
            "scale": self.scale.state(),
            "reading": self.reading.state(),
        }

    def charts(self, split: Split, rows: pl.DataFrame) -> list[Chart]:
        """How the predicted values are spread."""
        values = np.array(rows["value"].to_list(), dtype=np.float64).reshape(len(rows), -1)
        names = [f"Predicted value {k + 1}" for k in range(values.shape[1])]
        titles = names if len(names) > 1 else ["Predicted value"]
        return [histogram(title, column.tolist(), "examples") for title, column in zip(titles, values.T, strict=True)]

    @classmethod
    def sections(cls, answered: Answered) -> list[ReportSection]:
        """What a report shows of answers."""
        return report.sections(answered)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> RegressTask:
        """The task whose `state()` this is."""
        scale = Scale.from_state(state["scale"])
        reading = Reading.from_state(state["reading"])
        return cls(encoder_from_state(state["encoder"]), scale, columns_from_state(state["columns"]), reading=reading)

    @property
    def width(self) -> int:
        """One output per value."""
        return len(self.scale.mean)

    @property
    def output_scale(self) -> Scale:
        """The training targets' statistics."""
        return self.scale

    def encoded_targets(self, targets: np.ndarray) -> np.ndarray:
        """Standardised values where the recipe scales."""
        return self.scale.apply(self.scale.single(targets))

    def no_targets(self, count: int) -> np.ndarray:
        """Zeros, shape (count, outputs)."""
        return np.zeros((count, self.width), dtype=np.float32)

    def loss_of(self, outputs: Tensor, batch: Batch) -> Loss:
        """The squared error, of standardised values where the recipe scales, summed over values."""
        from torch.nn.functional import mse_loss

        if batch.weights is None:
            return Loss(mse_loss(outputs, batch.targets, reduction="sum"), outputs.numel())
        errors = mse_loss(outputs, batch.targets, reduction="none").sum(1)
        return Loss(errors @ batch.weights, outputs.numel())

    def answers(self, outputs: np.ndarray, split: Split) -> pl.DataFrame:
        """The actual and the predicted values of each example, in their own unit."""
        return answers_of(self.values(outputs), split.targets)

    def values(self, outputs: np.ndarray) -> np.ndarray:
        """Outputs in the targets' own unit, shape (examples, outputs), float64."""
        return self.scale.undo(outputs.astype(np.float64))

    def metrics(self, answers: pl.DataFrame) -> dict[str, float]:
        """Mean squared error, mean absolute error and root mean squared error, in the targets' own unit."""
        return metrics(answers)

    def tally(self) -> ValueTally:
        """A count of answers that come part by part."""
        return ValueTally()

    def sample(self, answers: pl.DataFrame) -> Sample:
        """The squared error of each example."""
        return sample(answers)

    def rows(self, outputs: np.ndarray, split: Split) -> pl.DataFrame:
        """For each example the predicted value, or the list of values where there are several."""
        import polars as pl

        values = self.values(outputs).tolist()
        return pl.DataFrame({"value": [row[0] for row in values] if self.width == 1 else values})

    def said(self, output: np.ndarray) -> dict[str, Any]:
        """The predicted value, or the list of values where there are several."""
        values = self.values(output).tolist()
        return {"value": values[0] if self.width == 1 else values}

    def baselines(self, dataset: Dataset) -> Sequence[Baseline]:
        """The mean; for series the last value and a linear autoregression, for texts TF-IDF and a linear regression."""
        return baselines(dataset.sampled)

    def is_copied(self, answers: pl.DataFrame) -> bool:
        """Whether every predicted value equals its target, up to the last digits of a float32."""
        return np.allclose(answers["value"].to_numpy(), answers["target"].to_numpy(), rtol=1e-6, atol=0)
