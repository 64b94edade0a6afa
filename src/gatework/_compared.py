"""Cells on the same data, from the data to the report: what `gatework.compare` and the command stand on."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatework.options import shows_options
from gatework.reports.finished import Finished

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from gatework.cells import CellSpec
    from gatework.recipe import Recipe
    from gatework.training.progress import Progress

__all__ = ["Compared", "compare", "finished"]


class Compared(Finished):
    """A finished comparison."""

    file = "comparison.json"

    @property
    def table(self) -> pl.DataFrame:
        """One row per network and simple method, the best first: its name, its kind and the mean of every metric."""
        import polars as pl

        rows = [
            {"name": entry["name"], "kind": entry["kind"], **{n: m["mean"] for n, m in entry["metrics"].items()}}
            for entry in self.content["entries"]
        ]
        frame = pl.DataFrame(rows, infer_schema_length=None)
        return frame.sort(self.content["metric"], descending=not self.content["lower_is_better"], nulls_last=True)

    def _repr_html_(self) -> str:
        """The comparison in a notebook: the verdict above the table."""
        from gatework.tasks import metric_title

        frame = self.table
        bare = {name: name.removeprefix("test_") for name in frame.columns}
        titles = [name if bare[name] == name else metric_title(bare[name], is_short=True) for name in frame.columns]
        return self.above(frame.iter_rows(), titles)


@shows_options("cell", "seed")
def compare(
    source: Any,
    *,
    out: str | os.PathLike[str],
    cells: Sequence[str | CellSpec] = ("rnn", "gru", "lstm"),
    seeds: int = 3,
    match: str = "units",
    task: str | None = None,
    recipe: str | Recipe | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    command: str = "",
    on: str = "processes",
    **changes: Any,
) -> Compared:
    """Compares cells on a data set, a file, a folder or a data frame; see `gatework.evaluation.comparison.compare`.

    Args:
        source: A registered data set's name, a path, a pandas, polars or pyarrow frame, or a Dataset.
        out: The comparison folder.
        cells: Registered cells by name, "mycell.py:MyCell", or what `@gatework.cell` made.
        seeds: How many seeds, counted from 0.
        match: "units" gives every cell the same hidden size; "parameters" widens the smaller cells.
        task: The task; the data set's own if None, or the one that the options of a person's own data imply.
        recipe: A built-in recipe's name, a path, or a Recipe; the data set's or the task's own if None.
        workers: Runs trained at once. More than 1 starts processes, which a script must guard by
            `if __name__ == "__main__":`.
        progress: Who is told how it goes.
        command: The command line that repeats it, for the report.
        on: Where runs are trained: "processes" of this machine, "dask://HOST:PORT", or "MODULE:NAME" of an executor of
            `concurrent.futures`; `out` must be the same folder there.
        changes: Fields of the recipe to change, as `epochs=5`.

    Returns:
        The comparison, with its report.
    """
    from gatework.evaluation.processes import start_early

    if workers > 1:
        start_early()
    from gatework.cells import resolved
    from gatework.evaluation.comparison import ComparisonPlan
    from gatework.evaluation.comparison import compare as run
    from gatework.evaluation.elsewhere import working_on
    from gatework.training.fitting import prepare

    names = tuple(map(resolved, cells))
    dataset, chosen = prepare(source, task, recipe, changes, names)
    plan = ComparisonPlan(chosen, names, seeds, match)
    with working_on(on, dataset, chosen, isinstance(source, (str, os.PathLike))) as elsewhere:
        out = Path(out).absolute() if elsewhere else Path(out)
        run(
            dataset,
            plan,
            out,
            workers=workers,
            progress=progress,
            command=command,
            elsewhere=elsewhere,
            afterwards=_keep_gradients,
            meanwhile=_import_what_follows,
        )
    return finished(Path(out))


def _keep_gradients(folder: Path, cell: str, seeds: int) -> None:
    from gatework.inside.comparison import keep_gradients

    keep_gradients(folder, cell, seeds)


def _import_what_follows() -> None:
    """Imports what the verdict, the look inside and the report need, which takes a moment."""
    for module in ("scipy.special", "gatework.inside.comparison", "gatework.reports"):
        importlib.import_module(module)


def finished(path: Path) -> Compared:
    """Looks inside the networks of a comparison folder that is complete, and writes its report."""
    from gatework.inside.comparison import look_inside
    from gatework.reports import write_report

    look_inside(path)
    write_report(path)
    return Compared(path)
