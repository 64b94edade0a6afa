"""`gatework compare memory`: the measurement with its report."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path
from typing import Any

from gatework._files import read_json, write_json
from gatework._threads import checked_count, usable_cores
from gatework.cells import get as get_cell
from gatework.inside.memory.experiment import DEFAULT, QUICK, MemoryPlan, measure
from gatework.inside.memory.learning import Outcome
from gatework.inside.memory.results import summary
from gatework.reports.memory import write_memory_report
from gatework.training.runtime import environment


def compare_memory(
    out: str | os.PathLike[str],
    plan: MemoryPlan = DEFAULT,
    *,
    workers: int | None = None,
    is_quiet: bool = False,
    command: str = "",
) -> Path:
    """Measures how long each cell remembers, and writes `memory.json` and `report.html`.

    Args:
        out: The folder to make, or one of the same plan to go on with.
        plan: What is measured.
        workers: Processes, of one thread each; as many as there are cores if None.
        is_quiet: Whether no line is printed for each outcome.
        command: The command line that repeats it, for the report.

    Returns:
        The path of the report.

    Raises:
        UsageError: A cell is unknown.
        RunError: The folder holds something else.
        KeyboardInterrupt: The process was told to stop; the same call goes on.
    """
    out = Path(out)
    workers = checked_count(usable_cores() if workers is None else workers, "jobs")
    outcomes = measure(plan, out, workers=workers, told=None if is_quiet else _tell)
    facts = environment(0, "generated", threads=1)
    content: dict[str, Any] = summary(plan, outcomes)
    content |= {"command": command, "environment": {k: v for k, v in facts.items() if k not in ("seed", "data")}}
    write_json(out / "memory.json", content)
    return write_memory_report(out)


def planned(cells: tuple[str, ...], seeds: int, is_quick: bool) -> MemoryPlan:
    """The default plan, or the one of a minute, which has one seed, for these cells."""
    return (
        dataclasses.replace(QUICK, cells=cells) if is_quick else dataclasses.replace(DEFAULT, cells=cells, seeds=seeds)
    )


def table(out: Path) -> None:
    """Prints the longest spans, or the accuracies, and the verdict."""
    from rich.console import Console
    from rich.table import Table

    content = read_json(out / "memory.json")
    cells = [cell["name"] for cell in content["problems"][0]["cells"]]
    shown = Table(box=None, pad_edge=False, header_style="bold")
    shown.add_column("longest span learnt, by seed")
    for cell in cells:
        shown.add_column(cell, justify="right")
    for problem in content["problems"]:
        shown.add_row(problem["name"], *(_words(problem, cell) for cell in problem["cells"]))
    console = Console()
    console.print(shown)
    console.print()
    console.print(content["verdict"], markup=False, highlight=False)


def _words(problem: dict[str, Any], cell: dict[str, Any]) -> str:
    if problem["is_ladder"]:
        return ", ".join(str(span) if span else "none" for span in cell["longest"])
    return ", ".join(f"{100 * share:.1f} %" for share in cell["shares"][0])


def _tell(outcome: Outcome) -> None:
    trial, name = outcome.trial, get_cell(outcome.trial.cell).name
    print(
        f"{trial.problem} {trial.span}, {name}, seed {trial.seed}: {100 * outcome.solved:.1f} % right "
        f"after {outcome.batches} batches, {outcome.seconds:.0f} s",
        file=sys.stderr,
        flush=True,
    )
