r"""How much the examples of each class count in the loss, where classes are of unequal size.

Balanced, those of class $c$ count $w_c = n / (k\, n_c)$ times, with $n$ examples of $k$ classes, $n_c$ of them of the
class: each class then counts as much as any other. As in scikit-learn.

Source: G. King and L. Zeng, "Logistic regression in rare events data", Political Analysis, 2001.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gatework.errors import UsageError, nearest
from gatework.tasks.classify.options import BALANCED, ClassWeights, LossOptions

if TYPE_CHECKING:
    from gatework.data.dataset import Dataset
    from gatework.recipe import Recipe

_RARE = 0.1
"""The share of the training examples below which a class is rare, of two or three classes."""
_RARE_OF_MANY = 1 / 3
"""The same of many, as a share of what each would have if all were equally frequent."""
_MOST_CLASSES = 6
"""The classes that are named."""


def class_weights(dataset: Dataset, recipe: Recipe) -> tuple[float, ...]:
    """What an example of each class counts, so that the mean over the training part is 1; nothing where all are equal.

    Raises:
        UsageError: A label is none of the data, or a weight is no number above 0.
    """
    given = recipe.section(LossOptions).class_weights
    if not given:
        return ()
    counts = dataset.class_counts
    weights = np.ones(len(dataset.classes))
    if given == BALANCED:
        present = counts > 0
        weights[present] = counts.sum() / (present.sum() * counts[present])
    else:
        for label, weight in _by_label(given, dataset.classes).items():
            weights[dataset.classes.index(label)] = weight
    weights *= counts.sum() / (weights @ counts)
    return tuple(weights.tolist())


def _by_label(given: ClassWeights, classes: Sequence[str]) -> dict[str, float]:
    pairs = given.items() if isinstance(given, Mapping) else map(_pair, _texts(given))
    weights = dict(pairs)
    for label, weight in weights.items():
        if label not in classes:
            raise UsageError(f'--class-weights names "{label}", which is no class: {nearest(label, classes)}')
        if not 0 < weight < float("inf"):
            raise UsageError(f'--class-weights gives "{label}" {weight:g}, expected a number above 0')
    return weights


def _texts(given: ClassWeights) -> list[str]:
    """One text for each label; what one text says of several is split where a comma begins another."""
    texts: list[str] = []
    for text in [given] if isinstance(given, str) else list(given or ()):
        parts = text.split(",")
        texts += parts if all("=" in part for part in parts) else [text]
    return texts


def _pair(text: str) -> tuple[str, float]:
    label, _, weight = text.rpartition("=")
    try:
        return label.strip(), float(weight)
    except ValueError:
        raise UsageError(f'--class-weights is "{text}", expected {BALANCED} or LABEL=WEIGHT, such as spam=5') from None


def outlook(dataset: Dataset, recipe: Recipe) -> list[str]:
    """What weights stand for the classes, or that some are so rare that weights may be wanted; else nothing."""
    counts, classes = dataset.class_counts, dataset.classes
    return [*_alike(classes), *_of_counts(counts, classes, class_weights(dataset, recipe))]


def _alike(classes: Sequence[str]) -> list[str]:
    """Which classes have names that differ in upper and lower case alone."""
    names: dict[str, list[str]] = {}
    for name in classes:
        names.setdefault(name.casefold(), []).append(name)
    alike = [" and ".join(f'"{name}"' for name in same) for same in names.values() if len(same) > 1]
    return [f"classes apart by upper case alone: {_listed(alike)}; write them alike if they are the same"] * bool(alike)


def _of_counts(counts: np.ndarray, classes: Sequence[str], weights: Sequence[float]) -> list[str]:
    if weights:
        order = np.argsort(weights)[::-1]
        said = _listed([f"{classes[k]} ({weights[k]:.3g})" for k in order])
        return [
            f"class weights: how often an example counts in the loss: {said}; "
            "so weighted, accuracy says which epoch is best"
        ]
    shares = counts / max(counts.sum(), 1)
    rare = shares < min(_RARE, _RARE_OF_MANY / max(len(classes), 1))
    if not rare.any():
        return []
    said = _listed([f"{classes[k]} ({_percent(shares[k])})" for k in np.argsort(shares) if rare[k]])
    return [
        f"unbalanced classes: {said} of the training examples; what is rare is easily passed over "
        "(--class-weights balanced lets each class count the same)"
    ]


def _listed(texts: Sequence[str]) -> str:
    more = [f"{len(texts) - _MOST_CLASSES} more"] if len(texts) > _MOST_CLASSES else []
    return ", ".join([*texts[:_MOST_CLASSES], *more])


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= _RARE / 10 else f"{100 * share:.2g} %"


def weighted_recipe(recipe: Recipe, dataset: Dataset, named: Collection[str]) -> Recipe:
    """A recipe whose network answers alone where its classes have weights: a linear classifier beside it has none.

    Args:
        recipe: The task's.
        dataset: The data, whose classes the weights must be of.
        named: The fields that a person gave, which stay as they are.
    """
    if not class_weights(dataset, recipe) or "blend" in named:
        return recipe
    return recipe.changed(blend=False)
