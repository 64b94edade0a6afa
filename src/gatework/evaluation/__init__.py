"""Metrics, baselines, comparison and timing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatework.options import shows_options

if TYPE_CHECKING:
    from gatework.recipe import Recipe
    from gatework.training.progress import Progress

__all__ = ["compare"]


@shows_options("cell", "seed")
def compare(
    source: Any,
    *,
    out: str | os.PathLike[str],
    cells: tuple[str, ...] = ("rnn", "gru", "lstm"),
    seeds: int = 3,
    match: str = "units",
    task: str | None = None,
    recipe: str | Recipe | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    command: str = "",
    **changes: Any,
) -> Path:
    """Compares cells on a data set, a file, a folder or a data frame; see `gatework.evaluation.comparison.compare`.

    Args:
        source: A registered data set's name, a path, a pandas, polars or pyarrow frame, or a Dataset.
        out: The comparison folder.
        cells: Names of registered cells.
        seeds: How many seeds, counted from 0.
        match: "units" gives every cell the same hidden size; "parameters" widens the smaller cells.
        task: The task; the data set's own if None, or the one that the options of a person's own data imply.
        recipe: A built-in recipe's name, a path, or a Recipe; the data set's or the task's own if None.
        workers: Runs trained at once. More than 1 starts processes, which a script must guard by
            `if __name__ == "__main__":`.
        progress: Who is told how it goes.
        command: The command line that repeats it, for the report.
        changes: Fields of the recipe to change, as `epochs=5`.

    Returns:
        The path of the report.
    """
    from gatework.evaluation.workers import start_early

    if workers > 1:
        start_early()
    from gatework.evaluation.comparison import ComparisonPlan
    from gatework.evaluation.comparison import compare as run
    from gatework.training.fitting import prepare

    dataset, chosen = prepare(source, task, recipe, changes, cells)
    plan = ComparisonPlan(chosen, tuple(cells), seeds, match)
    return run(dataset, plan, Path(out), workers=workers, progress=progress, command=command)
