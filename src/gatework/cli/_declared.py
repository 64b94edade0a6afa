"""Which declared options a command line takes: those of the task that it speaks of, or of every task."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from gatework.cli._options import Declared
from gatework.errors import UsageError
from gatework.options import SHARED, TASKS, Option, TaskOptions, options_of
from gatework.recipe import Recipe, find_recipe, recipe_of_task


def of_training(arguments: Sequence[str]) -> Declared:
    """The options of `train`: those of the task that is its first argument."""
    task = next((word for word in _positional(arguments) if word in TASKS), None)
    return _of_task(TASKS[task], recipe_of_task(task)) if task else _of_every_task()


def of_comparing(arguments: Sequence[str]) -> Declared:
    """The options of `compare`: those of the task of --task, or of the data set's; a comparison sets cell and seed."""
    unused = ("model.cell", "training.seed")
    task = _value_of("--task", arguments)
    if task and task in TASKS:
        return _of_task(TASKS[task], recipe_of_task(task), unused)
    recipe = _of_data_set(_positional(arguments))
    return _of_task(TASKS[recipe.task], recipe, unused) if recipe else _of_every_task(unused)


def of_predicting(arguments: Sequence[str]) -> Declared:
    """The options of `predict`: those of the run's task."""
    return _of_run("predict", arguments)


def of_evaluating(arguments: Sequence[str]) -> Declared:
    """The options of `evaluate`: those of the run's task."""
    return _of_run("evaluate", arguments)


def _of_task(task: TaskOptions, recipe: Recipe, unused: Collection[str] = ()) -> Declared:
    values = recipe.to_dict()
    defaults = {o.qualified: values[o.section].get(o.name) for o in task.shown}
    options = [o for o in task.shown if o.qualified not in unused]
    return Declared(options, defaults, task.needed, task.about, task.example)


def _of_every_task(unused: Collection[str] = ()) -> Declared:
    # A shared option has its general help here, not that of one task.
    general = {o.qualified: o for section in SHARED for o in options_of(section)}
    options = _each_once(o for task in TASKS.values() for o in task.shown if o.qualified not in unused)
    options = [general.get(o.qualified, o) for o in options]
    return Declared(options, example="\n".join(task.example for task in TASKS.values()))


def _of_run(command: str, arguments: Sequence[str]) -> Declared:
    run = next((task for word in _positional(arguments) if (task := _task_of_run(Path(word)))), None)
    tasks = [TASKS[run]] if run and run in TASKS else list(TASKS.values())
    return Declared(_each_once(o for task in tasks for o in task.prediction_options if command in o.commands))


def _each_once(options: Iterable[Option]) -> list[Option]:
    return list({o.qualified: o for o in options}.values())


def _positional(arguments: Sequence[str]) -> list[str]:
    """The words that are no option; among them the values of options, which only a parser can tell apart."""
    return [word for word in arguments if not word.startswith("-")]


def _value_of(flag: str, arguments: Sequence[str]) -> str | None:
    for word, following in zip(arguments, [*arguments[1:], ""], strict=True):
        name, is_joined, value = word.partition("=")
        if name == flag:
            return value if is_joined else following
    return None


def _of_data_set(words: Sequence[str]) -> Recipe | None:
    """The recipe of the first registered data set among words."""
    if not words:
        return None
    from gatework.data.sets import REGISTRY

    name = next((word for word in words if word in REGISTRY), None)
    return find_recipe(REGISTRY[name].recipe) if name else None


def _task_of_run(path: Path) -> Any:
    """The task of a run folder; None where it is no run folder, which the command itself will say."""
    try:
        return tomllib.loads((path / "recipe.toml").read_text(encoding="utf-8")).get("task")
    except (OSError, ValueError, UsageError):
        return None
