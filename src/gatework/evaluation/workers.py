"""Computing several things at once, each in a process of its own."""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock

from gatework._registry import registering_modules
from gatework.data.dataset import Dataset
from gatework.errors import TrainingError
from gatework.evaluation.elsewhere import Elsewhere, FolderWatch, Piece, perform_on
from gatework.training.completing import complete
from gatework.training.progress import Progress
from gatework.training.run import Run

# How often, in seconds, the parent looks for news, and a worker tells of single steps.
_NEWS = 0.1
# How long, in seconds, a worker whose parent is gone is given before it is told again to end.
_MERCY = 5.0
# How long, in seconds, workers are given to write a checkpoint when a person stops the work.
_PATIENCE = 1.5
_ENDED = 130
# Workers are copies of a server that has imported torch once, and no thread of it or of the parent is in them. polars
# may not be among what the server imports: it has threads of its own from then on.
_HAS_SERVER = sys.platform == "linux"
_CONTEXT: Any = multiprocessing.get_context("forkserver" if _HAS_SERVER else "spawn")
if _HAS_SERVER:
    _CONTEXT.set_forkserver_preload(["torch"])

T = TypeVar("T")


def start_early() -> None:
    """Lets the server import what workers need while this process does something else."""
    if _HAS_SERVER:
        from multiprocessing import forkserver, resource_tracker

        # Its start would let Ctrl-C through again, which the server's start must not.
        resource_tracker.ensure_running()
        # What the server is, its workers are: Ctrl-C, which reaches every process of the terminal, ends none of them.
        with _deaf_to_interrupts():
            forkserver.ensure_running()


@contextlib.contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Keeps Ctrl-C from this thread and the processes that it starts for the length of the block."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def process_pool(count: int, begin: Callable[..., None], *arguments: Any) -> ProcessPoolExecutor:
    """Processes that share nothing with this one, leave Ctrl-C to it, and end soon after it if it is killed.

    Args:
        count: How many.
        begin: Called once in each process before anything else.
        arguments: What `begin` is given.
    """
    start_early()
    return ProcessPoolExecutor(count, _CONTEXT, _begin_process, (registering_modules(), begin, arguments))


def stop(pool: ProcessPoolExecutor) -> None:
    """Ends every process of a pool: each is asked to, and after a moment made to.

    The pool's own way out would first finish what its processes have begun, and what they hold in advance.
    """
    processes = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()
    end = time.monotonic() + _PATIENCE
    for process in processes:
        process.join(max(end - time.monotonic(), 0.0))
        if process.is_alive():
            process.kill()


def _begin_process(modules: Sequence[str], begin: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    # Ctrl-C reaches every process of the terminal; the parent decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    for module in modules:
        importlib.import_module(module)
    begin(*arguments)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    while True:
        # Where a run is being trained this leaves a checkpoint first; elsewhere it ends the process.
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_MERCY)


def result_of(future: Future[T]) -> T:
    """What a process of the pool made.

    Raises:
        TrainingError: A process was ended from outside.
    """
    try:
        return future.result()
    except BrokenProcessPool:
        raise TrainingError(
            "a training process was ended from outside, perhaps for want of memory; repeat the command to go on, "
            "with --jobs 1 if memory is short"
        ) from None


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
    news = _CONTEXT.Queue()
    with process_pool(min(workers, len(pieces)), _begin, dataset, news) as pool:
        futures = [pool.submit(_do, piece) for piece in pieces]
        try:
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
        result_of(future)


def train_all(
    jobs: Sequence[Job],
    dataset: Dataset,
    workers: int,
    progress: Progress,
    *,
    beside: Callable[[Dataset], Any] | None = None,
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
    pieces: list[Piece] = [partial(_make, beside)] if beside else []
    pieces += [partial(_train, job) for job in jobs]
    perform(pieces, dataset, 1 if len(jobs) <= 1 else workers, progress, meanwhile=meanwhile)


def _make(beside: Callable[[Dataset], Any], dataset: Dataset, _: Progress) -> None:
    beside(dataset)


def _train_alone(job: Job, dataset: Dataset, progress: Progress) -> None:
    """Trains a run that a lost worker may not have given up yet: it waits for that."""
    with FileLock(job.path / ".lock"):
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


class _Relay(Progress):
    """Passes what a worker is told on to the parent."""

    def __init__(self, news: Any) -> None:
        self.news = news
        self.last = 0.0

    def started(self, label: str, epochs: int, steps: int, done: int) -> None:
        self.news.put(("started", (label, epochs, steps, done)))

    def epoch_done(self, label: str, record: dict[str, Any]) -> None:
        self.news.put(("epoch_done", (label, record)))

    def finished(self, label: str) -> None:
        self.news.put(("finished", (label,)))

    def dropped(self, label: str) -> None:
        self.news.put(("dropped", (label,)))

    def described(self, lines: Sequence[str]) -> None:
        self.news.put(("described", (lines,)))

    def stepped(self, label: str, done: int, loss: float) -> None:
        if time.monotonic() - self.last < _NEWS:
            return
        self.last = time.monotonic()
        self.news.put(("stepped", (label, done, loss)))


_here: dict[str, Any] = {}


def _begin(dataset: Dataset, news: Any) -> None:
    _here["dataset"], _here["progress"] = dataset, _Relay(news)


def _do(piece: Piece) -> None:
    try:
        piece(_here["dataset"], _here["progress"])
    except KeyboardInterrupt:
        # A checkpoint is written, and nothing that the pool holds in advance may begin.
        os._exit(_ENDED)
