"""Trainings in processes of another system: any executor of `concurrent.futures`, as Dask's or a cluster's.

A worker needs gatework and the folder that is written to. It reads the data itself, once, where they have a name or a
path, and is handed them otherwise. How it goes is read from the folder, so that nothing but the work travels.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from gatework import tasks
from gatework._registry import registering_modules
from gatework.data.dataset import Dataset
from gatework.errors import GateworkError, TrainingError, UsageError
from gatework.recipe import Recipe
from gatework.training.progress import Progress

PROCESSES = "processes"
"""Where work is done unless somebody says otherwise: processes of this machine, which are gatework's own."""

_DASK = "dask://"
# How often, in seconds, the folder is looked at.
_LOOK = 0.3
# Torch's random numbers and threads belong to a process, so that one training at a time may run in it.
_ONE = threading.Lock()

Piece = Callable[[Dataset, Progress], Any]
"""A piece of work on a data set, which tells how it goes; it can be pickled."""


@dataclass(frozen=True)
class DataSource:
    """Where a worker gets the data from.

    Attributes:
        fingerprint: That of the data, by which a worker knows whether it has read them already.
        recipe: The recipe that names the data and says how they are read; None where they have no name.
        dataset: The data, where they have no name.
    """

    fingerprint: str
    recipe: Recipe | None
    dataset: Dataset | None

    @classmethod
    def of(cls, dataset: Dataset, recipe: Recipe, is_named: bool) -> DataSource:
        """The source of data that were read by a recipe, or were handed over as they are."""
        return cls(dataset.provenance.fingerprint, recipe if is_named else None, None if is_named else dataset)


class Elsewhere(NamedTuple):
    """Where work is done, if not in processes of this machine.

    Attributes:
        executor: The executor.
        source: Where its workers get the data from.
    """

    executor: Executor
    source: DataSource


_read: dict[str, Dataset] = {}


def _data(source: DataSource) -> Dataset:
    """The data of this worker, read once.

    Raises:
        TrainingError: The worker reads something else than who sent the work.
    """
    if source.fingerprint not in _read:
        _read.clear()
        dataset = source.dataset or tasks.get(str(source.recipe and source.recipe.task)).load(*_named(source))
        if dataset.provenance.fingerprint != source.fingerprint:
            raise TrainingError(
                f"a worker reads other data as {dataset.name} than the process that sent the work; give the data by a "
                "path that is the same on every machine"
            )
        _read[source.fingerprint] = dataset
    return _read[source.fingerprint]


def _named(source: DataSource) -> tuple[str, Recipe]:
    recipe = source.recipe or Recipe()
    return recipe.data.dataset, recipe


def _work(piece: Piece, source: DataSource, modules: Sequence[str]) -> None:
    """What a worker does."""
    with _ONE:
        for module in modules:
            importlib.import_module(module)
        piece(_data(source), Progress())


@contextlib.contextmanager
def working_on(on: str, dataset: Dataset, recipe: Recipe, is_named: bool) -> Iterator[Elsewhere | None]:
    """Where a person wants work to be done, given up in the end.

    Args:
        on: "processes", "dask://HOST:PORT", or "MODULE:NAME" of an executor or of what gives one when called.
        dataset: The data.
        recipe: How they were read.
        is_named: Whether the recipe's name or path leads a worker to them.

    Yields:
        The place; None for processes of this machine.

    Raises:
        UsageError: There is none such.
    """
    if on == PROCESSES:
        yield None
        return
    source = DataSource.of(dataset, recipe, is_named)
    with _dask("tcp://" + on.removeprefix(_DASK)) if on.startswith(_DASK) else _named_executor(on) as executor:
        yield Elsewhere(executor, source)


@contextlib.contextmanager
def _dask(address: str) -> Iterator[Executor]:
    if find_spec("distributed") is None:
        raise UsageError('work on a Dask cluster needs distributed: pip install "gatework[cluster]"')
    from distributed import Client

    try:
        client = Client(address, timeout="10s")
    except OSError:
        raise UsageError(f"no Dask scheduler answers at {address}; start one by dask scheduler") from None
    with client:
        # A piece whose worker is lost goes to another one, and on from its checkpoint.
        yield client.get_executor(pure=False, retries=2)


def _named_executor(on: str) -> Executor:
    module, _, name = on.partition(":")
    if not name:
        raise UsageError(
            f'--on is "{on}", expected {PROCESSES}, {_DASK}HOST:PORT, or MODULE:NAME of an executor, as mycluster:pool'
        )
    if (here := os.getcwd()) not in sys.path:
        sys.path.append(here)  # a person's own module stands where the command is given
    try:
        named = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise UsageError(f'--on is "{on}", and there is no such executor: {error}') from None
    executor = named if isinstance(named, Executor) else named()
    if not isinstance(executor, Executor):
        raise UsageError(f"{on} is {type(executor).__name__}, expected an executor of concurrent.futures")
    return executor


def perform_on(
    executor: Executor,
    source: DataSource,
    pieces: Sequence[Piece],
    look: Callable[[], None],
    beside: Callable[[], None],
) -> None:
    """Does pieces of work on an executor.

    Args:
        executor: The executor.
        source: Where workers get the data from.
        pieces: The pieces, in the order in which they begin.
        look: Called again and again, to tell how it goes.
        beside: What this process does meanwhile.

    Raises:
        TrainingError: A worker failed, or was lost too often.
        KeyboardInterrupt: The process was told to stop; pieces that have begun may go on by themselves.
    """
    futures = [executor.submit(_work, piece, source, tuple(registering_modules())) for piece in pieces]
    try:
        beside()
        while not all(future.done() for future in futures):
            look()
            time.sleep(_LOOK)
        look()
    except KeyboardInterrupt:
        for future in futures:
            future.cancel()
        raise
    for future in futures:
        _result(future)


def _result(future: Future[None]) -> None:
    try:
        future.result()
    except GateworkError:
        raise
    except Exception as error:  # whatever the other system calls it
        what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise TrainingError(f"a worker failed ({what}); repeat the command to go on with what is left") from error


class FolderWatch:
    """Tells of runs by what they write into their folders.

    Args:
        runs: The run folders with their names in what is told.
        epochs: How many epochs each has.
        progress: Who is told.
    """

    def __init__(self, runs: Sequence[tuple[Path, str]], epochs: int, progress: Progress) -> None:
        self.runs, self.epochs, self.progress = runs, epochs, progress
        self.seen: dict[Path, int] = {}

    def __call__(self) -> None:
        """Looks once."""
        for path, label in self.runs:
            for record in self._new(path):
                if path not in self.seen:
                    self.seen[path] = 0
                    self.progress.started(label, self.epochs, 1, record["epoch"] - 1)
                self.seen[path] = record["epoch"]
                self.progress.epoch_done(label, record)
            if (path / "summary.json").exists() and self.seen.pop(path, 0):
                self.progress.finished(label)
                self.runs = [(other, name) for other, name in self.runs if other != path]

    def _new(self, path: Path) -> list[dict[str, Any]]:
        try:
            lines = (path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines[self.seen.get(path, 0) :]]
