"""The trials of a search in one journal file, which any number of processes write and read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout

from gatework.errors import UsageError
from gatework.options import Among, Dimension, Near
from gatework.search.plan import SearchPlan

if TYPE_CHECKING:
    import optuna

FIRST_LOOK = 3
"""The epoch at which the worse half of the trials is stopped for the first time; then at each doubling of it."""

_NAME = "search"


def need_optuna() -> None:
    """Refuses a search where Optuna is not installed.

    Raises:
        UsageError: It is not.
    """
    if find_spec("optuna") is None:
        raise UsageError('a search needs optuna: pip install "gatework[search]"')


@dataclass(frozen=True)
class Claim:
    """A trial that this process trains.

    Attributes:
        trial: The trial, as Optuna knows it.
        folder: Its run folder.
    """

    trial: optuna.Trial
    folder: Path

    @property
    def is_start(self) -> bool:
        """Whether it is the recipe that the search starts from, which is never stopped early."""
        return self.trial.number == 0


class Study:
    """The trials of a search.

    Each proposal depends on the trials before it and on nothing else, so that a search in one process proposes the same
    trials whether it was interrupted or not.

    Args:
        out: The folder of the search.
        plan: What is searched.
    """

    def __init__(self, out: Path, plan: SearchPlan) -> None:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.out, self.plan = out, plan
        (out / "locks").mkdir(exist_ok=True)
        (out / "trials").mkdir(exist_ok=True)
        with self._alone():
            self.study = optuna.create_study(
                storage=JournalStorage(JournalFileBackend(str(out / "journal.log"))),
                pruner=optuna.pruners.NopPruner(),  # `is_hopeless()` says which are stopped
                study_name=_NAME,
                direction="minimize" if plan.lower_is_better else "maximize",
                load_if_exists=True,
            )
            self.study.enqueue_trial(plan.start, skip_if_exists=True)

    @property
    def trials(self) -> list[optuna.trial.FrozenTrial]:
        """Every trial that has begun, as it stands."""
        return [trial for trial in self.study.get_trials(deepcopy=False) if trial.state.name != "WAITING"]

    def is_hopeless(self, number: int) -> bool:
        """Whether a trial is stopped after the epoch that it has reported last."""
        return is_hopeless(self.study.get_trials(deepcopy=False), number, self.plan.lower_is_better)

    def _alone(self) -> FileLock:
        return FileLock(self.out / "locks" / "search.lock")

    @contextlib.contextmanager
    def claimed(self, may_begin: bool) -> Iterator[Claim | None]:
        """A trial that nobody trains: one whose process has died, or a new one.

        Args:
            may_begin: Whether a new one may begin.

        Yields:
            The trial, this process's own until the block ends; None where there is none.
        """
        with self._alone():
            number, lock = self._abandoned() or (self._begun() if may_begin else None) or (None, None)
        if number is None or lock is None:
            yield None
            return
        import optuna

        with contextlib.closing(_Held(lock)):
            trial = next(t for t in self.study.get_trials(deepcopy=False) if t.number == number)
            yield Claim(optuna.Trial(self.study, trial._trial_id), self.out / "trials" / f"{number:04}")

    def _abandoned(self) -> tuple[int, FileLock] | None:
        """A trial under way whose process is gone; the system gives up the locks of a process that ends."""
        for trial in self.study.get_trials(deepcopy=False):
            if trial.state.name == "RUNNING" and (lock := hold(self.out, f"trial-{trial.number:04}")):
                return trial.number, lock
        return None

    def _begun(self) -> tuple[int, FileLock] | None:
        """A new trial with its values; None where all have begun."""
        import optuna

        count = len(self.trials)
        if count >= self.plan.trials:
            return None
        seed = int(np.random.SeedSequence([self.plan.recipe.training.seed, count]).generate_state(1)[0])
        self.study.sampler = optuna.samplers.TPESampler(seed=seed)
        trial = self.study.ask()
        for dimension in self.plan.space:
            _suggested(trial, dimension)
        lock = hold(self.out, f"trial-{trial.number:04}")
        return (trial.number, lock) if lock else None

    def is_under_way(self) -> bool:
        """Whether another process trains a trial."""
        return any(trial.state.name == "RUNNING" for trial in self.trials)


def is_hopeless(trials: Sequence[optuna.trial.FrozenTrial], number: int, lower_is_better: bool) -> bool:
    """Whether a trial is stopped after the epoch that it has reported last.

    This is successive halving as trials come (L. Li et al., "A system for massively parallel hyperparameter tuning",
    MLSys 2020), held to its half: a trial goes on if it is among the better half of those that came as far, and no more
    than half of them go on with it. In a search that gets better almost every trial is among the better half of those
    before it. One that is better than all others goes on in any case.

    Args:
        trials: All trials.
        number: Which one of them.
        lower_is_better: Whether the figure that they are judged by is an error.
    """
    mine = trials[number]
    epoch = mine.last_step or 0
    looks, rest = divmod(epoch, FIRST_LOOK)
    if rest or not looks or looks & (looks - 1):
        return False
    others = [t for t in trials if t.number != number and epoch in t.intermediate_values]
    sign = -1 if lower_is_better else 1
    ahead = [sign * (t.intermediate_values[epoch] - mine.intermediate_values[epoch]) for t in others]
    half = (len(others) + 2) // 2
    if all(lead < 0 for lead in ahead):
        return False
    has_gone_on = [t.state.name != "PRUNED" or t.last_step != epoch for t in others]
    return sum(lead > 0 for lead in ahead) >= half or sum(has_gone_on) >= half


class _Held:
    """A lock as something to close."""

    def __init__(self, lock: FileLock) -> None:
        self.lock = lock

    def close(self) -> None:
        """Gives the lock up."""
        self.lock.release()


def hold(out: Path, name: str) -> FileLock | None:
    """A lock of the search by its name, held; None where another process holds it."""
    lock = FileLock(out / "locks" / f"{name}.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return None
    return lock


def _suggested(trial: optuna.Trial, dimension: Dimension) -> Any:
    tried = dimension.tried
    if isinstance(tried, Among):
        return trial.suggest_categorical(dimension.name, tried.values)
    if isinstance(tried, Near):
        raise TypeError(f"{dimension.name} has no start")
    if dimension.is_whole:
        return trial.suggest_int(dimension.name, int(tried.low), int(tried.high), log=tried.is_log)
    return trial.suggest_float(dimension.name, tried.low, tried.high, log=tried.is_log)
