"""`gatework tune`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from gatework._threads import usable_cores
from gatework.cli import _options as options
from gatework.errors import UsageError
from gatework.options import TASKS

_STOPPED = "stopped; what was tried is kept, and the same command goes on from there"


def tune(
    task: Annotated[
        str,
        typer.Argument(metavar="TASK", autocompletion=options.task_names, help=f"What to learn: {', '.join(TASKS)}."),
    ],
    data: Annotated[str, typer.Argument(metavar="FILE", help="A table, a folder of texts, or a data set.")],
    out: options.Out,
    trials: Annotated[int, typer.Option(help="Recipes to try, the default among them.")] = 30,
    minutes: Annotated[
        float | None, typer.Option(help="Time for trials and the comparison with the default; no limit if absent.")
    ] = None,
    over: Annotated[
        list[str] | None,
        typer.Option(
            metavar="OPTION[=VALUES]",
            help="What varies; can be repeated: hidden, hidden=16..256, 'weight_decay=1e-6..1e-2 log', cell=lstm,gru. "
            "If absent, what the recipe's section [search] says, or else what suits the task.",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Seeds to compare the best recipe and the default with.")] = 3,
    recipe: options.RecipeName = None,
    jobs: Annotated[
        int | None, typer.Option(help="Trials at once; as many as this process may use cores by default.")
    ] = None,
    on: options.On = "processes",
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    *,
    changes: options.Changes,
) -> None:
    """Search for a better recipe than the default, and say whether it is better by more than seeds differ.

    The validation part decides; the worse half of the trials is stopped early; the test part is looked at once, at the
    end. The best recipe is written as a .toml file, beside a report.

    The same command goes on with a search that was stopped, and joins one that is under way, also from another machine
    that shares the folder.
    """
    from gatework._files import read_json
    from gatework._tuned import tune as run
    from gatework.cli._show import search_table
    from gatework.training.progress import showing_progress, stopped_with

    with stopped_with(_STOPPED), showing_progress(quiet) as progress:
        tuned = run(
            task,
            data,
            out=out,
            trials=trials,
            minutes=minutes,
            over=_said(over or []),
            seeds=seeds,
            recipe=recipe,
            workers=usable_cores() if jobs is None else jobs,
            progress=progress,
            command="gatework " + shlex.join(sys.argv[1:]),
            on=on,
            **changes,
        )
    content = Path(out) / "search.json"
    if as_json:
        print(content.read_text(encoding="utf-8"), end="")
        return
    search_table(read_json(content))
    print(f"\nRecipe: {out / 'best.toml'}\nReport: {tuned.report}")


def _said(over: list[str]) -> dict[str, Any]:
    """What varies, by the names of options, with its values where some are given."""
    said: dict[str, Any] = {}
    for word in over:
        name, is_given, values = word.partition("=")
        name = name.strip().replace("-", "_")
        if name in said:
            raise UsageError(f"--over names {name} twice; give it once")
        said[name] = values.strip() if is_given else None
    return said
