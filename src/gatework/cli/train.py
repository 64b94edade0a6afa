"""`gatework train`."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from gatework.cli import _options as options
from gatework.options import TASKS


def _stopped(run: Path) -> str:
    if (run / "recipe.toml").is_file():
        return f"stopped; go on where it stands with: gatework train --resume {shlex.quote(str(run))}"
    return "stopped before anything was learnt; the same command starts again"


def train(
    task: Annotated[
        str | None,
        typer.Argument(metavar="TASK", autocompletion=options.task_names, help=f"What to learn: {', '.join(TASKS)}."),
    ] = None,
    data: Annotated[
        str | None, typer.Argument(metavar="FILE", help="A table, a folder of texts, or a data set.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run folder to write.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Go on with this interrupted run.")] = None,
    recipe: options.RecipeName = None,
    threads: Annotated[
        int | None, typer.Option(help="Threads to compute with; one for a small network, else all cores by default.")
    ] = None,
    log: Annotated[
        str | None, typer.Option(help="Who hears of it besides: tensorboard, wandb, mlflow, separated by commas.")
    ] = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    *,
    changes: options.Changes,
) -> None:
    """Train a network on your own data, or go on with an interrupted run by --resume.

    `gatework train TASK --help` shows the options of that task alone.
    """
    from gatework import tasks, training
    from gatework.cli._show import run_summary
    from gatework.errors import UsageError
    from gatework.training.logs import logged
    from gatework.training.progress import showing_progress, stopped_with

    if resume is not None:
        if task or data or out or recipe or changes:
            raise UsageError("--resume takes everything from the run folder; give it alone")
        with stopped_with(lambda: _stopped(resume)), showing_progress(quiet) as bars, logged(log, resume, bars) as told:
            run = training.resume(resume, progress=told)
    else:
        if not (task and data and out):
            if task and task not in TASKS:
                tasks.get(task)  # says which there are
            absent = [name for name, value in (("TASK", task), ("FILE", data), ("--out", out)) if not value]
            if task and data:
                raise UsageError("--out is missing: name the run folder to write, such as --out RUN")
            example = (TASKS.get(task or "") or next(iter(TASKS.values()))).example
            raise UsageError(f"{', '.join(absent)} missing: {example}, or gatework train --resume RUN")
        with stopped_with(lambda: _stopped(out)), showing_progress(quiet) as bars, logged(log, out, bars) as told:
            run = training.train(task, data, out=out, recipe=recipe, threads=threads, progress=told, **changes)
    if int(os.environ.get("RANK", "0")):
        return  # one of several processes tells
    if as_json:
        print(json.dumps({"run": str(run.path), **run.summary}, indent=2))
        return
    run_summary(run)
