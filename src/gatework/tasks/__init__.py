"""Tasks: what is learnt from a dataset. A task is one folder here and one line in `gatework.options.TASKS`."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from gatework._registry import note_module
from gatework.data import sets
from gatework.options import TASKS, TaskOptions
from gatework.recipe import Recipe, find_recipe
from gatework.tasks._metric import METRICS, Metric, get_metric, metric_title, register_metrics
from gatework.tasks._section import Answered, AnsweredEntry, Section, section_file
from gatework.tasks._task import Baseline, Evaluation, Loss, Scores, Task, Trained

if TYPE_CHECKING:
    from gatework.data.dataset import Dataset

__all__ = [
    "METRICS",
    "REGISTRY",
    "Answered",
    "AnsweredEntry",
    "Baseline",
    "Evaluation",
    "Loss",
    "Metric",
    "Scores",
    "Section",
    "Task",
    "Trained",
    "get",
    "get_metric",
    "load",
    "metric_title",
    "register",
    "register_metrics",
    "section_file",
]


class _Classes(Mapping[str, type[Task]]):
    """Every task's class by its name; its module is imported when it is first asked for."""

    def __getitem__(self, name: str) -> type[Task]:
        task: type[Task] = TASKS[name].load()
        return task

    def __iter__(self) -> Iterator[str]:
        return iter(TASKS)

    def __len__(self) -> int:
        return len(TASKS)


REGISTRY = _Classes()


def register(task: type[Task]) -> type[Task]:
    """Makes a task of one's own known by its name; a class decorator.

    Raises:
        UsageError: There is a built-in task of that name.
    """
    about = inspect.cleandoc(task.__doc__ or task.name).partition("\n")[0]
    options = task.options or TaskOptions(task.name, about, f"gatework train {task.name} FILE --out RUN")
    TASKS.register(task.name, dataclasses.replace(options, task=task))
    note_module(task.__module__)
    return task


def get(name: str) -> type[Task]:
    """The registered task of that name.

    Raises:
        UsageError: There is no such task.
    """
    TASKS.find(name)
    return REGISTRY[name]


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
        recipe = find_recipe(sets.REGISTRY.find(source).recipe)
    return get(recipe.task).load(source, recipe)
