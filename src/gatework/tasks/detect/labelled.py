"""Detection learnt from labels: how likely each row of a sequence is one of the labelled ones."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.errors import UsageError
from gatework.tasks import detect
from gatework.tasks._task import Baseline, Loss, Trained
from gatework.tasks.detect.data import Windows, encode_windows, windows_of
from gatework.tasks.detect.metrics import answers_of
from gatework.tasks.detect.usual import UsualTask, detection_data, network_of

if TYPE_CHECKING:
    import polars as pl
    from torch import Tensor, nn

    from gatework.data.dataset import Batch, Dataset
    from gatework.options import DataOptions, ModelOptions

_MOST_WEIGHT = 100.0


class LabelledDetectTask(UsualTask):
    """A label for each row, given it and those before it.

    Labelled rows are few: each weighs as much in the loss as the square root of how many others there are to it, and
    the threshold is the one with the best F1 on the validation part, not one half.
    """

    metric = "average_precision"
    lower_is_better = False
    shown = ("average_precision", "roc_auc", "labelled_share")

    @classmethod
    def fit(cls, dataset: Dataset, config: DataOptions) -> LabelledDetectTask:
        """Takes over scales and clock, and weighs labelled rows, by the training part alone."""
        detection = detection_data(dataset)
        if detection.config.alarms_per_week:
            raise UsageError(
                "--alarms-per-week is for detectors that learn without labels; with labels the threshold is the one "
                "with the best F1, and --sensitivity moves it"
            )
        learnt = detection.sampled.train.targets
        marks = learnt[~np.isnan(learnt)]
        weight = float(np.sqrt((marks == 0).sum() / max((marks == 1).sum(), 1)))
        usual = UsualTask.fit(dataset, config)
        common = (usual.columns, usual.settings, usual.scales, usual.extents, usual.relations, usual.periods)
        return cls(*common, 1, min(max(weight, 1.0), _MOST_WEIGHT), usual.reading)

    @property
    def scorer(self) -> str:
        """What is scored: the odds of a label."""
        return "label"

    def model(self, config: ModelOptions) -> nn.Module:
        """A network with fresh weights; it maps windows to the log odds that each row is labelled."""
        self._check(config)
        return detect.LabelNetwork(config, len(self.variables), 2 * len(self.periods) + 1, (1, self.usual))

    def loss_of(self, outputs: Tensor, batch: Batch) -> Loss:
        """Binary cross-entropy summed over the rows that count, labelled ones by their weight."""
        from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

        counts = ~batch.targets.isnan()
        weight = outputs.new_tensor(self.weight)
        total = cross_entropy(outputs[counts], batch.targets[counts], pos_weight=weight, reduction="sum")
        return Loss(total, float(counts.sum()))

    def calibrate(self, model: nn.Module, dataset: Dataset, earlier: Sequence[Trained]) -> None:
        """Lets the network carry the threshold, in log odds, with the best F1 on the validation part."""
        from sklearn.metrics import precision_recall_curve

        outputs, _ = self.outputs(model, self.encode(dataset.validation))
        scores, truth = _counted(outputs, dataset.validation.targets)
        if not truth.any():
            return
        precision, recall, limits = precision_recall_curve(truth, scores)
        f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
        best = int(np.argmax(f1[:-1]))
        # Half-way to the next lower score, so that the best row itself lies above the limit.
        below = scores[scores < limits[best]].max(initial=limits[best] - 1.0)
        network_of(model).usual.fill_(float(limits[best] + below) / 2)

    def metrics(self, answers: pl.DataFrame) -> dict[str, float]:
        """Average precision, the area under the ROC curve, and the share of labelled rows, which chance would reach."""
        from sklearn.metrics import average_precision_score, roc_auc_score

        scores, truth = _counted(answers["expected"].to_numpy(), answers["actual"].to_numpy())
        if not np.isfinite(scores).all() or truth.all() or not truth.any():
            share = float(truth.mean()) if len(truth) else float("nan")
            return {"average_precision": share, "roc_auc": 0.5, "labelled_share": share}
        return {
            "average_precision": float(average_precision_score(truth, scores)),
            "roc_auc": float(roc_auc_score(truth, scores)),
            "labelled_share": float(truth.mean()),
        }

    def baselines(self, dataset: Dataset) -> Sequence[Baseline]:
        """A logistic regression and an isolation forest on the row alone."""
        from sklearn.ensemble import IsolationForest
        from sklearn.linear_model import LogisticRegression

        train, test = windows_of(dataset.sampled.train), windows_of(dataset.test)
        seen, marks = (part.reshape(-1, width) for part, width in _rows(self, train))
        known = ~np.isnan(marks[:, 0])
        there = encode_windows(test, self.scales, self.periods, self.scorer)[0]
        rows = there.reshape(-1, there.shape[-1])
        start = perf_counter()
        regression = LogisticRegression(class_weight="balanced", max_iter=1000).fit(seen[known], marks[known, 0])
        linear = regression.decision_function(rows).reshape(len(there), -1)
        middle = perf_counter()
        forest = IsolationForest(random_state=0).fit(seen[known])
        isolated = -forest.score_samples(rows).reshape(len(there), -1)
        end = perf_counter()
        return [
            Baseline(
                "logistic regression",
                "A linear rule on the row alone, labelled rows weighted.",
                answers_of(linear.astype(np.float32), dataset.test.targets),
                middle - start,
                seen.shape[1] + 1,
            ),
            Baseline(
                "isolation forest",
                "How few random cuts isolate the row; it sees no labels.",
                answers_of(isolated.astype(np.float32), dataset.test.targets),
                end - middle,
            ),
        ]


def _rows(task: LabelledDetectTask, windows: Windows) -> list[tuple[np.ndarray, int]]:
    values, targets = encode_windows(windows, task.scales, task.periods, task.scorer)
    return [(values, values.shape[-1]), (targets, 1)]


def _counted(outputs: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, Any]:
    counts = ~np.isnan(targets)
    return outputs[counts].astype(np.float64), targets[counts] > 0
