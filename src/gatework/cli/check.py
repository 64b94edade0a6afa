"""`gatework check`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gatework.cli import _options as options

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
    from gatework import cells, tasks
    from gatework.cli._overview import overview
    from gatework.cli._show import say
    from gatework.data.reading import Reading
    from gatework.data.sets import REGISTRY
    from gatework.data.tables import read_table
    from gatework.errors import UsageError
    from gatework.options import READING, TASKS, implied_task
    from gatework.recipe import find_recipe, recipe_of_task

    if task is None or (data is None and task in TASKS and not Path(task).exists()):
        raise UsageError(
            f"FILE is missing: gatework check FILE, or gatework check {task or 'TASK'} FILE with options of training"
        )
    is_named = data is not None
    name = data or task
    known = find_recipe(REGISTRY[name].recipe) if name in REGISTRY else None
    if not is_named:
        task = known.task if known else implied_task(changes, Path(name))
    recipe = known if known and known.task == task else recipe_of_task(task)
    recipe = recipe.changed(task=task, dataset=name if known else str(Path(name).absolute()), **changes)
    recipe = recipe.changed(cell=cells.resolved(recipe.model.cell))
    try:
        findings = tasks.get(task).check(name, recipe)
    except UsageError:
        if is_named or known or set(changes) - {option.qualified for option in READING}:
            raise
        overview(read_table(name, Reading.given(recipe.data)), name, as_json=as_json)
        return
    if as_json:
        print(json.dumps({"task": task, **vars(findings)}, indent=2, ensure_ascii=False))
    else:
        for title, sentences in (("", findings.lines), ("Problems", findings.problems), ("Remarks", findings.remarks)):
            if sentences and title:
                print(f"\n{title}")
            for sentence in sentences:
                say(f"- {sentence}" if title else sentence)
    if findings.problems:
        raise typer.Exit(_PROBLEMS)
