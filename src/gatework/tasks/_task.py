"""A task: what is learnt from a dataset, how well, and beside which simple methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple

from threadpoolctl import threadpool_limits

from gatework.errors import UsageError
from gatework.tasks._after_training import AfterTraining
from gatework.tasks._answering import Answering
from gatework.tasks._before_training import BeforeTraining
from gatework.tasks._core import Core
from gatework.tasks._evaluation import Baseline, Evaluation, Loss, Scores
from gatework.tasks._in_comparison import InComparison
from gatework.tasks._in_training import Before, Earlier, InTraining, PartRates
from gatework.tasks._presenting import Presenting

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "Baseline",
    "Before",
    "Earlier",
    "Evaluation",
    "Loss",
    "PartRates",
    "Scores",
    "Task",
    "Trained",
    "refuse_options",
    "single_threaded",
]


class Task(BeforeTraining, InTraining, AfterTraining, InComparison, Answering, Presenting, Core):
    """A task fitted to a dataset's training part.

    A task of one's own gives the seven methods of `Core`. Each capability is a class of its own, named after when it is
    asked, whose methods have defaults: a task takes part in one by giving what it is about. `tasks.register()` makes a
    task known.
    """


class Trained(NamedTuple):
    """One of the trainings of a run: the task as it was fitted, and its network."""

    task: Task
    model: nn.Module


def single_threaded() -> AbstractContextManager[Any]:
    """Keeps the linear algebra under scikit-learn to one thread while a baseline is fitted.

    Its vectors are too short to share: on a busy machine the threads wait for each other ten times longer than they
    work. One thread also gives the same digits on every machine.
    """
    return threadpool_limits(1)


def refuse_options(task: str, options: Mapping[str, Any], known: Sequence[str] = ()) -> None:
    """Refuses options of a prediction that a task does not have; those that are None were not given.

    Raises:
        UsageError: There is one.
    """
    for name, value in options.items():
        if value is not None and name not in known:
            raise UsageError(f'the task "{task}" takes no --{name.replace("_", "-")}')
