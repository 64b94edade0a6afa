"""A classifier of sequences."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, column_or_1d

from gatework.errors import DataError
from gatework.estimators._estimator import SequenceEstimator
from gatework.estimators._sequences import sequences
from gatework.tasks.classify.metrics import probabilities


class SequenceClassifier(ClassifierMixin, SequenceEstimator):
    """A recurrent network that tells the class of each sequence.

    Args:
        cell: A registered cell by name, such as "lstm", "gru" or "rnn", or what `@gatework.cell` made.
        hidden: Units per layer and direction.
        layers: Stacked layers.
        bidirectional: Whether every layer also reads sequences backwards.
        dropout: Share of units dropped between layers and before the output.
        pooling: What the output sees of the states: "last", "mean", "max", "concat" or "attention".
        epochs: Passes over the examples.
        batch_size: Examples per step.
        learning_rate: Adam's learning rate.
        validation: Share of the examples held back to choose the best epoch; 0 keeps the last.
        patience: Stop after so many epochs without a better validation metric; 0 never stops early.
        threads: Threads to compute with.
        random_state: Seeds weights, order and dropout; None draws a seed from NumPy.

    Attributes:
        classes_: The classes, in the order of `predict_proba()`.
        history_: What each epoch said, one dict each.
        network_: The trained network.
        task_: What turns series into its inputs.
        recipe_: What it was trained with.
    """

    _task = "classify"

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> SequenceClassifier:
        """Learns classes from examples.

        Args:
            X: Shape (examples, steps), one value a step; (examples, steps, variables); or a list with a series of shape
                (steps,) or (steps, variables) for each example.
            y: The class of each example.
            sample_weight: How many times each example counts in the loss and the scaling, shape (examples,); once if
                None. An example of weight 0 is as one that is not there, but for its class in `classes_`.

        Raises:
            ValueError: The values or weights are no finite numbers, or there is one class only.
        """
        inputs = sequences(self, X, is_fit=True)
        y = column_or_1d(y, warn=True)
        check_consistent_length(inputs, y)
        check_classification_targets(y)
        self.classes_, indices = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise DataError(f'y has one class, "{self.classes_[0]}"; a classifier needs examples of two at least')
        self._fit(inputs, indices.astype(np.int64), tuple(str(name) for name in self.classes_), sample_weight)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class, shape (examples, classes); X as for `fit()`."""
        return probabilities(self._outputs(X))

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest class of each example, shape (examples,); X as for `fit()`."""
        places = self._outputs(X).argmax(axis=1)
        answers: np.ndarray = self.classes_[places]
        return answers
