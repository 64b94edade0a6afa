"""What every estimator shares: training by the workbench's own loop, and weights that travel in a pickle."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from gatework import tasks
from gatework.data.dataset import Dataset
from gatework.recipe import Recipe
from gatework.tasks import Task
from gatework.training import runtime
from gatework.training.loop import Trainer
from gatework.training.progress import Progress
from gatework.training.ranks import Alone

NETWORK = "network_"


class RecurrentEstimator(BaseEstimator):
    """An estimator around one task; its settings are those of a recipe.

    Attributes:
        recipe_: What it was trained with.
        task_: The task as it was fitted.
        network_: The trained network.
        history_: What each epoch said, one dict each.
    """

    _task: str
    task_: Any
    recipe_: Recipe
    random_state: Any
    threads: int

    def _seed(self) -> int:
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _train(self, recipe: Recipe, dataset: Dataset) -> Task:
        """Learns from a data set as a run would; the task that was fitted to it."""
        self.recipe_, self.task_ = recipe, tasks.get(self._task).fit(dataset, recipe.data)
        with tempfile.TemporaryDirectory() as folder, runtime.computing(self.threads), torch.random.fork_rng([]):
            trainer = Trainer(Path(folder), recipe, self.task_, dataset, self._task, Progress(), Alone())
            self.network_ = trainer.run()
        self.history_ = trainer.state.history
        return self.task_

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the network, whose weights stand in its place: a layer holds what only this process has."""
        state: dict[str, Any] = dict(super().__getstate__())
        if NETWORK in state:
            weights = state.pop(NETWORK).state_dict()
            state["weights"] = {name: tensor.numpy().copy() for name, tensor in weights.items()}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """The estimator as it was, with its network built anew around the weights."""
        weights = state.pop("weights", None)
        super().__setstate__(state)
        if weights is not None:
            network = self.task_.model(self.recipe_.model)
            network.load_state_dict({name: torch.from_numpy(values) for name, values in weights.items()})
            self.network_ = network.eval()
