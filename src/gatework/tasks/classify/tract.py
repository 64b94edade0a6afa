"""Frequencies moved as a stranger's vocal tract asks for.

The resonances of a shorter vocal tract lie higher, and a network that has heard few speakers takes a stranger's vowels
for others. Of recordings that one speaker is named for, all frequencies are moved by the one factor with which the
network is surest, by the mean logarithm of the probability of its answers; what was really said is not looked at.

Source: L. Lee and R. Rose, "Speaker normalization using efficient frequency warping procedures", ICASSP 1996.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from gatework.tasks._augment import band_places
from gatework.tasks._recorded import Recorded

if TYPE_CHECKING:
    from gatework.data.dataset import Split
    from gatework.data.recordings import Recordings

_FACTORS = (1.0, 0.9, 1.1)
"""The first of equally sure ones is taken."""
_FEWEST = 20
"""Recordings of a speaker, below which frequencies stay as they are."""


def in_tract(split: Split, scores: Callable[[Split], np.ndarray]) -> Split:
    """Examples whose frequencies are moved for each speaker who is named often enough; others as they are.

    Args:
        split: The examples.
        scores: What is said of examples, shape (examples, classes).
    """
    if not isinstance(split, Recorded) or split.speakers is None:
        return split
    who, count = np.unique(split.speakers.astype(str), return_counts=True)
    often = who[(count >= _FEWEST) & (who != "")]
    if not len(often):
        return split
    speakers = split.speakers.astype(str)
    by_factor = [replace(split, inputs=_moved(split.inputs, factor)) for factor in _FACTORS]
    sure = np.stack([_sureness(scores(one)) for one in by_factor])
    features = list(split.inputs.features)
    for speaker in often:
        places = np.flatnonzero(speakers == speaker)
        best = by_factor[int(sure[:, places].mean(axis=1).argmax())]
        for place in places:
            features[place] = best.inputs.features[place]
    return replace(split, inputs=replace(split.inputs, features=tuple(features)))


def at_factors(frames: np.ndarray, rate: int, factors: Sequence[float]) -> list[np.ndarray]:
    """A recording with its frequencies times each factor.

    Args:
        frames: Log energies, shape (frames, bands).
        rate: Samples per second.
        factors: What frequencies are multiplied by.
    """
    moved = []
    for places in band_places(frames.shape[1], rate, torch.tensor(factors)).numpy():
        below = np.clip(places.astype(np.int64), 0, max(frames.shape[1] - 2, 0))
        above = np.minimum(below + 1, frames.shape[1] - 1)
        moved.append(frames[:, below] + (places - below) * (frames[:, above] - frames[:, below]))
    return moved


def _moved(recordings: Recordings, factor: float) -> Recordings:
    if factor == 1:
        return recordings
    features = tuple(at_factors(frames, recordings.spec.rate, [factor])[0] for frames in recordings.features)
    return replace(recordings, features=features)


def _sureness(scores: np.ndarray) -> np.ndarray:
    """The logarithm of the probability of each answer, shape (examples,)."""
    from scipy.special import log_softmax

    sureness: np.ndarray = log_softmax(scores, axis=1).max(axis=1)
    return sureness
