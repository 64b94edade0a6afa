"""How good a classifier is, from a table of its answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from gatework.tasks._metric import Metric, register_metrics
from gatework.tasks._sample import Sample
from gatework.tasks.classify.calibration import calibration_error

register_metrics(
    Metric("accuracy", "accuracy", lower_is_better=False, is_share=True),
    Metric("macro_f1", "macro F1", lower_is_better=False, is_share=True),
    Metric("weighted_accuracy", "weighted accuracy", lower_is_better=False, is_share=True, short="weighted acc."),
    Metric("roc_auc", "ROC AUC", lower_is_better=False, is_share=True),
    Metric("calibration_error", "calibration error", lower_is_better=True, is_share=True, short="calib. error"),
    Metric("stream_hours", "hours of a stream", lower_is_better=None),
    Metric("false_accepts", "false accepts per hour", lower_is_better=True, short="false accepts/h"),
    Metric("missed_keywords", "missed keywords", lower_is_better=True, is_share=True, short="missed"),
    Metric("mistaken_keywords", "mistaken keywords", lower_is_better=True, is_share=True, short="mistaken"),
)


_FEW = 8
"""Numbers from which on numpy adds up in another order than one after the other."""


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
    """Accuracy, macro F1, the expected calibration error and, where it is defined, the area under the ROC curve.

    For more than two classes the area is the mean over classes of "this class against all others". It is left out where
    a class has no example, or a score is not finite.

    Args:
        answers: As `answers_of()` gives them.
    """
    targets, scores = answers["target"].to_numpy(), answers["scores"].to_numpy()
    classes = scores.shape[1]
    predicted = scores.argmax(axis=1)
    f1 = class_figures(confusion_counts(targets, predicted, classes))[2]
    values = {"accuracy": float((predicted == targets).mean()), "macro_f1": float(f1.mean())}
    if len(np.unique(targets)) == classes and np.isfinite(scores).all():
        chances = probabilities(scores)
        # The area of either of two classes is that of the other.
        areas = [roc_auc(targets == k, chances[:, k]) for k in range(1 if classes == 2 else 0, classes)]
        values["roc_auc"] = float(np.mean(areas))
    if np.isfinite(scores).all():
        values["calibration_error"] = calibration_error(scores, targets)
    return values


def roc_auc(is_of_class: np.ndarray, chances: np.ndarray) -> float:
    """The area under the ROC curve: how often an example of the class has the larger chance of two, equal ones by half.

    Written here, as scikit-learn takes a second to import, in every process that trains.

    Args:
        is_of_class: Whether each example is of the class, shape (examples,); some are, and some are not.
        chances: The probability of the class, shape (examples,).
    """
    _, place = np.unique(chances, return_inverse=True)
    others, members = (np.bincount(place[is_of_class == side], minlength=place.max() + 1) for side in (False, True))
    return area_under_roc(others, members)


def area_under_roc(others: np.ndarray, members: np.ndarray) -> float:
    """The same of counts.

    Args:
        others: How many examples of other classes have each chance, from the least to the largest, shape (chances,).
        members: How many of the class have it.
    """
    below = np.cumsum(others) - others / 2
    return float((members * below).sum() / (members.sum() * float(others.sum())))


def weighted_accuracy(answers: pl.DataFrame, weights: Sequence[float]) -> dict[str, float]:
    """The accuracy where an example counts as many times as its class; of balanced weights the mean recall of classes.

    Args:
        answers: As `answers_of()` gives them.
        weights: How many times an example of each class counts; nothing is said where that is empty.
    """
    if not weights:
        return {}
    targets, scores = answers["target"].to_numpy(), answers["scores"].to_numpy()
    counts = np.array(weights)[targets]
    return {"weighted_accuracy": float(counts @ (scores.argmax(axis=1) == targets) / counts.sum())}


def sample(answers: pl.DataFrame) -> Sample:
    """Which examples are wrong: 1 less their mean is the accuracy."""
    predicted = answers["scores"].to_numpy().argmax(axis=1)
    return Sample.of_rows(predicted != answers["target"].to_numpy())


def confusion_matrix(answers: pl.DataFrame) -> np.ndarray:
    """How many examples of each class (row) were taken for each class (column), shape (classes, classes)."""
    scores = answers["scores"].to_numpy()
    return confusion_counts(answers["target"].to_numpy(), scores.argmax(axis=1), scores.shape[1])


def confusion_counts(actual: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """How many examples of each class (row) were taken for each class (column), shape (classes, classes)."""
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (actual, predicted), 1)
    return counts


def class_figures(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The precision, recall and F1 of each class, 0 where it is not defined, each of shape (classes,)."""
    right, answered, actual = np.diag(counts), counts.sum(axis=0), counts.sum(axis=1)
    precision, recall = right / np.maximum(answered, 1), right / np.maximum(actual, 1)
    return precision, recall, 2 * right / np.maximum(answered + actual, 1)


def chances_of(scores: np.ndarray) -> list[float]:
    """The probabilities of one example by its scores, shape (classes,): to the bit those of `probabilities()`."""
    if len(scores) >= _FEW:
        many: list[float] = probabilities(scores).tolist()
        return many
    # Of a few numbers this takes a tenth of the time, in which a stream answers. sum() would carry what rounding loses.
    plain = scores.tolist()
    top, exp, powers, total = max(plain), np.exp, [], 0.0
    for score in plain:
        power = float(exp(score - top))
        powers.append(power)
        total += power
    return [power / total for power in powers]


def probabilities(scores: np.ndarray) -> np.ndarray:
    """The softmax of scores of shape (..., classes), float64."""
    # Two lines of arithmetic, for which a server need not wait for scipy.
    powers = np.exp(scores.astype(np.float64) - np.maximum.reduce(scores, -1, keepdims=True))
    return powers / np.add.reduce(powers, -1, keepdims=True)


def shown_rows(scores: np.ndarray, classes: Sequence[str]) -> pl.DataFrame:
    """What a person sees of each example: the likeliest class, its probability, and the probability of every class.

    Args:
        scores: Shape (examples, classes).
        classes: Their names.
    """
    chances = probabilities(scores)
    best = chances.argmax(axis=1)
    by_class = pl.DataFrame(chances, schema=list(classes)).to_struct("probabilities")
    label = pl.Series("label", [classes[k] for k in best], dtype=pl.String)
    probability = pl.Series("probability", chances[np.arange(len(best)), best])
    return pl.DataFrame([label, probability, by_class])


def shown(scores: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    """What a person sees of one example, as `shown_rows()` has it, as values of JSON.

    Args:
        scores: Shape (classes,).
        classes: Their names.
    """
    chances = chances_of(scores)
    best = max(chances)
    label = classes[chances.index(best)]
    return {"label": label, "probability": best, "probabilities": dict(zip(classes, chances, strict=True))}
