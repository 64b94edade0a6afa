"""From data to a trained run: the two calls that the command line and Python share."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework import cells, tasks
from gatework._threads import checked_count
from gatework.data.dataset import Dataset
from gatework.data.sets import REGISTRY
from gatework.errors import RunError
from gatework.nn.model import scan_options
from gatework.nn.precision import precision_here
from gatework.options import TASKS, implied_task, shows_options
from gatework.recipe import Recipe, find_recipe, recipe_of_task
from gatework.training import runtime
from gatework.training.completing import complete, create
from gatework.training.notebook import NotebookProgress, is_notebook
from gatework.training.outline import outline
from gatework.training.pace import step_seconds
from gatework.training.progress import Progress
from gatework.training.ranks import here
from gatework.training.run import Run, refuse_occupied
from gatework.training.threads import chosen_threads

if TYPE_CHECKING:
    from narwhals.typing import IntoDataFrame


@shows_options()
def train(
    task: str,
    source: str | os.PathLike[str] | IntoDataFrame | Dataset,
    *,
    out: str | os.PathLike[str],
    recipe: str | Recipe | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    **changes: Any,
) -> Run:
    """Trains a network on a data set, a file, a folder or a data frame.

    Args:
        task: The name of a task, as `gatework.options.TASKS` lists them.
        source: A registered data set's name, the path of a table or folder, a pandas, polars or pyarrow frame, or a
            Dataset.
        out: The run folder to make.
        recipe: A built-in recipe's name, the path of a recipe, or a Recipe; the task's own if None.
        threads: Threads to compute with; if None, one for a small network, and else every core that this process may
            use. The last digits of a result depend on it: a run records it, and is resumed with it.
        progress: Who is told how it goes.
        changes: Fields of the recipe to change, as `text="review", label="sentiment", epochs=5`.

    Returns:
        The finished run.

    Raises:
        UsageError: A setting is wrong.
        DataError: The data are not usable.
        RunError: `out` holds something.
        TrainingError: The loss is no longer a number.
    """
    out, ranks, progress = Path(out), here(), progress or _quiet_or_notebook()
    if ranks.is_main:
        refuse_occupied(out)
    if threads is not None:
        checked_count(threads, "threads")
    dataset, chosen = prepare(source, task, recipe, changes)
    chosen = chosen.changed(shards=ranks.shards(chosen.training.shards))
    provenance = dataset.provenance
    if ranks.is_main:
        fitted = tasks.get(chosen.task).fit(dataset, chosen.data)
        threads = chosen_threads(fitted, chosen, dataset, threads)
        create(out, chosen, fitted, provenance.fingerprint, threads, provenance.notes)
        progress.noted(provenance.notes)
        network = fitted.model(chosen.model)
        example = fitted.encode(dataset.train.take(np.arange(1)))
        outlook = fitted.outlook(dataset, chosen, partial(step_seconds, fitted, chosen, dataset, threads))
        progress.described([*fitted.about(dataset), *outlook, "", *outline(network, example), ""])
    ranks.wait()
    return complete(Run.open(out), dataset, progress, with_simple=True)


def _quiet_or_notebook() -> Progress:
    return NotebookProgress() if is_notebook() else Progress()


def resume(
    path: str | os.PathLike[str],
    source: str | os.PathLike[str] | IntoDataFrame | Dataset | None = None,
    *,
    progress: Progress | None = None,
) -> Run:
    """Goes on with an interrupted run; it ends with the very weights of an uninterrupted one.

    Args:
        path: The run folder.
        source: The data, where the run began with a data frame; else the recipe names them.
        progress: Who is told how it goes.

    Returns:
        The finished run.

    Raises:
        RunError: It is not a run folder, or the data are not those it began with.
    """
    run, progress = Run.open(path), progress or _quiet_or_notebook()
    if run.is_finished:
        progress.noted((f"{run.path} was finished already; nothing was trained.",))
        return run
    source = source if source is not None else run.recipe.data.dataset
    if isinstance(source, str) and not source:
        raise RunError(f"{path} began with a data frame; give it again, as in gatework.resume({str(path)!r}, frame)")
    dataset = source if isinstance(source, Dataset) else tasks.get(run.recipe.task).load(source, run.recipe)
    return complete(run, dataset, progress, with_simple=True)


def prepare(
    source: str | os.PathLike[str] | IntoDataFrame | Dataset,
    task: str | None,
    recipe: str | Recipe | None,
    changes: dict[str, Any],
    compared: Sequence[str] = (),
) -> tuple[Dataset, Recipe]:
    """The data, and the recipe with its changes.

    Args:
        source: As for `train()`.
        task: The task; the data set's own, the recipe's, or what the changes imply, if None.
        recipe: As for `train()`.
        changes: Fields of the recipe to change.
        compared: The cells to train in place of the recipe's.

    Raises:
        UsageError: A setting is wrong, or a cell cannot take what shall act around it.
    """
    name = str(source) if isinstance(source, (str, os.PathLike)) else ""
    known = find_recipe(REGISTRY[name].recipe) if name in REGISTRY else None
    if isinstance(recipe, str):
        recipe = find_recipe(recipe)
    if task is None:
        task = known.task if known else recipe.task if recipe else implied_task(changes, Path(name) if name else None)
    is_own = recipe is None and (known is None or known.task != task)
    if recipe is None:
        recipe = known if known and known.task == task else recipe_of_task(task)
    if name:
        changes = changes | {"dataset": name if known else str(Path(name).absolute())}
    chosen = _with_whole_paths(recipe.changed(task=task, **changes))
    chosen = chosen.changed(cell=cells.resolved(chosen.model.cell))
    runtime.device(chosen.training)
    for cell in compared or (chosen.model.cell,):
        scan_options(dataclasses.replace(chosen.model, cell=cell))
    learnt = tasks.get(task)
    dataset = source if isinstance(source, Dataset) else learnt.load(source, chosen)
    chosen = learnt.bound(chosen, dataset, changes)
    chosen = learnt.decided(chosen, dataset, changes) if is_own else chosen
    return dataset, chosen.changed(precision=precision_here(chosen.training.precision, chosen.training.device))


def _with_whole_paths(recipe: Recipe) -> Recipe:
    """The recipe with absolute paths, so that a run can be resumed from any folder."""
    given = recipe.to_dict()
    named = {o.qualified: given[o.section].get(o.name) for o in TASKS[recipe.task].options if o.is_path}
    paths = {name: str(Path(value).absolute()) for name, value in named.items() if value and value not in REGISTRY}
    return recipe.changed(**paths)
