r"""What more minutes would be worth: trainings on a part of the recordings, and the curve through what they came to.

The word error rate $e$ of $m$ minutes is taken for a power law, $e = a\,m^{-b}$, with the least squares of the
logarithms. What it says of more minutes than there are is a guess; it is drawn dashed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gatework.data.dataset import Dataset
from gatework.data.recordings import Recordings
from gatework.errors import DataError

if TYPE_CHECKING:
    from gatework.recipe import Recipe

SHARES = (0.25, 0.5)
"""The shares of the recordings that are learnt from besides all of them."""
MINUTES = "minutes"
_FEWEST = 8
_LEAST_ERROR = 1e-3


class PowerLaw(NamedTuple):
    """The error of so many minutes.

    Attributes:
        scale: That of one minute.
        power: By which power of the minutes it falls.
    """

    scale: float
    power: float

    @classmethod
    def fit(cls, minutes: Sequence[float], errors: Sequence[float]) -> PowerLaw:
        """The one with the least squares of the logarithms."""
        slope, level = np.polyfit(np.log(minutes), np.log(np.maximum(errors, _LEAST_ERROR)), 1)
        return cls(float(np.exp(level)), float(-slope))

    def __call__(self, minutes: float) -> float:
        """The error of so many minutes."""
        return float(self.scale * minutes**-self.power)


def trainings(dataset: Dataset, recipe: Recipe) -> Mapping[str, tuple[Dataset, Recipe]]:
    """The trainings of the curve, by their minutes, as "minutes-3.25"; the larger part holds the smaller one.

    Args:
        dataset: The run's data.
        recipe: The run's.
    """
    order = np.random.default_rng(recipe.training.seed).permutation(len(dataset.train))
    made: dict[str, tuple[Dataset, Recipe]] = {}
    for share in SHARES:
        count = round(share * len(order))
        if count < _FEWEST:
            continue
        train = dataset.train.take(np.sort(order[:count]))
        # The fewer recordings, the more often each is seen.
        epochs = math.ceil(recipe.training.epochs / math.sqrt(share))
        name = f"{MINUTES}-{minutes_of(train.inputs):.3f}"
        made[name] = replace(dataset, train=train), recipe.changed(learning_curve=False, epochs=epochs)
    return made


def minutes_of(inputs: object) -> float:
    """The length of recordings in minutes.

    Raises:
        DataError: They are none.
    """
    if not isinstance(inputs, Recordings):
        raise DataError("recordings were expected")
    return float(inputs.seconds.sum() / 60)


def further_minutes(minutes: float) -> float:
    """How many more minutes the curve is asked about: as many again, in round numbers."""
    size = 10 ** math.floor(math.log10(max(minutes, 1.0)))
    return max(size * math.floor(minutes / size), 1.0)
