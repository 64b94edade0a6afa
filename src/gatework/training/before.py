"""Trainings that come before a task's own, such as that of a language model: each a folder in the run's."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gatework._files import read_json, read_tensors, write_json, write_tensors
from gatework.tasks import Earlier
from gatework.training.loop import Trainer

if TYPE_CHECKING:
    from gatework.data.dataset import Dataset
    from gatework.tasks import Before
    from gatework.training.progress import Progress
    from gatework.training.ranks import Alone
    from gatework.training.run import Run

_WEIGHTS, _SUMMARY = "model.safetensors", "summary.json"


class Beginning(NamedTuple):
    """A training that can begin.

    Attributes:
        trainer: Of the run's network.
        seconds: What the trainings before it took.
    """

    trainer: Trainer
    seconds: float


def beginning(run: Run, dataset: Dataset, label: str, progress: Progress, ranks: Alone) -> Beginning:
    """Trains what the task wants trained before its own network, from where that stands.

    Args:
        run: The run folder.
        dataset: Its data.
        label: The run's name in what is told.
        progress: Who is told.
        ranks: The processes that train together.
    """
    earlier: list[Earlier] = []
    while (wanted := run.task.before(dataset, run.recipe, earlier)) is not None:
        folder = run.path / wanted.name
        if not (folder / _SUMMARY).exists():
            _train(folder, wanted, f"{label}, {wanted.name.replace('-', ' ')}", progress, ranks)
        earlier.append(Earlier(read_tensors(folder / _WEIGHTS)[0], read_json(folder / _SUMMARY)["seconds"]))
    dataset, recipe, weights = run.task.following(dataset, run.recipe, earlier)
    trainer = Trainer(run.path, recipe, run.task, dataset, label, progress, ranks, weights)
    return Beginning(trainer, sum(each.seconds for each in earlier))


def _train(folder: Path, wanted: Before, label: str, progress: Progress, ranks: Alone) -> None:
    folder.mkdir(exist_ok=True)
    trainer = Trainer(folder, wanted.recipe, wanted.task, wanted.dataset, label, progress, ranks, wanted.weights)
    model = trainer.run()
    if ranks.is_main:
        write_tensors(folder / _WEIGHTS, model.state_dict())
        write_json(folder / _SUMMARY, trainer.state.history[-1] | {"seconds": trainer.state.seconds})
        shutil.rmtree(folder / "checkpoint")
    ranks.wait()
