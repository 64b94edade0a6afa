"""What fewer labels are worth: trainings on some of them, with and without the pre-training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.data.dataset import Dataset
from gatework.data.text import Texts
from gatework.recipe import recipe_of_task
from gatework.tasks.classify.options import LossOptions
from gatework.tasks.classify.unlabelled import BegunDataset, UnlabelledDataset

if TYPE_CHECKING:
    from gatework.recipe import Recipe

SIZES = (100, 1_000, 10_000)
PRETRAINED, PLAIN = "pretrained", "plain"
_VALIDATING = 5
"""One label in so many validates."""
_FEWEST_STEPS, _MOST_EPOCHS = 300, 60


def trainings(dataset: Dataset, recipe: Recipe) -> Mapping[str, tuple[Dataset, Recipe]]:
    """The trainings of the curve, by the number of labels and how the network begins, as "1000-pretrained".

    The larger set of labels holds the smaller one. The texts whose label is not used are without one: the language
    model and its vocabulary stay as they are.

    Args:
        dataset: The run's data.
        recipe: The run's.
    """
    made: dict[str, tuple[Dataset, Recipe]] = {}
    order = np.random.default_rng(recipe.training.seed).permutation(len(dataset.train))
    for size in SIZES:
        held = size // _VALIDATING
        if size - held > len(order) or held > len(dataset.validation):
            break
        learnt, rest = order[: size - held], order[size - held :]
        if len(np.unique(dataset.train.targets[learnt])) < 2:
            continue
        few = replace(dataset, train=dataset.train.take(learnt), validation=dataset.validation.take(np.arange(held)))
        plain: dict[str, Any] = {each.name: getattr(few, each.name) for each in fields(Dataset)}
        epochs = min(math.ceil(_FEWEST_STEPS * recipe.training.batch_size / len(learnt)), _MOST_EPOCHS)
        shorter = recipe.changed(label_curve=False, minutes=0.0, epochs=max(epochs, recipe.training.epochs))
        if isinstance(dataset, UnlabelledDataset):
            texts = Texts.joined([dataset.unlabelled, dataset.train.inputs[rest]])
            made[f"{size}-{PRETRAINED}"] = UnlabelledDataset(**plain, unlabelled=texts), shorter
        elif isinstance(dataset, BegunDataset):
            begun = BegunDataset(**plain, earlier=dataset.earlier, pieces=dataset.pieces)
            made[f"{size}-{PRETRAINED}"] = begun, shorter
        usual = recipe_of_task(recipe.task)
        usual = replace(usual, data=recipe.data).changed(
            seed=recipe.training.seed,
            shards=recipe.training.shards,
            class_weights=recipe.section(LossOptions).class_weights,
        )
        made[f"{size}-{PLAIN}"] = Dataset(**plain), usual.changed(epochs=max(epochs, usual.training.epochs))
    return made
