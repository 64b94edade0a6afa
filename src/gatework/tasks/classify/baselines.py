"""Simple classifiers: the most frequent class, every linear one, the nearest series or sound, and random kernels."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

import numpy as np

from gatework.data.dataset import Dataset
from gatework.data.inputs import RaggedSeries
from gatework.data.recordings import Recordings
from gatework.tasks import classify
from gatework.tasks._task import Baseline, single_threaded
from gatework.tasks.classify.kernels import FEATURES, kernel_scores
from gatework.tasks.classify.linear import linear_classifiers
from gatework.tasks.classify.metrics import answers_of
from gatework.tasks.classify.warping import nearest_scores

_LEAST_PROBABILITY = 1e-12
_NEAREST = "1-nearest neighbour by time warping"
_KERNELS = "random kernels + ridge classifier"
_MOST_CELLS = 1_000_000_000
"""Pairs of steps that are compared at most: about a minute of one core."""
_MOST_COMPARED = 60_000_000_000
"""Answers of random kernels that are held against a bias at most: about as long."""
_MOST_SERIES = 20_000
"""Series that random kernels are run on at most: their features are held at once, 0.8 GB of them."""
_MOST_OF_A_PAIR = 10_000_000
"""Pairs of steps of two series: their distances are held at once."""


def baselines(dataset: Dataset) -> Sequence[Baseline]:
    """The most frequent class and the linear classifiers; of a long table the nearest series and random kernels too."""
    methods = quick_baselines(dataset)
    if isinstance(dataset.train.inputs, RaggedSeries):
        methods += [] if _too_long_to_warp(dataset) else [_nearest(dataset)]
        methods += [] if _too_many_for_kernels(dataset) else [_by_kernels(dataset)]
    if isinstance(dataset.train.inputs, Recordings):
        methods.append(_nearest_sound(dataset))
    return methods


def quick_baselines(dataset: Dataset) -> list[Baseline]:
    """The most frequent class and the linear classifiers."""
    methods = [_majority(dataset)]
    for linear in linear_classifiers(dataset):
        start = perf_counter()
        answers = answers_of(linear.scores(dataset.test.inputs), dataset.test.targets)
        seconds = linear.seconds + perf_counter() - start
        methods.append(Baseline(linear.name, linear.about, answers, seconds, linear.parameters))
    return methods


def absent(dataset: Dataset) -> list[str]:
    """That the nearest series is not looked for, or random kernels are not run, where that takes too long."""
    return _too_long_to_warp(dataset) + _too_many_for_kernels(dataset)


def _too_many_for_kernels(dataset: Dataset) -> list[str]:
    train, test = dataset.train.inputs, dataset.test.inputs
    if not isinstance(train, RaggedSeries) or not isinstance(test, RaggedSeries):
        return []
    series, compared = len(train) + len(test), (len(train.values) + len(test.values)) * FEATURES
    if series > _MOST_SERIES:
        return [f"{_KERNELS} is not run: there are {series:,} series, and it takes up to {_MOST_SERIES:,}."]
    if compared > _MOST_COMPARED:
        return [f"{_KERNELS} is not run: it would make {compared:,} comparisons, and does so up to {_MOST_COMPARED:,}."]
    return []


def _too_long_to_warp(dataset: Dataset) -> list[str]:
    train, test = dataset.train.inputs, dataset.test.inputs
    if not isinstance(train, RaggedSeries) or not isinstance(test, RaggedSeries):
        return []
    cells, longest = len(train.values) * len(test.values), int(train.lengths.max()) * int(test.lengths.max())
    if longest > _MOST_OF_A_PAIR:
        return [
            f"{_NEAREST} is not run: two series have up to {longest:,} pairs of steps, and it takes up to "
            f"{_MOST_OF_A_PAIR:,}."
        ]
    if cells <= _MOST_CELLS:
        return []
    return [f"{_NEAREST} is not run: it would compare {cells:,} pairs of steps, and does so up to {_MOST_CELLS:,}."]


def _nearest(dataset: Dataset) -> Baseline:
    start = perf_counter()
    about = (
        "Answers the class of the nearest training series by dynamic time warping of all variables together, each "
        "standardised by the training part."
    )
    scores = nearest_scores(dataset.train, dataset.test.inputs, len(dataset.classes))
    return Baseline(_NEAREST, about, answers_of(scores, dataset.test.targets), perf_counter() - start)


def _by_kernels(dataset: Dataset) -> Baseline:
    start = perf_counter()
    about = (
        "A ridge classifier on how often what random kernels (MiniRocket's) answer to a series lies above a bias, its "
        "penalty by leaving one series out."
    )
    with single_threaded():
        scores = kernel_scores(dataset.train, dataset.test.inputs, len(dataset.classes))
    answers = answers_of(scores, dataset.test.targets)
    return Baseline(_KERNELS, about, answers, perf_counter() - start, FEATURES * len(dataset.classes))


def _nearest_sound(dataset: Dataset) -> Baseline:
    start, nearest = perf_counter(), classify.neighbours_of(dataset)
    answers = answers_of(nearest.scores(dataset.test.inputs), dataset.test.targets)
    return Baseline(nearest.name, nearest.about, answers, perf_counter() - start)


def _majority(dataset: Dataset) -> Baseline:
    start = perf_counter()
    counts = np.bincount(dataset.train.targets, minlength=len(dataset.classes))
    scores = np.log(np.maximum(counts / counts.sum(), _LEAST_PROBABILITY))
    about = f'Always answers "{dataset.classes[int(counts.argmax())]}", the most frequent class of the training part.'
    answers = answers_of(np.tile(scores, (len(dataset.test), 1)), dataset.test.targets)
    return Baseline("majority class", about, answers, perf_counter() - start, 1)
