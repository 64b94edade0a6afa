"""Which recordings of a training part are kept as the nearest ones, and what they say of the validation part."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.data.inputs import RaggedSeries
from gatework.data.recordings import Recordings
from gatework.tasks._heard import heard
from gatework.tasks._recorded import Recorded
from gatework.tasks.classify.neighbours import Neighbours
from gatework.tasks.classify.strangers import is_for_strangers
from gatework.tasks.classify.tract import FREQUENCIES, moved

if TYPE_CHECKING:
    from gatework.data.dataset import Dataset, Split

_MOST_FRAMES = 120_000
"""Frames of known recordings that are kept, those with moved frequencies among them."""
_MOST_ENTRIES = 10_000_000_000
"""Pairs of frames that the validation and the test part are compared by at most."""


def neighbours_of(dataset: Dataset, train: Split | None = None) -> Neighbours:
    """The recordings of the training part, evenly chosen ones of each class where they are too many.

    Args:
        dataset: Recordings.
        train: What is learnt from in place of the training part.
    """
    start, train = perf_counter(), dataset.train if train is None else train
    recordings = train.inputs
    if not isinstance(recordings, Recordings):
        raise TypeError(f"expected recordings, not {recordings.kind}")
    order = np.argsort(train.targets, kind="stable")
    step = _thinning(recordings, *(part.inputs for part in (dataset.validation, dataset.test)))
    chosen = np.sort(order[::step])
    rate = recordings.spec.rate
    each = [heard(one) for place in chosen for one in moved(recordings[int(place)], rate, FREQUENCIES)]
    said = "the three nearest training recordings of it"
    if step > 1:
        said = f"the three nearest to it of {len(chosen):,} training recordings, one in {step} of each class"
    about = (
        f"Answers the class with the least mean distance of {said}, by dynamic time warping of cepstral coefficients "
        "(MFCC) of what is spoken, also with their frequencies a tenth higher and lower."
    )
    targets = np.repeat(train.targets[chosen], len(FREQUENCIES))
    return Neighbours(RaggedSeries.of(each), targets, len(dataset.classes), about, perf_counter() - start)


def scores_of_validation(neighbours: Neighbours, dataset: Dataset) -> np.ndarray:
    """What is said of the validation part, shape (examples, classes).

    Where strangers are to be answered, each speaker's recordings are compared with those of the others, as a stranger's
    will be: one's own are nearer than any stranger's can be.

    Args:
        neighbours: Those of the whole training part.
        dataset: What they were taken from.
    """
    train, held = dataset.train, dataset.validation
    if not is_for_strangers(dataset) or not isinstance(train, Recorded) or not isinstance(held, Recorded):
        return neighbours.scores(held.inputs)
    scores = np.empty((len(held), neighbours.classes))
    speakers, of_train = np.asarray(held.speakers), np.asarray(train.speakers)
    for who in np.unique(speakers):
        others = neighbours_of(dataset, train.take(np.flatnonzero(of_train != who)))
        is_own = np.flatnonzero(speakers == who)
        scores[is_own] = others.scores(held.inputs[is_own])
    return scores


def _thinning(train: Recordings, *asked: Any) -> int:
    """One in how many training recordings is kept."""
    frames = len(FREQUENCIES) * sum(map(len, train.features))
    entries = frames * sum(len(one) for part in asked for one in part.features)
    return max(-(-frames // _MOST_FRAMES), -(-entries // _MOST_ENTRIES), 1)
