"""Simple classifiers: the most frequent class, and every linear classifier."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

import numpy as np

from gatework.data.dataset import Dataset
from gatework.tasks._task import Baseline
from gatework.tasks.classify.linear import linear_classifiers
from gatework.tasks.classify.metrics import answers_of

_LEAST_PROBABILITY = 1e-12


def baselines(dataset: Dataset) -> Sequence[Baseline]:
    """The most frequent class, and the linear classifiers that the inputs allow."""
    found = [_majority(dataset)]
    for linear in linear_classifiers(dataset):
        start = perf_counter()
        answers = answers_of(linear.scores(dataset.test.inputs), dataset.test.targets)
        seconds = linear.seconds + perf_counter() - start
        found.append(Baseline(linear.name, linear.about, answers, seconds, linear.parameters))
    return found


def _majority(dataset: Dataset) -> Baseline:
    start = perf_counter()
    counts = np.bincount(dataset.train.targets, minlength=len(dataset.classes))
    scores = np.log(np.maximum(counts / counts.sum(), _LEAST_PROBABILITY))
    about = f'Always answers "{dataset.classes[int(counts.argmax())]}", the most frequent class of the training part.'
    answers = answers_of(np.tile(scores, (len(dataset.test), 1)), dataset.test.targets)
    return Baseline("majority class", about, answers, perf_counter() - start, 1)
