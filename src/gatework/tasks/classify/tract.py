r"""Answers to strangers, over the vocal tracts that they may have.

The resonances of a shorter vocal tract lie higher, and who has heard few speakers takes a stranger's vowels for others.
So each recording is answered with its frequencies as they are, a tenth lower and a tenth higher, and the probabilities
$p_{ik}$ of recording $i$ at factor $k$ are averaged with weights that are the larger the surer the answers are, those
to the other recordings of the same speaker too, where one is named:

$$ w_{ik} \propto \exp \Big( -\kappa H(p_{ik}) - \sum_{j \in \text{speaker}} H(p_{jk}) \Big) $$

with the entropy $H$. What was really said is not looked at. Source: L. Lee and R. Rose, "Speaker normalization using
efficient frequency warping procedures", ICASSP 1996, who take the one factor that is likeliest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch

from gatework.data.dataset import Split
from gatework.tasks._augment import band_places
from gatework.tasks._recorded import Recorded

FREQUENCIES = (0.9, 1.0, 1.1)
_KAPPA = 3.0


def over_tracts(scores: Callable[[Split], np.ndarray], split: Split) -> np.ndarray:
    """The logarithms of the probabilities of classes, shape (examples, classes).

    Args:
        scores: What is said of examples, shape (examples, classes).
        split: Recordings, with their speakers where these are known.
    """
    from scipy.special import log_softmax

    if not isinstance(split, Recorded):
        return scores(split)
    logs = np.stack([log_softmax(scores(_moved(split, factor)), axis=1) for factor in FREQUENCIES])
    surer = (np.exp(logs) * logs).sum(axis=2)
    weights = _KAPPA * surer + _of_speakers(surer, split.speakers)
    mean: np.ndarray = np.logaddexp.reduce(logs + log_softmax(weights, axis=0)[..., None])
    return mean


def moved(frames: np.ndarray, rate: int, factors: Sequence[float]) -> list[np.ndarray]:
    """A recording with its frequencies times each factor.

    Args:
        frames: Log energies, shape (frames, bands).
        rate: Samples per second.
        factors: What frequencies are multiplied by.
    """
    each = []
    for places in band_places(frames.shape[1], rate, torch.tensor(factors)).numpy():
        below = np.clip(places.astype(np.int64), 0, max(frames.shape[1] - 2, 0))
        above = np.minimum(below + 1, frames.shape[1] - 1)
        each.append(frames[:, below] + (places - below) * (frames[:, above] - frames[:, below]))
    return each


def _moved(split: Recorded, factor: float) -> Recorded:
    if factor == 1:
        return split
    inputs = split.inputs
    features = tuple(moved(frames, inputs.spec.rate, [factor])[0] for frames in inputs.features)
    return replace(split, inputs=replace(inputs, features=features))


def _of_speakers(values: np.ndarray, speakers: np.ndarray | None) -> np.ndarray:
    """The sum over all recordings of each one's speaker, its own value where nobody is named; shape of the values."""
    if speakers is None:
        return values
    sums = values.copy()
    for who in set(speakers.tolist()) - {"", None}:
        is_own = speakers == who
        sums[:, is_own] = values[:, is_own].sum(axis=1, keepdims=True)
    return sums
