"""How long a step of a training takes, before it begins."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import torch

from gatework.nn.precision import train_in_bfloat16
from gatework.training import runtime
from gatework.training.optimizer import Adam
from gatework.training.rows import learn_by_rows

if TYPE_CHECKING:
    from gatework.data.dataset import Dataset
    from gatework.recipe import Recipe
    from gatework.tasks import Task

_STEPS, _ENOUGH_SECONDS = 5, 1.0


def step_seconds(task: Task, recipe: Recipe, dataset: Dataset, threads: int) -> float:
    """The seconds of a step: the median of a few that are taken by a network of its own, after one that warms up.

    No random number that training draws is drawn.

    Args:
        task: The task, fitted.
        recipe: What is trained.
        dataset: The data.
        threads: Threads that training computes with.
    """
    config, times = recipe.training, list[float]()
    device = runtime.device(config)
    with runtime.computing(threads), torch.random.fork_rng():
        task = task.taught(dataset, recipe)
        model, examples = task.model(recipe.model).to(device).train(), task.encode(dataset.train)
        if config.precision == "bfloat16":
            train_in_bfloat16(model)
        optimizer = Adam(model.parameters(), tables=learn_by_rows(model) if device.type == "cpu" else ())
        for index in task.order(examples, config, 1)[: _STEPS + 1]:
            started = time.perf_counter()
            optimizer.forget_gradients()
            loss = task.loss(model, examples.batch(index).to(device))
            torch.autograd.backward(loss.total / max(loss.weight, 1.0))
            optimizer.clip(1.0)
            optimizer.step(config.learning_rate)
            times.append(time.perf_counter() - started)
            if sum(times[1:]) > _ENOUGH_SECONDS:
                break
    return statistics.median(times[1:] or times)
