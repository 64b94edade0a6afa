"""Simple classifiers: the most frequent class, every linear classifier, and the nearest series or sound."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

import numpy as np

from gatework.data.dataset import Dataset, Split
from gatework.data.features import cepstra
from gatework.data.inputs import Inputs, RaggedSeries
from gatework.data.recordings import Recordings
from gatework.tasks._task import Baseline
from gatework.tasks.classify.linear import linear_classifiers
from gatework.tasks.classify.metrics import answers_of
from gatework.tasks.classify.warping import nearest_scores

_LEAST_PROBABILITY = 1e-12
_NEAREST = "1-nearest neighbour by time warping"
_MOST_CELLS = 1_000_000_000
"""Pairs of steps that are compared at most: about a minute of one core."""
_MOST_OF_A_PAIR = 10_000_000
"""Pairs of steps of two series: their distances are held at once."""
_MOST_CELLS_OF_SOUND = 400_000_000
_LEAST_DEVIATION = 1e-3


def baselines(dataset: Dataset) -> Sequence[Baseline]:
    """The most frequent class, the linear classifiers that the inputs allow, and of a long table the nearest series."""
    methods = [_majority(dataset)]
    for linear in linear_classifiers(dataset):
        start = perf_counter()
        answers = answers_of(linear.scores(dataset.test.inputs), dataset.test.targets)
        seconds = linear.seconds + perf_counter() - start
        methods.append(Baseline(linear.name, linear.about, answers, seconds, linear.parameters))
    if not absent(dataset) and isinstance(dataset.train.inputs, RaggedSeries):
        methods.append(_nearest(dataset))
    if isinstance(dataset.train.inputs, Recordings):
        methods.append(_nearest_sound(dataset))
    return methods


def absent(dataset: Dataset) -> list[str]:
    """That the nearest series is not looked for where that takes too long."""
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


def _nearest_sound(dataset: Dataset) -> Baseline:
    """The nearest recording, among as many evenly chosen ones of each class as time allows."""
    start = perf_counter()
    train, test = _warpable(dataset.train.inputs), _warpable(dataset.test.inputs)
    cells = len(train.values) * len(test.values)
    order = np.argsort(dataset.train.targets, kind="stable")
    step = max(int(np.ceil(cells / _MOST_CELLS_OF_SOUND)), 1)
    chosen, said = np.sort(order[::step]), "the nearest training recording"
    if step > 1:
        said = f"the nearest of {len(chosen):,} training recordings, one in {step} of each class,"
    about = (
        f"Answers the class of {said} by dynamic time warping of cepstral coefficients (MFCC), each recording's in "
        "deviations from its mean, by their distance for each step."
    )
    known = Split(train[chosen], dataset.train.targets[chosen])
    scores = nearest_scores(known, test, len(dataset.classes), is_by_step=True)
    return Baseline(_NEAREST, about, answers_of(scores, dataset.test.targets), perf_counter() - start)


def _warpable(recordings: Inputs) -> RaggedSeries:
    """Recordings as series of cepstral coefficients in their own deviations from their own means."""
    series = []
    for k in range(len(recordings)):
        each = cepstra(recordings[k])
        series.append((each - each.mean(0)) / (each.std(0) + _LEAST_DEVIATION))
    return RaggedSeries.of(series)


def _majority(dataset: Dataset) -> Baseline:
    start = perf_counter()
    counts = np.bincount(dataset.train.targets, minlength=len(dataset.classes))
    scores = np.log(np.maximum(counts / counts.sum(), _LEAST_PROBABILITY))
    about = f'Always answers "{dataset.classes[int(counts.argmax())]}", the most frequent class of the training part.'
    answers = answers_of(np.tile(scores, (len(dataset.test), 1)), dataset.test.targets)
    return Baseline("majority class", about, answers, perf_counter() - start, 1)
