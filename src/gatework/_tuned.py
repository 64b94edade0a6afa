"""A search for a better recipe, from the data to the report: what `gatework.tune` and the command stand on."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatework.options import shows_options
from gatework.reports.finished import Finished

if TYPE_CHECKING:
    import polars as pl

    from gatework.recipe import Recipe
    from gatework.training.progress import Progress

__all__ = ["Tuned", "tune"]


class Tuned(Finished):
    """A finished search."""

    file = "search.json"

    @property
    def recipe(self) -> Recipe:
        """The recipe that is kept: the best one, or the default where none is better."""
        from gatework.recipe import read_recipe

        return read_recipe(self.path / "best.toml")

    @property
    def table(self) -> pl.DataFrame:
        """One row per trial, in order: its values, its score after its last epoch, its epochs and its end."""
        import polars as pl

        metric = self.content["metric"]
        rows = [
            {
                "trial": trial["number"] + 1,
                metric: trial["scores"][-1] if trial["scores"] else None,
                "epochs": len(trial["scores"]),
                "is_complete": trial["is_complete"],
                **trial["values"],
            }
            for trial in self.content["trials"]
        ]
        return pl.DataFrame(rows, infer_schema_length=None)

    def _repr_html_(self) -> str:
        """The search in a notebook: the verdict above the kept values."""
        return self.above(self.content["values"].items())


@shows_options("minutes")
def tune(
    task: str,
    source: Any,
    *,
    out: str | os.PathLike[str],
    trials: int = 30,
    minutes: float | None = None,
    over: Mapping[str, Any] | Collection[str] = (),
    seeds: int = 3,
    recipe: str | Recipe | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    command: str = "",
    on: str = "processes",
    **changes: Any,
) -> Tuned:
    """Searches for a better recipe, and says whether it beats the one it started from by more than seeds differ.

    Args:
        task: The name of a task, as `gatework.options.TASKS` lists them.
        source: A registered data set's name, a path, a pandas, polars or pyarrow frame, or a Dataset.
        out: The folder of the search, new, or one of the same search to join or to go on with.
        trials: How many recipes are tried, the default among them.
        minutes: The time that trials and the comparison with the default may take in all; no limit if None. The
            default is always trained to its end.
        over: What varies, by the names of options: "16..256", "1e-5..1e-2 log", "lstm,gru" or a list of values, or None
            for what is declared. As a collection, names alone. What the recipe's section `search` says, or what is
            declared of the task's options, if empty.
        seeds: Seeds with which the best recipe and the default are compared in the end.
        recipe: A built-in recipe's name, a path, or a Recipe to start from; the task's own if None.
        workers: Trials at once. More than 1 starts processes, which a script must guard by
            `if __name__ == "__main__":`.
        progress: Who is told how it goes.
        command: The command line that repeats it, for the report.
        on: Where trials are trained; see `gatework.compare`. There are `workers` of them at once.
        changes: Fields of the recipe to change, as `epochs=5`.

    Returns:
        The search, with its report.

    Raises:
        UsageError: A setting is wrong, or Optuna is not installed.
        DataError: The data are not usable.
        RunError: `out` holds something else.
    """
    from gatework.evaluation.processes import start_early

    if workers > 1:
        start_early()
    from gatework.evaluation.elsewhere import working_on
    from gatework.reports.search import write_search_report
    from gatework.search.searching import planned, search
    from gatework.training.fitting import prepare
    from gatework.training.progress import Progress

    deadline = None if minutes is None else time.time() + 60 * minutes
    dataset, chosen = prepare(source, task, recipe, changes)
    given = over if isinstance(over, Mapping) else dict.fromkeys(over)
    plan = planned(dataset, chosen, given, source, trials, seeds, deadline, workers)
    with working_on(on, dataset, chosen, isinstance(source, (str, os.PathLike))) as elsewhere:
        place = Path(out).absolute() if elsewhere else Path(out)
        search(dataset, plan, place, progress=progress or Progress(), command=command, elsewhere=elsewhere)
    write_search_report(Path(out))
    return Tuned(Path(out))
