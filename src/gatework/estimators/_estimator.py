"""What both estimators share: settings, fitting by the workbench's own loop, weights that travel in a pickle."""

from __future__ import annotations

import tempfile
from abc import abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from gatework import tasks
from gatework.data.dataset import Dataset, Split
from gatework.data.inputs import RaggedSeries, SeriesInputs
from gatework.errors import DataError
from gatework.estimators._sequences import sequences
from gatework.recipe import Recipe
from gatework.training import runtime
from gatework.training.each_alone import EachAlone
from gatework.training.loop import Trainer
from gatework.training.progress import Progress
from gatework.training.ranks import Alone

_NETWORK = "network_"


class SequenceEstimator(BaseEstimator):
    """An estimator whose examples are series; the settings are those of a recipe."""

    _task: str
    task_: Any

    def __init__(
        self,
        cell: str = "lstm",
        hidden: int = 32,
        layers: int = 1,
        *,
        bidirectional: bool = False,
        dropout: float = 0.0,
        pooling: str = "last",
        epochs: int = 30,
        batch_size: int = 32,
        learning_rate: float = 1e-2,
        validation: float = 0.0,
        patience: int = 0,
        threads: int = 1,
        random_state: Any = None,
    ) -> None:
        self.cell = cell
        self.hidden = hidden
        self.layers = layers
        self.bidirectional = bidirectional
        self.dropout = dropout
        self.pooling = pooling
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.validation = validation
        self.patience = patience
        self.threads = threads
        self.random_state = random_state

    def _fit(self, inputs: SeriesInputs | RaggedSeries, targets: np.ndarray, classes: tuple[str, ...]) -> None:
        """Learns from examples and their targets, as a task's loss takes them."""
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        recipe = self._recipe(seed)
        dataset = _dataset(inputs, targets, classes, self.validation, seed)
        self.recipe_, self.task_ = recipe, tasks.get(self._task).fit(dataset, recipe.data)
        with tempfile.TemporaryDirectory() as folder, runtime.computing(self.threads), torch.random.fork_rng([]):
            trainer = Trainer(Path(folder), recipe, self.task_, dataset, self._task, Progress(), Alone())
            self.network_ = trainer.run()
        self.history_ = trainer.state.history

    def _recipe(self, seed: int) -> Recipe:
        return Recipe(task=self._task).changed(
            cell=self.cell,
            hidden=self.hidden,
            layers=self.layers,
            bidirectional=self.bidirectional,
            dropout=self.dropout,
            pooling=self.pooling,
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            patience=self.patience if self.validation else 0,
            best_weights=bool(self.validation),
            scale=True,
            seed=seed,
            checkpoint_seconds=1e9,
        )

    def _outputs(self, X: Any) -> np.ndarray:
        """What the network says of each example, shape (examples, outputs); it does not depend on the others."""
        check_is_fitted(self, _NETWORK)
        inputs = sequences(self, X, is_fit=False)
        split = Split(inputs, self.task_.no_targets(len(inputs)))
        with runtime.computing(self.threads):
            outputs: np.ndarray = self.task_.outputs(EachAlone.of(self.network_), self.task_.encode(split))[0]
        return outputs

    @abstractmethod
    def fit(self, X: Any, y: Any) -> SequenceEstimator:
        """Learns from examples with known answers."""

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the network, whose weights stand in its place: a layer holds what only this process has."""
        state: dict[str, Any] = dict(super().__getstate__())
        if _NETWORK in state:
            weights = state.pop(_NETWORK).state_dict()
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


def _dataset(
    inputs: SeriesInputs | RaggedSeries, targets: np.ndarray, classes: tuple[str, ...], share: float, seed: int
) -> Dataset:
    """The examples in a training and a validation part; without a share, one example is looked at for form's sake."""
    if not 0 <= share < 1:
        raise DataError(f"validation is {share}, expected a share from 0 to below 1")
    order = np.random.default_rng(seed).permutation(len(targets))
    held = round(share * len(targets))
    if share and not 0 < held < len(targets):
        raise DataError(f"validation={share} of {len(targets)} examples leaves a part empty; give more examples")
    whole = Split(inputs, targets)
    train = whole.take(np.sort(order[held:])) if held else whole
    validation = whole.take(order[: held or 1])
    return Dataset.of("the examples", train, validation, validation, classes)
