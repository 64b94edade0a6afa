"""How many threads a training takes where nobody says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from gatework._threads import checked_count, usable_cores
from gatework.nn import RecurrentLayer

if TYPE_CHECKING:
    from gatework.data.dataset import Dataset
    from gatework.recipe import Recipe
    from gatework.tasks import Task

# Multiplications of a forward step by recurrent layers from which on a second thread pays off. Measured on two cores:
# with 16 and with 42 million a step took one thread 2.8 and 6.0 ms, two threads 3.0 and 6.0; with 105 million two
# threads were twice as fast.
_ENOUGH = 60_000_000


def chosen_threads(task: Task, recipe: Recipe, dataset: Dataset, threads: int | None = None) -> int:
    """The threads that a training computes with.

    Args:
        task: The task, fitted.
        recipe: What is trained.
        dataset: The data.
        threads: What a person asked for; if None, one where a step is small, and every usable core where it is not.

    Raises:
        UsageError: It is no sensible number.
    """
    if threads is not None:
        return checked_count(threads, "threads")
    return usable_cores() if _multiplications(task, recipe, dataset) >= _ENOUGH else 1


def _multiplications(task: Task, recipe: Recipe, dataset: Dataset) -> float:
    """The multiplications of one forward step: each weight of a recurrent layer once per step of each sequence."""
    with torch.random.fork_rng(devices=[]):
        model = task.model(recipe.model)
    layers = [module for module in model.modules() if isinstance(module, RecurrentLayer)]
    weights = sum(p.numel() for layer in layers for p in layer.parameters() if p.ndim > 1)
    sample = dataset.train.take(np.linspace(0, len(dataset.train) - 1, min(len(dataset.train), 256)).astype(np.int64))
    steps = float(np.mean(task.encode(sample).lengths))
    return weights * steps * min(recipe.training.batch_size, len(dataset.train))
