"""Scores of classes by how near their known series are by time warping."""

from __future__ import annotations

from typing import Any

import numpy as np

from gatework.data.dataset import Split
from gatework.data.inputs import RaggedSeries
from gatework.data.series import Scale
from gatework.tasks._warping import distances

_LEAST = 1e-9


def nearest_scores(train: Split, inputs: Any, classes: int) -> np.ndarray:
    """Scores by the distance to the nearest training series of each class, shape (examples, classes).

    Args:
        train: The training part.
        inputs: The series to be answered.
        classes: How many classes there are.
    """
    series = train.inputs
    if not isinstance(series, RaggedSeries):
        raise TypeError(f"expected series of several lengths, not {type(series).__name__}")
    scale = Scale.fit(series.values)
    known = RaggedSeries(scale.apply(series.values).astype(np.float64), series.ends)
    asked = RaggedSeries.of([scale.apply(inputs[place]).astype(np.float64) for place in range(len(inputs))])
    return class_scores(distances(asked, known), train.targets, classes)


def class_scores(apart: np.ndarray, targets: np.ndarray, classes: int, count: int = 1) -> np.ndarray:
    """Scores by how far the nearest known series of each class are, as shares of the mean over the classes.

    Args:
        apart: The distance of each example to each known series, shape (examples, known).
        targets: The class of each known one, shape (known,).
        classes: How many classes there are; one without a known series is twice as far away as the farthest.
        count: Over how many of the nearest the mean is taken.

    Returns:
        Shape (examples, classes), never above 0.
    """
    far = np.full((len(apart), classes), np.nan)
    for target in np.unique(targets):
        of_class = apart[:, targets == target]
        nearest = min(count, of_class.shape[1])
        far[:, target] = np.partition(of_class, nearest - 1, axis=1)[:, :nearest].mean(axis=1)
    farthest = np.nanmax(far, axis=1, keepdims=True, initial=_LEAST)
    far = np.where(np.isnan(far), 2 * farthest, far)
    scores: np.ndarray = -far / np.maximum(far.mean(axis=1, keepdims=True), _LEAST)
    return scores
