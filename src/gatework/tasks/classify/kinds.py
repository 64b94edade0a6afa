"""What the recipe of a classifier is for each kind of data, where a person says nothing else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from gatework.data.inputs import RaggedSeries
from gatework.data.recordings import Recordings
from gatework.tasks.classify.unlabelled import BegunDataset, PretrainedDataset, pretrained_recipe

if TYPE_CHECKING:
    from gatework.data.dataset import Dataset
    from gatework.recipe import Recipe

_OF_SERIES: Mapping[str, Any] = {
    "scale": True,
    "epochs": 60,
    "batch_size": 16,
    "learning_rate": 5e-3,
    "patience": 0,
}
"""What series of several lengths need: data sets of them have a few hundred examples."""
_OF_SOUNDS: Mapping[str, Any] = {
    "hidden": 64,
    "layers": 1,
    "pooling": "max",
    "dropout": 0.3,
    "epochs": 20,
    "batch_size": 32,
    "learning_rate": 4e-3,
    "patience": 0,
}
"""What recordings of a word need."""


def decided(recipe: Recipe, dataset: Dataset, named: Collection[str]) -> Recipe:
    """The recipe with what series of several lengths need, or sounds, or a network that knows the language already.

    Args:
        recipe: The task's.
        dataset: The data.
        named: The fields that a person gave, which stay as they are.
    """
    if isinstance(dataset, (PretrainedDataset, BegunDataset)):
        return pretrained_recipe(recipe, named)
    inputs = dataset.train.inputs
    changes = _OF_SOUNDS if isinstance(inputs, Recordings) else _OF_SERIES if isinstance(inputs, RaggedSeries) else {}
    return recipe.changed(**{name: value for name, value in changes.items() if name not in named})
