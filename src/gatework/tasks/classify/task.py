"""Classification of texts or series into two or more classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.data.reading import Reading
from gatework.errors import DataError
from gatework.tasks._sequence import Encoder, SequenceTask, encoder_from_state, encoder_state, fit_encoder, tuples
from gatework.tasks._task import Baseline, Loss
from gatework.tasks.classify import report
from gatework.tasks.classify.charts import backtest, breakdown, charts
from gatework.tasks.classify.metrics import answers_of, metrics, probabilities, sample
from gatework.tasks.classify.options import OPTIONS

if TYPE_CHECKING:
    import polars as pl
    from torch import Tensor

    from gatework.data.dataset import Batch, Columns, Dataset, Split
    from gatework.options import DataOptions
    from gatework.tasks._chart import Chart
    from gatework.tasks._sample import Sample
    from gatework.tasks._section import Answered, ReportSection


_MOST_CLASSES = 6
"""The classes that are named before training."""


@dataclass(frozen=True)
class ClassifyTask(SequenceTask):
    """Which of the classes each example belongs to.

    Outputs are scores of shape (examples, classes) whose softmax is the probability of each class: a network's logits,
    a baseline's log-probabilities.

    Attributes:
        encoder: How inputs become batches.
        classes: The names of the classes, in the order of their indices.
        columns: The columns that it was fitted to, by role.
        reading: How the training table's texts became values.
    """

    options = OPTIONS
    name = OPTIONS.name
    metric = "accuracy"
    lower_is_better = False
    answer = "label"
    shown = ("accuracy", "macro_f1", "roc_auc")

    encoder: Encoder
    classes: tuple[str, ...]
    columns: Columns = field(default_factory=dict)
    reading: Reading = field(default_factory=Reading)

    @classmethod
    def fit(cls, dataset: Dataset, config: DataOptions) -> ClassifyTask:
        """Learns the vocabulary or scale from the training part alone.

        Raises:
            DataError: The data set has no classes, or its training part has examples of one class only.
        """
        if not dataset.classes:
            raise DataError(f'"{dataset.name}" has values to predict and no classes; train it with the task "regress"')
        present = np.unique(dataset.train.targets)
        if len(present) < 2:
            only = dataset.classes[present[0]] if len(present) else "none"
            raise DataError(
                f'every training example of "{dataset.name}" has the same class "{only}"; '
                "a classifier needs examples of two classes at least"
            )
        return cls(fit_encoder(dataset.train.inputs, config), dataset.classes, dataset.columns, dataset.reading)

    def state(self) -> dict[str, Any]:
        """All that is needed to predict, as values that JSON can hold."""
        return {
            "classes": self.classes,
            "columns": dict(self.columns),
            "encoder": encoder_state(self.encoder),
            "reading": self.reading.state(),
        }

    def charts(self, split: Split, rows: pl.DataFrame) -> list[Chart]:
        """How often each class is predicted, and how sure the network is."""
        return charts(rows, self.classes)

    def backtest(self, answers: pl.DataFrame, test: pl.DataFrame) -> pl.DataFrame:
        """One row per example: the actual class beside the answer and the probability of each class."""
        return backtest(answers, test, self.classes)

    def breakdown(self, answers: pl.DataFrame, test: pl.DataFrame) -> pl.DataFrame | None:
        """How well each class is found, and what it is taken for."""
        return breakdown(answers, self.classes)

    @classmethod
    def sections(cls, answered: Answered) -> list[ReportSection]:
        """What a report shows of answers."""
        return report.sections(answered)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> ClassifyTask:
        """The task whose `state()` this is."""
        reading = Reading.from_state(state["reading"])
        return cls(encoder_from_state(state["encoder"]), tuple(state["classes"]), tuples(state["columns"]), reading)

    @property
    def width(self) -> int:
        """One output per class."""
        return len(self.classes)

    def encoded_targets(self, targets: np.ndarray) -> np.ndarray:
        """Class indices, as they are."""
        return targets

    def no_targets(self, count: int) -> np.ndarray:
        """Zeros, shape (count,)."""
        return np.zeros(count, dtype=np.int64)

    def about(self, dataset: Dataset) -> list[str]:
        """What was read, with the share of every class in the training part."""
        counts = np.bincount(dataset.train.targets, minlength=len(self.classes))
        order = np.argsort(-counts, kind="stable")
        shares = [f"{self.classes[k]} {100 * counts[k] / counts.sum():.0f} %" for k in order[:_MOST_CLASSES]]
        more = [f"and {len(order) - _MOST_CLASSES} more"] if len(order) > _MOST_CLASSES else []
        return [*super().about(dataset), f"{len(order)} classes: {', '.join([*shares, *more])}"]

    def loss_of(self, outputs: Tensor, batch: Batch) -> Loss:
        r"""Cross-entropy: the sum of $-\log \mathrm{softmax}(outputs)_{target}$ over examples."""
        from torch.nn.functional import cross_entropy

        right = (outputs.detach().argmax(1) == batch.targets).sum()
        total = cross_entropy(outputs, batch.targets, reduction="sum")
        return Loss(total, len(outputs), {"accuracy": float(right)})

    def answers(self, outputs: np.ndarray, split: Split) -> pl.DataFrame:
        """The class index of each example and the scores of every class."""
        return answers_of(outputs, split.targets)

    def metrics(self, answers: pl.DataFrame) -> dict[str, float]:
        """Accuracy, macro F1 and the area under the ROC curve; see `gatework.tasks.classify.metrics`."""
        return metrics(answers)

    def sample(self, answers: pl.DataFrame) -> Sample:
        """Which examples are wrong."""
        return sample(answers)

    def rows(self, outputs: np.ndarray, split: Split) -> pl.DataFrame:
        """For each example the likeliest class, its probability, and the probability of every class."""
        import polars as pl

        chances = probabilities(outputs)
        best = chances.argmax(axis=1)
        by_class = pl.DataFrame(chances, schema=list(self.classes)).to_struct("probabilities")
        label = pl.Series("label", [self.classes[k] for k in best], dtype=pl.String)
        probability = pl.Series("probability", chances[np.arange(len(best)), best])
        return pl.DataFrame([label, probability, by_class])

    def baselines(self, dataset: Dataset) -> Sequence[Baseline]:
        """The most frequent class, and logistic regression: on TF-IDF of texts, on the plain values of series."""
        from gatework.tasks.classify.baselines import baselines

        return baselines(dataset)
