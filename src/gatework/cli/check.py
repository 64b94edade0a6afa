"""`gatework check`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gatework.cli import _options as options

if TYPE_CHECKING:
    from gatework.recipe import Recipe
    from gatework.tasks._findings import Findings

_PROBLEMS = 1


def check(
    task: Annotated[
        str | None,
        typer.Argument(
            metavar="TASK", autocompletion=options.task_names, help="What would be learnt; inferred if absent."
        ),
    ] = None,
    data: Annotated[str | None, typer.Argument(metavar="FILE", help="A table, a folder, or a data set.")] = None,
    as_json: options.AsJson = False,
    *,
    changes: options.Changes,
) -> None:
    """Look at data without learning anything: what there is, what would go wrong, and what to expect.

    Of a table alone it says what each column holds, and which command learns from it. With a task and the options of
    `gatework train TASK` it ends with 1 where it names a problem.
    """
    from gatework import tasks
    from gatework.cli._overview import overview
    from gatework.data.reading import Reading
    from gatework.data.sets import REGISTRY
    from gatework.data.tables import read_table
    from gatework.errors import UsageError
    from gatework.options import READING, TASKS

    if task is None or (data is None and task in TASKS and not Path(task).exists()):
        raise UsageError(
            f"FILE is missing: gatework check FILE, or gatework check {task or 'TASK'} FILE with options of training"
        )
    source = data or task
    recipe = _recipe(task if data else None, source, changes)
    try:
        findings = tasks.get(recipe.task).check(source, recipe)
    except UsageError:
        # Where nothing is said of a table but how it is read, what it holds says which tasks suit it.
        if data or source in REGISTRY or set(changes) - {option.qualified for option in READING}:
            raise
        overview(read_table(source, Reading.given(recipe.data)), source, as_json=as_json)
        return
    _print(recipe.task, findings, as_json=as_json)
    if findings.problems:
        raise typer.Exit(_PROBLEMS)


def _recipe(task: str | None, source: str, changes: dict[str, Any]) -> Recipe:
    """The recipe by which a task reads the data; the task that the data and the options imply, if None is named."""
    from gatework import cells
    from gatework.data.sets import REGISTRY
    from gatework.options import implied_task
    from gatework.recipe import find_recipe, recipe_of_task

    known = find_recipe(REGISTRY[source].recipe) if source in REGISTRY else None
    task = task or (known.task if known else implied_task(changes, Path(source)))
    recipe = known if known and known.task == task else recipe_of_task(task)
    recipe = recipe.changed(task=task, dataset=source if known else str(Path(source).absolute()), **changes)
    return recipe.changed(cell=cells.resolved(recipe.model.cell))


def _print(task: str, findings: Findings, *, as_json: bool) -> None:
    from gatework.cli._show import say

    if as_json:
        print(json.dumps({"task": task, **vars(findings)}, indent=2, ensure_ascii=False))
        return
    for title, sentences in (("", findings.lines), ("Problems", findings.problems), ("Remarks", findings.remarks)):
        if sentences and title:
            print(f"\n{title}")
        for sentence in sentences:
            say(f"- {sentence}" if title else sentence)
