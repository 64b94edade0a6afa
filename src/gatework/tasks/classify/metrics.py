"""How good a classifier is, from a table of its answers."""

from __future__ import annotations

import numpy as np
import polars as pl

from gatework.tasks._metric import Metric, register_metrics

register_metrics(
    Metric("accuracy", "accuracy", lower_is_better=False, is_share=True),
    Metric("macro_f1", "macro F1", lower_is_better=False, is_share=True),
    Metric("roc_auc", "ROC AUC", lower_is_better=False, is_share=True),
)


def answers_of(scores: np.ndarray, targets: np.ndarray) -> pl.DataFrame:
    """Answers as a table.

    Args:
        scores: Shape (examples, classes); their softmax is the probability of each class.
        targets: Class indices, shape (examples,).

    Returns:
        The columns "target" and "scores".
    """
    return pl.DataFrame({"target": targets.astype(np.int64), "scores": np.ascontiguousarray(scores)})


def metrics(answers: pl.DataFrame) -> dict[str, float]:
    """Accuracy, macro F1 and, where it is defined, the area under the ROC curve.

    For more than two classes the area is the mean over classes of "this class against all others". It is left out where
    a class has no example, or a score is not finite.

    Args:
        answers: As `answers_of()` gives them.
    """
    from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

    targets, scores = answers["target"].to_numpy(), answers["scores"].to_numpy()
    labels = np.arange(scores.shape[1])
    predicted = scores.argmax(axis=1)
    values = {
        "accuracy": float(accuracy_score(targets, predicted)),
        "macro_f1": float(f1_score(targets, predicted, labels=labels, average="macro", zero_division=0)),
    }
    if len(np.unique(targets)) == len(labels) and np.isfinite(scores).all():
        chances = probabilities(scores)
        of = chances[:, 1] if len(labels) == 2 else chances
        values["roc_auc"] = float(roc_auc_score(targets, of, multi_class="ovr", labels=labels))
    return values


def confusion_matrix(answers: pl.DataFrame) -> np.ndarray:
    """How many examples of each class (row) were taken for each class (column), shape (classes, classes)."""
    from sklearn import metrics

    scores = answers["scores"].to_numpy()
    predicted = scores.argmax(axis=1)
    return metrics.confusion_matrix(answers["target"].to_numpy(), predicted, labels=np.arange(scores.shape[1]))


def probabilities(scores: np.ndarray) -> np.ndarray:
    """The softmax of scores of shape (examples, classes), float64."""
    from scipy.special import softmax

    return softmax(scores.astype(np.float64), axis=1)
