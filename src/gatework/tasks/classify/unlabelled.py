"""Texts without labels beside those with labels: how they are read, and how a classifier that knows them is trained."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from gatework.data.dataset import Dataset
from gatework.data.text import Texts
from gatework.data.unlabelled import read_unlabelled
from gatework.errors import UsageError
from gatework.tasks.classify.options import PretrainingOptions

if TYPE_CHECKING:
    from gatework.recipe import Recipe

_OF_PRETRAINED: Mapping[str, Any] = {
    "hidden": 256,
    "embedding": 200,
    "pooling": "concat",
    "dropout": 0.2,
    "embedding_dropout": 0.3,
    "learning_rate": 5e-3,
    "epochs": 5,
}
"""What a network that begins from a language model needs."""
_SHARE = 0.5
"""The share of the minutes that the pre-training takes where nothing else is said."""


@dataclass(frozen=True)
class PretrainedDataset(Dataset):
    """A Dataset of labelled texts, with further ones.

    Attributes:
        unlabelled: Texts without labels, none of which is in the validation or the test part.
    """

    unlabelled: Texts = field(kw_only=True)


def with_unlabelled(dataset: Dataset, recipe: Recipe) -> Dataset:
    """A dataset with the texts without labels that a recipe names; itself where it names none.

    Raises:
        UsageError: The data are series, or the texts cannot be learnt from by the recipe's network.
        DataError: They cannot be read.
    """
    plan = recipe.section(PretrainingOptions)
    if plan.pretrain is None:
        return dataset
    held = [part.inputs for part in (dataset.validation, dataset.test) if isinstance(part.inputs, Texts)]
    train = dataset.train.inputs
    if not isinstance(train, Texts):
        raise UsageError(f'--pretrain is of texts, and "{dataset.name}" holds series; leave it out')
    if recipe.model.bidirectional and recipe.model.layers > 1:
        raise UsageError(
            "--pretrain: of several layers that read both ways the upper ones know the word to predict; "
            "give --layers 1 or --no-bidirectional"
        )
    texts, fingerprint, notes = read_unlabelled(plan.pretrain, recipe.data, train, held)
    before = dataset.provenance
    both = hashlib.sha256(f"{before.fingerprint} {fingerprint}".encode()).hexdigest()
    provenance = replace(before, fingerprint=both, notes=(*before.notes, *notes))
    kept = {each.name: getattr(dataset, each.name) for each in fields(Dataset)}
    return PretrainedDataset(**kept | {"provenance": provenance}, unlabelled=texts)


def pretrained_recipe(recipe: Recipe, named: Collection[str]) -> Recipe:
    """The recipe of a network that begins from a language model.

    Args:
        recipe: The task's.
        named: The fields that a person gave, which stay as they are.
    """
    changes = dict(_OF_PRETRAINED)
    if recipe.training.minutes and "pretrain_minutes" not in named:
        changes |= {"pretrain_minutes": _SHARE * recipe.training.minutes}
        recipe = recipe.changed(minutes=(1 - _SHARE) * recipe.training.minutes)
    return recipe.changed(**{name: value for name, value in changes.items() if name not in named})


def unfrozen(plan: PretrainingOptions, share: float) -> tuple[float, float, float]:
    """What the learning rates of the output, the layers and the word vectors are multiplied by.

    The output learns alone at first, then with the layers, then all learn; each part at a lower rate than the one above
    it. Source: J. Howard and S. Ruder, "Universal language model fine-tuning for text classification", ACL 2018.

    Args:
        plan: When a part begins, and how much lower its rate is.
        share: The share of the training that is done.
    """
    layers = 1 / plan.falling if share >= plan.unfreezing else 0.0
    words = 1 / plan.falling**2 if share >= 2 * plan.unfreezing else 0.0
    return 1.0, layers, words
