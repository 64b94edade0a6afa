"""Simple ways to transcribe: the commonest text, and the text of the training recording that sounds most alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from time import perf_counter
from typing import Any

import numpy as np

from gatework.data.dataset import Dataset
from gatework.data.inputs import RaggedSeries
from gatework.tasks._heard import heard, spoken
from gatework.tasks._task import Baseline, single_threaded
from gatework.tasks._warping import distances
from gatework.tasks.transcribe.metrics import answers_of

_NEAREST = "nearest recording by time warping"
_EVERY = 2
"""Of so many frames of 10 ms one is compared."""
_MOST_CELLS = 400_000_000
"""Pairs of frames that are compared at most: some ten seconds of one core."""


def baselines(dataset: Dataset) -> Sequence[Baseline]:
    """Every simple method, on the test part; the nearest recording where that takes no longer than some seconds."""
    with single_threaded():
        return [_commonest(dataset), *([] if absent(dataset) else [_nearest(dataset)])]


def absent(dataset: Dataset) -> list[str]:
    """That the nearest recording is not looked for where that takes long."""
    known, asked = (_steps(part.inputs) for part in (dataset.train, dataset.test))
    if known * asked <= _MOST_CELLS:
        return []
    return [
        f"{_NEAREST} is not run: it would compare {known * asked:,} pairs of frames, and does so up to {_MOST_CELLS:,}."
    ]


def _commonest(dataset: Dataset) -> Baseline:
    start = perf_counter()
    text = Counter(dataset.train.targets.tolist()).most_common(1)[0][0]
    said = [text] * len(dataset.test)
    answers = answers_of(dataset.test.targets.tolist(), said, said)
    return Baseline(
        "commonest text", "Always answers the commonest text of the training part.", answers, perf_counter() - start
    )


def _nearest(dataset: Dataset) -> Baseline:
    start = perf_counter()
    known, asked = (RaggedSeries.of(_compared(part.inputs)) for part in (dataset.train, dataset.test))
    apart = distances(asked, known) / (asked.lengths[:, None] + known.lengths)
    said = dataset.train.targets[apart.argmin(axis=1)].tolist()
    about = "The text of the training recording that is nearest by dynamic time warping of its cepstral coefficients."
    answers = answers_of(dataset.test.targets.tolist(), said, said)
    return Baseline(_NEAREST, about, answers, perf_counter() - start, int(known.values.size))


def _steps(recordings: Any) -> int:
    """How many frames of recordings are compared."""
    return sum(len(range(0, len(spoken(frames)), _EVERY)) for frames in recordings.features)


def _compared(recordings: Any) -> list[np.ndarray]:
    return [heard(frames)[::_EVERY] for frames in recordings.features]
