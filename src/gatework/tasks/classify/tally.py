"""How good a classifier is, from answers that come part by part and are not kept.

The area under the ROC curve is that of probabilities rounded to steps of their log-odds: examples within a step count
as equally probable. It differs from the exact one by at most half the share of pairs that fall within one step; two
classes have 262,144 steps.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from gatework.tasks.classify.calibration import calibration_gaps
from gatework.tasks.classify.charts import breakdown_of
from gatework.tasks.classify.metrics import area_under_roc, class_figures, confusion_counts, probabilities

_STEPS, _FEWEST_STEPS = 1 << 18, 1 << 12
_FARTHEST = 24.0
"""Log-odds beyond which all count as equal: float32 tells none of them from certainty."""


class ClassTally:
    """What is counted of answers.

    Args:
        classes: The names of the classes.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self._classes, count = classes, len(classes)
        self._counts = np.zeros((count, count), dtype=np.int64)
        self._gaps: np.ndarray | float = 0.0
        self._is_finite = True
        self._ranked = [1] if count == 2 else list(range(count))
        self._steps = max(_STEPS // len(self._ranked), _FEWEST_STEPS)
        self._ranks = np.zeros((len(self._ranked), 2, self._steps), dtype=np.int64)

    def add(self, answers: pl.DataFrame) -> None:
        """Counts answers, as `answers_of()` gives them."""
        targets, scores = answers["target"].to_numpy(), answers["scores"].to_numpy()
        self._counts += confusion_counts(targets, scores.argmax(axis=1), len(self._classes))
        self._is_finite = self._is_finite and bool(np.isfinite(scores).all())
        if not self._is_finite:
            return
        self._gaps = self._gaps + calibration_gaps(scores, targets)
        chances = probabilities(scores)
        for place, number in enumerate(self._ranked):
            chance, is_of_class = chances[:, number], targets == number
            with np.errstate(divide="ignore"):
                odds = np.clip(np.log(chance) - np.log1p(-chance), -_FARTHEST, _FARTHEST)
            step = ((odds + _FARTHEST) * ((self._steps - 1) / (2 * _FARTHEST))).astype(np.int64)
            counts = np.bincount(step + self._steps * is_of_class, minlength=2 * self._steps)
            self._ranks[place] += counts.reshape(2, -1)

    def metrics(self) -> dict[str, float]:
        """Accuracy, macro F1, the area under the ROC curve where it is defined, and the calibration error."""
        total = self._counts.sum()
        values = {
            "accuracy": float(np.trace(self._counts) / total),
            "macro_f1": float(class_figures(self._counts)[2].mean()),
        }
        if self._is_finite:
            if self._counts.any(axis=1).all():
                values["roc_auc"] = float(np.mean([area_under_roc(*ranks) for ranks in self._ranks]))
            values["calibration_error"] = float(np.abs(self._gaps).sum() / total)
        return values

    def breakdown(self) -> pl.DataFrame:
        """One row per class."""
        return breakdown_of(self._counts, self._classes)
