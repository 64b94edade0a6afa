"""The plan of a search: what is tried on what data, and what each trial trains."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gatework import cells, tasks
from gatework.data.dataset import Dataset
from gatework.errors import UsageError
from gatework.nn.model import scan_options
from gatework.options import TASKS, Among, Dimension, ModelOptions, TrainingOptions, dimension, space_of
from gatework.recipe import Recipe
from gatework.tasks import Task

# What says which examples there are for what, and with which luck.
_FIXED = {"data.dataset", "data.validation", "data.test", "data.split_seed", "training.seed"}
# Sections that change neither what is read nor how it is split.
_HARMLESS = (ModelOptions.section, TrainingOptions.section)


@dataclass(frozen=True)
class SearchPlan:
    """What is searched.

    Attributes:
        recipe: Where the search starts: the first trial, and what a better recipe must beat.
        space: The options that vary, each with single values or two ends, among which the recipe's own is.
        source: The data as a person named them, which are read anew where what varies changes what is read.
        trials: How many trials there are in all, those of other processes counted.
        seeds: How many seeds the best recipe and the first are compared with in the end.
        deadline: The time, in seconds since 1970, at which all shall be done; None where there is no hurry.
        threads: The threads of one training.
        processes: How many trainings this call runs at once.
    """

    recipe: Recipe
    space: tuple[Dimension, ...]
    source: Any
    trials: int
    seeds: int
    deadline: float | None
    threads: int
    processes: int

    @property
    def metric(self) -> str:
        """What trials are judged by, as an epoch's record names it."""
        return f"validation_{tasks.get(self.recipe.task).metric}"

    @property
    def lower_is_better(self) -> bool:
        """Whether a smaller metric is a better one."""
        return tasks.get(self.recipe.task).lower_is_better

    @property
    def start(self) -> dict[str, Any]:
        """The values of the recipe, by the names of the dimensions."""
        return self.values_of(self.recipe)

    def values_of(self, recipe: Recipe) -> dict[str, Any]:
        """What a recipe has where the search varies, by the names of the dimensions."""
        sections = recipe.to_dict()
        return {d.name: sections[d.option.section].get(d.option.name) for d in self.space}

    def with_values(self, values: Mapping[str, Any]) -> Recipe:
        """The recipe with the values of a trial.

        Raises:
            UsageError: They do not go together.
        """
        recipe = self.recipe.changed(**values)
        recipe = recipe.changed(cell=cells.resolved(recipe.model.cell))
        scan_options(recipe.model)
        return recipe

    def data_for(self, recipe: Recipe, dataset: Dataset) -> Dataset:
        """The data of a trial: the same, or read anew where its recipe says that they are read otherwise.

        Raises:
            UsageError: The trial would be judged by other answers than the others.
        """
        if all(d.option.section in _HARMLESS for d in self.space):
            return dataset
        anew = tasks.get(recipe.task).load(self.source, recipe)
        for part in ("validation", "test"):
            if not np.array_equal(getattr(anew, part).targets, getattr(dataset, part).targets, equal_nan=True):
                names = ", ".join(d.name for d in self.space if d.option.section not in _HARMLESS)
                raise UsageError(f"a search cannot vary {names}: its trials would be judged by different answers")
        return anew

    def state(self, fingerprint: str) -> dict[str, Any]:
        """What every process that joins must agree on, as values that JSON can hold."""
        return {
            "recipe": self.recipe.to_dict(),
            "space": [d.state() for d in self.space],
            "data": fingerprint,
        }


def search_space(recipe: Recipe, task: Task, over: Mapping[str, Any]) -> tuple[Dimension, ...]:
    """The dimensions of a search around a recipe.

    Args:
        recipe: The recipe; what its `search` says is what varies, if it says anything.
        task: The task as it was fitted, which knows what options have an effect.
        over: What a person says in its place: values by the names of options, None for those that are declared.

    Raises:
        UsageError: An option cannot be searched, or there is none to search.
    """
    options = TASKS.find(recipe.task).shown
    given = over or recipe.search
    owner = f'the task "{recipe.task}"'
    if given:
        space = [dimension(options, name, values, owner) for name, values in given.items()]
    else:
        in_use = task.recipe_in_use(recipe.to_dict(), task.state())
        space = [d for d in space_of(options) if d.option.name in in_use[d.option.section]]
    if fixed := sorted(_FIXED & {d.name for d in space}):
        raise UsageError(f"a search cannot vary {', '.join(fixed)}: its trials would be judged by different examples")
    values = recipe.to_dict()
    starts = {d.name: values[d.option.section].get(d.option.name) for d in space}
    absent = [name for name, value in starts.items() if value is None]
    if absent:
        raise UsageError(f"{', '.join(absent)} has no value to start from; give one, as --{absent[0]} VALUE")
    space = [d.starting_at(starts[d.name]) for d in space]
    _check_cells(recipe, space)
    return tuple(space)


def _check_cells(recipe: Recipe, space: Sequence[Dimension]) -> None:
    for d in space:
        if d.name == "model.cell" and isinstance(d.tried, Among):
            for cell in d.tried.values:
                scan_options(dataclasses.replace(recipe.model, cell=cells.resolved(cell)))
