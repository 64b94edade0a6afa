"""`gatework compare`."""

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

_STOPPED = "stopped; what was trained is kept, and the same command goes on from there"


def compare(
    data: Annotated[
        str,
        typer.Argument(metavar="DATASET|FILE|memory", help="A data set (see gatework datasets), a file, or memory."),
    ],
    out: options.Out,
    cells: Annotated[
        str, typer.Option(help="Cells to compare, by commas; your own as mycell.py:MyCell.")
    ] = "rnn,gru,lstm",
    seeds: Annotated[int, typer.Option(help="Seeds per cell.")] = 3,
    match: Annotated[str, typer.Option(help="What the cells have in common: units, or parameters.")] = "units",
    task: Annotated[str | None, typer.Option(help=f"For your own file: {', '.join(TASKS)}.")] = None,
    recipe: options.RecipeName = None,
    jobs: Annotated[
        int | None, typer.Option(help="Runs trained at once; as many as this process may use cores by default.")
    ] = None,
    on: options.On = "processes",
    quick: Annotated[bool, typer.Option("--quick", help="For memory: less, within a minute.")] = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    *,
    changes: options.Changes,
) -> None:
    """Train several cells with several seeds on the same data, beside simple methods, and write a report.

    `memory` measures instead over how many steps each cell learns to remember: the adding problem, copying, and digits
    read as sequences; it takes --cells, --seeds, --jobs and --quick.

    `gatework compare DATASET --help`, or with --task, shows the options of one task alone.

    An interrupted comparison goes on where it stopped when the same command is repeated.
    """
    from gatework._compared import compare as run
    from gatework._files import read_json
    from gatework.cli._show import comparison_table
    from gatework.training.progress import showing_progress, stopped_with

    names = tuple(cell.strip() for cell in cells.split(",") if cell.strip())
    command = "gatework " + shlex.join(sys.argv[1:])
    if data == "memory":
        others = changes | {name: value for name, value in (("task", task), ("recipe", recipe)) if value is not None}
        others |= {"on": on} if on != "processes" else {}
        _memory(out, names, seeds, quick, jobs, as_json, quiet, command, others)
        return
    if quick:
        raise UsageError("--quick is for gatework compare memory; shorten another comparison with --epochs and --seeds")
    with stopped_with(_STOPPED), showing_progress(quiet) as progress:
        compared = run(
            data,
            out=out,
            cells=names,
            seeds=seeds,
            match=match,
            task=task,
            recipe=recipe,
            workers=usable_cores() if jobs is None else jobs,
            progress=progress,
            command=command,
            on=on,
            **changes,
        )
    content = Path(out) / "comparison.json"
    if as_json:
        print(content.read_text(encoding="utf-8"), end="")
        return
    comparison_table(read_json(content))
    print(f"\nReport: {compared.report}")


def _memory(
    out: Path,
    cells: tuple[str, ...],
    seeds: int,
    is_quick: bool,
    jobs: int | None,
    as_json: bool,
    is_quiet: bool,
    command: str,
    others: dict[str, Any],
) -> None:
    from gatework.inside.memory.compare import compare_memory, planned, table

    if others:
        flags = ", ".join("--" + name.rpartition(".")[2].replace("_", "-") for name in others)
        raise UsageError(f"compare memory takes --cells, --seeds, --jobs and --quick; leave out {flags}")
    report = compare_memory(out, planned(cells, seeds, is_quick), workers=jobs, is_quiet=is_quiet, command=command)
    if as_json:
        print((out / "memory.json").read_text(encoding="utf-8"), end="")
        return
    table(out)
    print(f"\nReport: {report}")
