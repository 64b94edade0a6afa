"""The best recipe of a search beside the one it started from, with fresh seeds; here alone the test part is seen."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from gatework import tasks
from gatework.data.dataset import Dataset
from gatework.recipe import Recipe
from gatework.search.plan import SearchPlan
from gatework.search.study import Study, hold
from gatework.training.completing import complete, create
from gatework.training.progress import Progress
from gatework.training.run import Run

_LOOK = 0.3


@dataclass(frozen=True)
class Contender:
    """A recipe that is trained with several seeds.

    Attributes:
        name: "default", where the search started, or "best".
        recipe: The recipe, with the seed of the search.
        folders: The run of each seed.
    """

    name: str
    recipe: Recipe
    folders: tuple[Path, ...]


def contenders(plan: SearchPlan, out: Path, study: Study) -> list[Contender]:
    """The recipe that the search started from, and the best one where that is another.

    No trial has seen their seeds, so that a recipe that was chosen for its luck with one seed gains nothing by it.
    """
    best = study.study.best_trial
    both = [("default", "default", plan.recipe)]
    if best.number != 0:  # of more trials another one may be the best
        both.append(("best", f"trial{best.number + 1}", plan.with_values(best.params)))
    first = plan.recipe.training.seed + 1
    return [
        Contender(name, recipe, tuple(out / "runs" / f"{stem}-seed{first + k}" for k in range(plan.seeds)))
        for name, stem, recipe in both
    ]


def confirm(plan: SearchPlan, out: Path, dataset: Dataset, progress: Progress) -> None:
    """Trains the contenders, sharing the work with other processes.

    Args:
        plan: What is searched.
        out: The folder of the search, all of whose trials have ended.
        dataset: The data of the recipe that the search starts from.
        progress: Who is told how it goes.

    Raises:
        TrainingError: A loss is no longer a number.
        KeyboardInterrupt: The process was told to stop; the run under way goes on when the search does.
    """
    both = contenders(plan, out, Study(out, plan))
    first = plan.recipe.training.seed + 1
    while True:
        open_runs = [(c, k) for k in range(plan.seeds) for c in both if not _is_finished(c.folders[k])]
        if not open_runs:
            return
        if not any(_taken(c, k, first + k, plan, out, dataset, progress) for c, k in open_runs):
            time.sleep(_LOOK)


def _is_finished(folder: Path) -> bool:
    return (folder / "summary.json").exists()


def _taken(
    contender: Contender, place: int, seed: int, plan: SearchPlan, out: Path, dataset: Dataset, progress: Progress
) -> bool:
    """Trains a run unless another process does or has done; whether it did."""
    folder = contender.folders[place]
    lock = hold(out, folder.name)
    if lock is None:
        return False
    with lock:
        if _is_finished(folder):
            return True
        recipe = contender.recipe.changed(seed=seed)
        data, label = plan.data_for(recipe, dataset), f"{contender.name}, seed {seed}"
        if not (folder / "recipe.toml").exists():
            task, about = tasks.get(recipe.task).fit(data, recipe.data), data.provenance
            create(folder, recipe, task, about.fingerprint, plan.threads, about.notes)
        complete(Run.open(folder), data, progress, label)
    return True
