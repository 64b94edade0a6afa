"""What the estimators of whole sequences share: settings, examples, and what a network says of them."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from numbers import Number
from typing import Any

import numpy as np
from sklearn.utils.validation import check_array, check_is_fitted

from gatework.cells import CellSpec
from gatework.data.dataset import Dataset, Split
from gatework.data.inputs import RaggedSeries, SeriesInputs
from gatework.errors import DataError
from gatework.estimators._recurrent import NETWORK, RecurrentEstimator
from gatework.estimators._sequences import sequences
from gatework.recipe import Recipe
from gatework.training import runtime
from gatework.training.each_alone import EachAlone


class SequenceEstimator(RecurrentEstimator):
    """An estimator whose examples are series; the settings are those of a recipe."""

    def __init__(
        self,
        cell: str | CellSpec = "lstm",
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

    def _fit(
        self,
        inputs: SeriesInputs | RaggedSeries,
        targets: np.ndarray,
        classes: tuple[str, ...],
        sample_weight: Any,
    ) -> None:
        """Learns from examples and their targets, as a task's loss takes them."""
        seed, examples = self._seed(), _weighted(Split(inputs, targets), sample_weight)
        self._train(self._recipe(seed), _dataset(examples, classes, self.validation, seed))

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
        check_is_fitted(self, NETWORK)
        inputs = sequences(self, X, is_fit=False)
        split = Split(inputs, self.task_.no_targets(len(inputs)))
        with runtime.computing(self.threads):
            outputs: np.ndarray = self.task_.outputs(EachAlone.of(self.network_), self.task_.encode(split))[0]
        return outputs

    @abstractmethod
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> SequenceEstimator:
        """Learns from examples with known answers."""


def _weighted(examples: Split, sample_weight: Any) -> Split:
    """The examples that count, with how many times each does.

    Raises:
        ValueError: These are no finite numbers from 0 on, one for each example, or all are 0.
    """
    if sample_weight is None:
        return examples
    if isinstance(sample_weight, Number):
        sample_weight = np.full(len(examples), sample_weight)
    weights = check_array(sample_weight, dtype=np.float64, ensure_2d=False, input_name="sample_weight")
    if weights.shape != (len(examples),):
        raise DataError(f"sample_weight has shape {weights.shape}, expected ({len(examples)},), one for each example")
    if (weights < 0).any():
        raise DataError(f"sample_weight is {weights.min():g} for one example, expected numbers from 0 on")
    if not weights.any():
        raise DataError("every sample_weight is zero; there is nothing to learn from")
    counts = np.flatnonzero(weights)
    examples, weights = examples.take(counts), weights[counts]
    return replace(examples, weights=weights / weights.mean())


def _dataset(whole: Split, classes: tuple[str, ...], share: float, seed: int) -> Dataset:
    """The examples in a training and a validation part; without a share, one example is looked at for form's sake."""
    if not 0 <= share < 1:
        raise DataError(f"validation is {share}, expected a share from 0 to below 1")
    order = np.random.default_rng(seed).permutation(len(whole))
    held = round(share * len(whole))
    if share and not 0 < held < len(whole):
        raise DataError(f"validation={share} of {len(whole)} examples leaves a part empty; give more examples")
    train = whole.take(np.sort(order[held:])) if held else whole
    validation = whole.take(order[: held or 1])
    return Dataset.of("the examples", train, validation, validation, classes)
