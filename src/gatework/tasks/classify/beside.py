"""The simple methods that are weighed beside a network once it is trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gatework.data.recordings import Recordings
from gatework.tasks.classify.calibration import cost
from gatework.tasks.classify.linear import linear_classifiers, refitted, together
from gatework.tasks.classify.nearest import neighbours_of, scores_of_validation
from gatework.tasks.classify.voices import SimpleVoice

if TYPE_CHECKING:
    from gatework.data.dataset import Dataset


class Candidate(NamedTuple):
    """A voice, fitted to the training part.

    Attributes:
        voice: The voice.
        said: Its scores of the validation part, by which its share is chosen; shape (examples, classes).
        refitted: Gives the same, fitted to the training and the validation part together.
    """

    voice: SimpleVoice
    said: np.ndarray
    refitted: Callable[[], SimpleVoice]


def candidates(dataset: Dataset) -> list[Candidate]:
    """The best linear classifier, and of recordings the nearest ones."""
    held = dataset.validation
    linear = min(linear_classifiers(dataset), key=lambda each: cost(each.scores(held.inputs), held.targets))
    methods = [Candidate(linear, linear.scores(held.inputs), lambda: refitted(linear, dataset))]
    if isinstance(dataset.train.inputs, Recordings):
        nearest = neighbours_of(dataset)
        said = scores_of_validation(nearest, dataset)
        methods.append(Candidate(nearest, said, lambda: neighbours_of(together(dataset))))
    return methods
