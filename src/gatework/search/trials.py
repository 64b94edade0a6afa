"""One process's part of a search: it trains trials until none is left, stopping the hopeless ones early."""

from __future__ import annotations

import functools
import json
import math
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatework import tasks
from gatework.data.dataset import Dataset
from gatework.errors import TrainingError
from gatework.formatting import number
from gatework.recipe import Recipe
from gatework.search.plan import SearchPlan
from gatework.search.study import Claim, Study
from gatework.tasks import Task, metric_title
from gatework.training.completing import create
from gatework.training.exploring import explore
from gatework.training.progress import Progress
from gatework.training.run import Run

if TYPE_CHECKING:
    import optuna

# How often, in seconds, a process without work looks whether another one has left a trial.
_LOOK = 0.3


class _Stopped(Exception):  # noqa: N818
    """Ends a trial early; its text says why."""


def run_trials(plan: SearchPlan, out: Path, dataset: Dataset, progress: Progress) -> None:
    """Trains trials until all have ended, those of other processes included.

    Args:
        plan: What is searched.
        out: The folder of the search.
        dataset: The data of the recipe that the search starts from.
        progress: Who is told how it goes.

    Raises:
        KeyboardInterrupt: The process was told to stop; the trial under way goes on when the search does.
    """
    study = Study(out, plan)
    fitted = functools.lru_cache(maxsize=2)(functools.partial(_fitted, plan, dataset.trainings[0]))
    while True:
        with study.claimed(may_begin=not _is_late(plan, study)) as claim:
            if claim is not None:
                _train(claim, study, plan, fitted, progress)
                continue
        if not study.is_under_way():
            return
        time.sleep(_LOOK)


def _fitted(plan: SearchPlan, first: Dataset, reading: str) -> tuple[Dataset, Task]:
    """The data and the task of trials that read alike.

    Args:
        plan: What is searched.
        first: The data of the recipe that the search starts from: of its first training, where there are several.
        reading: The values that say how they are read, as JSON.
    """
    recipe = plan.recipe.changed(**json.loads(reading))
    dataset = plan.data_for(recipe, first).trainings[0]
    return dataset, tasks.get(recipe.task).fit(dataset, recipe.data)


def _train(claim: Claim, study: Study, plan: SearchPlan, fitted: Any, progress: Progress) -> None:
    import optuna

    trial, label = claim.trial, f"trial {claim.trial.number + 1}"
    recipe = plan.with_values(trial.params)
    varied = {d.name for d in plan.space if d.option.section not in ("model", "training")}
    dataset, task = fitted(json.dumps({n: v for n, v in trial.params.items() if n in varied}, sort_keys=True))
    watcher = _Watcher(claim, study, plan, progress)
    reason = ""
    try:
        history = explore(_run(claim, recipe, task, dataset, plan), dataset, watcher, label)
        watcher.catch_up(history)
    except _Stopped as stopped:
        reason = str(stopped)
    except TrainingError:
        reason = "its loss was no longer a number"
    shutil.rmtree(claim.folder / "checkpoint", ignore_errors=True)
    is_complete = not reason and math.isfinite(watcher.best)
    trial.set_user_attr("seconds", watcher.seconds)
    trial.set_user_attr("ending", reason)
    state = optuna.trial.TrialState.COMPLETE if is_complete else optuna.trial.TrialState.PRUNED
    study.study.tell(trial.number, watcher.best if is_complete else None, state)
    progress.dropped(label)
    progress.described([_line(study, plan, trial.number)])


def _run(claim: Claim, recipe: Recipe, task: Task, dataset: Dataset, plan: SearchPlan) -> Run:
    if (claim.folder / "recipe.toml").exists():
        return Run.open(claim.folder)
    about = dataset.provenance
    return create(claim.folder, recipe, task, about.fingerprint, plan.threads, about.notes)


class _Watcher(Progress):
    """Reports each epoch of a trial to the study, and ends the trial where that is called for."""

    def __init__(self, claim: Claim, study: Study, plan: SearchPlan, progress: Progress) -> None:
        self.claim, self.study, self.plan, self.progress = claim, study, plan, progress
        self.best = math.inf if plan.lower_is_better else -math.inf
        self.seconds, self.done, self.epochs = 0.0, 0, 0

    def started(self, label: str, epochs: int, steps: int, done: int) -> None:
        """Takes up the epochs that an interrupted trial has behind it."""
        self.epochs = epochs
        file = self.claim.folder / "metrics.jsonl"
        if file.exists():
            self.catch_up([json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()])
        self.progress.started(label, epochs, steps, done)

    def stepped(self, label: str, done: int, loss: float) -> None:
        """Passes it on."""
        self.progress.stepped(label, done, loss)

    def catch_up(self, history: list[dict[str, Any]]) -> None:
        """Reports the epochs that are not known yet."""
        for record in history[self.done :]:
            self._report(record)

    def epoch_done(self, label: str, record: dict[str, Any]) -> None:
        """Reports an epoch.

        Raises:
            _Stopped: The trial is among the worse half, or the time is over.
        """
        self._report(record)
        if self.claim.is_start or record["epoch"] == self.epochs:
            return
        if self.study.is_hopeless(self.claim.trial.number):
            raise _Stopped("behind the better half")
        if _is_late(self.plan, self.study):
            raise _Stopped("out of time")

    def _report(self, record: dict[str, Any]) -> None:
        self.done = record["epoch"]
        self.seconds += record["seconds"]
        score = record[self.plan.metric]
        if score is not None and math.isfinite(score):
            self.best = (min if self.plan.lower_is_better else max)(self.best, score)
        known = self.study.study.get_trials(deepcopy=False)[self.claim.trial.number].intermediate_values
        if self.done not in known:
            self.claim.trial.report(self.best, self.done)


def _is_late(plan: SearchPlan, study: Study) -> bool:
    """Whether no time is left but that which the comparison with the start needs; the start itself always has time."""
    if plan.deadline is None:
        return False
    ended = [trial for trial in study.trials if trial.state.name == "COMPLETE"]
    if not ended:
        return False
    longest = max(trial.user_attrs["seconds"] for trial in ended)
    rounds = math.ceil(2 * plan.seeds / plan.processes)
    return time.time() + rounds * longest > plan.deadline


def _line(study: Study, plan: SearchPlan, place: int) -> str:
    """A trial that has ended, in a line of at most 80 columns."""
    trial: optuna.trial.FrozenTrial = study.study.get_trials(deepcopy=False)[place]
    title = metric_title(plan.metric, is_short=True)
    known = trial.intermediate_values
    score = number(known[max(known)]) if known else "—"
    after = f"stopped after epoch {max(known, default=0)}" if trial.user_attrs["ending"] else f"{len(known)} epochs"
    ended = [t for t in study.trials if t.state.name == "COMPLETE"]
    is_best = bool(ended) and study.study.best_trial.number == place
    return (
        f"trial {place + 1:>3}/{plan.trials}  {title} {score:<8} {after:<22} {trial.user_attrs['seconds']:>6.1f} s"
        + ("  best" if is_best else "")
    )


class TrialWatch:
    """Tells of trials that others train, by the journal.

    Args:
        plan: What is searched.
        out: The folder of the search.
        progress: Who is told.
    """

    def __init__(self, plan: SearchPlan, out: Path, progress: Progress) -> None:
        self.plan, self.progress, self.study = plan, progress, Study(out, plan)
        self.known = {trial.number for trial in self.study.trials if trial.state.is_finished()}

    def __call__(self) -> None:
        """Looks once."""
        for trial in self.study.trials:
            if trial.state.is_finished() and trial.number not in self.known:
                self.known.add(trial.number)
                self.progress.described([_line(self.study, self.plan, trial.number)])
