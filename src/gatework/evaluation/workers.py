"""Computing several things at once, each in a process of its own."""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from gatework.data.dataset import Dataset
from gatework.data.turns import in_turn
from gatework.evaluation.elsewhere import Elsewhere, FolderWatch, Piece, perform_on
from gatework.evaluation.processes import CONTEXT, interrupts_later, process_pool, stop
from gatework.training.completing import complete
from gatework.training.progress import PassedOn, Progress
from gatework.training.run import Run

# How often, in seconds, the parent looks for news, and a worker tells of single steps.
_NEWS = 0.1
# What a worker ends with that was told to stop.
_ENDED = 130


@dataclass(frozen=True)
class Job:
    """A run to be trained and its name in what is told."""

    path: Path
    label: str


def perform(
    pieces: Sequence[Piece],
    dataset: Dataset,
    workers: int,
    progress: Progress,
    *,
    meanwhile: Callable[[], Any] | None = None,
) -> None:
    """Does pieces of work on the same data, `workers` at a time; each process is given the data once.

    Args:
        pieces: The pieces, in the order in which they begin.
        dataset: The data.
        workers: Processes; 1 works here, one piece after the other.
        progress: Who is told how it goes.
        meanwhile: What this process can do while others work.

    Raises:
        TrainingError: A process was ended from outside.
        KeyboardInterrupt: The process was told to stop.
    """
    if workers == 1 or len(pieces) <= 1:
        for piece in pieces:
            piece(dataset, progress)
        return
    news = CONTEXT.Queue()
    with process_pool(min(workers, len(pieces)), _begin, dataset, news) as pool:
        try:
            with interrupts_later():
                futures = [pool.submit(_do, piece) for piece in pieces]
            if meanwhile:
                meanwhile()
            while not all(f.done() for f in futures):
                _tell(news, progress)
        except KeyboardInterrupt:
            stop(pool)
            raise
        while _tell(news, progress):
            pass
    for future in futures:
        pool.result_of(future)


def train_all(
    jobs: Sequence[Job],
    dataset: Dataset,
    workers: int,
    progress: Progress,
    *,
    beside: Callable[[Dataset], Any] | None = None,
    afterwards: Sequence[Callable[[], Any]] = (),
    meanwhile: Callable[[], Any] | None = None,
    elsewhere: Elsewhere | None = None,
) -> None:
    """Trains runs to their ends, `workers` at a time.

    Args:
        jobs: Run folders, made and not finished.
        dataset: The data they were made for.
        workers: Processes; 1 trains here, one run after the other.
        progress: Who is told how it goes.
        beside: What else is to be made of the data; it can be pickled, and goes first.
        afterwards: What is begun when every run has been begun, by the processes of this machine that have nothing else
            to do while the last ones are trained; it can be pickled.
        meanwhile: What this process can do while others train.
        elsewhere: The executor that trains them; processes of this machine if None.

    Raises:
        TrainingError: A run's loss is no longer a number; the others end first.
        KeyboardInterrupt: The process was told to stop; every run can be resumed.
    """
    if elsewhere is not None:
        shared = [partial(_train_alone, job) for job in jobs]
        epochs = max((Run.open(job.path).recipe.training.epochs for job in jobs), default=0)
        look = FolderWatch([(job.path, job.label) for job in jobs], epochs, progress)
        perform_on(*elsewhere, shared, look, lambda: beside(dataset) if beside else None)
        return
    workers = 1 if len(jobs) <= 1 else workers
    pieces: list[Piece] = [partial(_make, beside)] if beside else []
    pieces += [partial(_train, job) for job in jobs]
    if workers > 1:
        pieces += [partial(_follow, each) for each in afterwards]
    perform(pieces, dataset, workers, progress, meanwhile=meanwhile)


def _make(beside: Callable[[Dataset], Any], dataset: Dataset, _: Progress) -> None:
    beside(dataset)


def _follow(each: Callable[[], Any], _: Dataset, __: Progress) -> None:
    each()


def _train_alone(job: Job, dataset: Dataset, progress: Progress) -> None:
    """Trains a run that a lost worker may not have given up yet: it waits for that."""
    with in_turn(job.path):
        _train(job, dataset, progress)


def _train(job: Job, dataset: Dataset, progress: Progress) -> None:
    complete(Run.open(job.path), dataset, progress, job.label)


def _tell(news: Any, progress: Progress) -> bool:
    """Passes on one piece of news, if any comes; whether one did."""
    try:
        name, arguments = news.get(timeout=_NEWS)
    except queue.Empty:
        return False
    getattr(progress, name)(*arguments)
    return True


class _Relay(PassedOn):
    """Passes what a worker is told on to the parent."""

    def __init__(self, news: Any) -> None:
        self.news = news
        self.last = 0.0

    def pass_on(self, event: str, *told: Any) -> None:
        self.news.put((event, told))

    def stepped(self, label: str, done: int, loss: float) -> None:
        if time.monotonic() - self.last >= _NEWS:
            self.last = time.monotonic()
            super().stepped(label, done, loss)


_here: dict[str, Any] = {}


def _begin(dataset: Dataset, news: Any) -> None:
    _here["dataset"], _here["progress"] = dataset, _Relay(news)


def _do(piece: Piece) -> None:
    try:
        piece(_here["dataset"], _here["progress"])
    except KeyboardInterrupt:
        # A checkpoint is written, and nothing that the pool holds in advance may begin.
        os._exit(_ENDED)
