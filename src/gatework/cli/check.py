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

    It takes the options of `gatework train TASK`, and ends with 1 where it names a problem.
    """
    from gatework import cells, tasks
    from gatework.cli._show import say
    from gatework.errors import UsageError
    from gatework.options import implied_task
    from gatework.recipe import recipe_of_task

    if task is None:
        raise UsageError(
            "FILE is missing: gatework check FILE, or gatework check TASK FILE with the options of training"
        )
    if data is None:
        data = task
        task = implied_task(changes, Path(data))
    recipe = recipe_of_task(task).changed(task=task, dataset=str(Path(data).absolute()), **changes)
    recipe = recipe.changed(cell=cells.resolved(recipe.model.cell))
    findings = tasks.get(task).check(data, recipe)
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
