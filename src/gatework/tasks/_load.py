"""Reading the data of a recipe, whatever its task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gatework.data.sets import REGISTRY
from gatework.options import TASKS
from gatework.recipe import Recipe, find_recipe

if TYPE_CHECKING:
    from gatework.data.dataset import Dataset


def load(source: Any, recipe: Recipe | None = None) -> Dataset:
    """Reads and splits data as a recipe's task does.

    Args:
        source: A registered data set's name, a path, or a data frame.
        recipe: The recipe; the data set's own if None.

    Raises:
        UsageError: There is no such data set, or no recipe where one is needed.
        DataError: The data cannot be used.
    """
    if recipe is None:
        recipe = find_recipe(REGISTRY.find(source).recipe)
    dataset: Dataset = TASKS.find(recipe.task).load().load(source, recipe)
    return dataset
