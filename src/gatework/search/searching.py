"""A search from its plan to its result, which other processes may join and a later call goes on with."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from gatework import tasks
from gatework._files import make_folder, write_json, write_text
from gatework._threads import checked_count, usable_cores
from gatework.data.dataset import Dataset
from gatework.data.turns import in_turn
from gatework.errors import UsageError
from gatework.evaluation.elsewhere import Elsewhere, perform_on
from gatework.evaluation.plans import claim
from gatework.evaluation.workers import perform
from gatework.formatting import counted
from gatework.recipe import Recipe, recipe_to_toml
from gatework.search.confirming import confirm
from gatework.search.plan import SearchPlan, search_space
from gatework.search.results import chosen_recipe, result, space_words
from gatework.search.study import need_optuna
from gatework.search.trials import TrialWatch, run_trials
from gatework.tasks import metric_title
from gatework.training.progress import Progress
from gatework.training.run import write_table
from gatework.training.threads import chosen_threads


def planned(
    dataset: Dataset,
    recipe: Recipe,
    over: Mapping[str, Any],
    source: Any,
    trials: int,
    seeds: int,
    deadline: float | None,
    workers: int,
) -> SearchPlan:
    """The plan of a search; see `SearchPlan` and `gatework.tune`.

    Raises:
        UsageError: A number makes no sense, an option cannot be searched, or Optuna is not installed.
    """
    need_optuna()
    checked_count(workers, "jobs")
    for name, value in (("trials", trials), ("seeds", seeds)):
        if value < 1:
            raise UsageError(f"{name} is {value}, expected 1 or more")
    first = dataset.trainings[0]
    task = tasks.get(recipe.task).fit(first, recipe.data)
    space = search_space(recipe, task, over)
    processes = max(1, min(workers, trials))
    threads = min(chosen_threads(task, recipe, first), max(1, usable_cores() // processes))
    return SearchPlan(recipe, space, source, trials, seeds, deadline, threads, processes)


def search(
    dataset: Dataset,
    plan: SearchPlan,
    out: Path,
    *,
    progress: Progress,
    command: str = "",
    elsewhere: Elsewhere | None = None,
) -> None:
    """Tries recipes, compares the best with the default, and writes `search.json` and `best.toml`.

    Args:
        dataset: The data.
        plan: What is searched.
        out: The folder of the search, new, or one of the same plan to join or to go on with.
        progress: Who is told how it goes.
        command: The command line that repeats it, for the report.
        elsewhere: The executor that does the work; processes of this machine if None.

    Raises:
        UsageError: Values do not go together.
        RunError: The folder holds something else.
        KeyboardInterrupt: The process was told to stop; the same call goes on.
    """
    make_folder(out.parent)
    with in_turn(out):  # another process may begin the same search at this moment
        claim(out, plan.state(dataset.provenance.fingerprint), "search")
        if not (out / "test.parquet").exists():
            write_table(out / "test.parquet", dataset.test.table())
    progress.noted(dataset.provenance.notes)
    progress.described(
        [f"{counted(plan.trials, 'trial')} over {counted(len(plan.space), 'option')}:", *space_words(plan)]
        + [f"the {metric_title(plan.metric)} decides; the worse half is stopped early", ""]
    )
    parts = [partial(_part, plan, out)] * plan.processes
    if elsewhere is None:
        perform(parts, dataset, plan.processes, progress)
    else:
        perform_on(*elsewhere, parts, TrialWatch(plan, out, progress), lambda: None)
    content = result(plan, out, dataset, command)
    recipe = recipe_to_toml(chosen_recipe(plan, out, content["chosen"]))
    write_text(out / "best.toml", f"# {content['headline']}\n{recipe}")
    write_json(out / "search.json", content)


def _part(plan: SearchPlan, out: Path, dataset: Dataset, progress: Progress) -> None:
    """What each process does."""
    run_trials(plan, out, dataset, progress)
    confirm(plan, out, dataset, progress)
