"""The nearest recordings by dynamic time warping, as a classifier: what is said is what they say.

Known recordings, up to a number of frames, are kept as cepstral coefficients of what is spoken, each in its own
deviations from its own mean, as they are and with their frequencies a tenth higher and lower, as if by other vocal
tracts. A class is as near as the mean of its three nearest, by their distance for each step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from gatework.data.features import cepstra
from gatework.data.inputs import RaggedSeries
from gatework.data.recordings import Recordings
from gatework.tasks._recorded import Recorded
from gatework.tasks.classify.cepstral import heard_at_all, spoken
from gatework.tasks.classify.strangers import is_for_strangers
from gatework.tasks.classify.warping import class_scores, distances

if TYPE_CHECKING:
    from gatework.data.dataset import Dataset, Split

# Chosen on speakers of spoken digits who were held out in pairs; docs/sounds.md.
_COUNT = 3
_FREQUENCIES = (0.9, 1.0, 1.1)
_LEAST_DEVIATION = 1e-3
_MOST_FRAMES = 120_000
"""Frames of known recordings that are kept, those with moved frequencies among them."""
_MOST_ENTRIES = 10_000_000_000
"""Pairs of frames that the validation and the test part are compared by at most."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Known recordings, to be compared with.

    Attributes:
        known: Their cepstral coefficients, float32.
        targets: The class of each, shape (known,), int64.
        classes: How many classes there are.
        about: One sentence: what it does.
        seconds: What keeping them took.
    """

    known: RaggedSeries
    targets: np.ndarray
    classes: int
    about: str
    seconds: float = 0.0

    name: ClassVar[str] = "nearest recordings by time warping"
    short_name: ClassVar[str] = "nearest recordings"

    @property
    def parameters(self) -> int:
        """How many numbers are kept."""
        return int(self.known.values.size)

    def scores(self, inputs: Any) -> np.ndarray:
        """How near each class is, 0 at the nearest, shape (examples, classes), float64.

        Args:
            inputs: Recordings.
        """
        if not len(inputs):
            return np.zeros((0, self.classes))
        asked = RaggedSeries.of([_heard(inputs[place]) for place in range(len(inputs))])
        apart = distances(asked, self.known) / (asked.lengths[:, None] + self.known.lengths)
        return class_scores(apart, self.targets, self.classes, _COUNT)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """All that is needed to answer."""
        return {"values": self.known.values, "ends": self.known.ends, "targets": self.targets}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], classes: int) -> Neighbours:
        """The one whose `to_arrays()` these are.

        Args:
            arrays: By name.
            classes: How many classes it tells apart.

        Raises:
            ValueError: They do not fit each other.
        """
        if set(arrays) != {"values", "ends", "targets"}:
            raise ValueError(f"the nearest recordings have {', '.join(arrays)}")
        values, ends, targets = arrays["values"].astype(np.float32), arrays["ends"], arrays["targets"]
        is_whole = all(each.ndim == 1 and each.dtype == np.int64 and len(each) for each in (ends, targets))
        if values.ndim != 2 or not is_whole or len(ends) != len(targets) or ends[-1] != len(values):
            raise ValueError("the nearest recordings are of another shape or type")
        if np.diff(ends, prepend=0).min() < 1 or targets.min() < 0 or targets.max() >= classes:
            raise ValueError(f"the nearest recordings do not fit {classes} classes")
        return cls(RaggedSeries(values, ends), targets, classes, "")


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
    each = [_heard(moved) for place in chosen for moved in _moved(recordings[int(place)], recordings.spec.rate)]
    said = "the three nearest training recordings of it"
    if step > 1:
        said = f"the three nearest to it of {len(chosen):,} training recordings, one in {step} of each class"
    about = (
        f"Answers the class with the least mean distance of {said}, by dynamic time warping of cepstral coefficients "
        "(MFCC) of what is spoken, also with their frequencies a tenth higher and lower."
    )
    targets = np.repeat(train.targets[chosen], len(_FREQUENCIES))
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
    frames = len(_FREQUENCIES) * sum(map(len, train.features))
    entries = frames * sum(len(one) for part in asked for one in part.features)
    return max(-(-frames // _MOST_FRAMES), -(-entries // _MOST_ENTRIES), 1)


def _heard(frames: np.ndarray) -> np.ndarray:
    """The cepstral coefficients of what is spoken, in their own deviations from their own means, float32."""
    each = cepstra(heard_at_all(spoken(frames)))
    deviations: np.ndarray = (each - each.mean(axis=0)) / (each.std(axis=0) + _LEAST_DEVIATION)
    return deviations.astype(np.float32)


def _moved(frames: np.ndarray, rate: int) -> list[np.ndarray]:
    """A recording with its frequencies as they are, higher and lower."""
    import torch

    from gatework.tasks._augment import band_places

    moved = []
    for places in band_places(frames.shape[1], rate, torch.tensor(_FREQUENCIES)).numpy():
        below = np.clip(places.astype(np.int64), 0, max(frames.shape[1] - 2, 0))
        above = np.minimum(below + 1, frames.shape[1] - 1)
        moved.append(frames[:, below] + (places - below) * (frames[:, above] - frames[:, below]))
    return moved
