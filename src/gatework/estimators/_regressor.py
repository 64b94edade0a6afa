"""A regressor of sequences."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from gatework.errors import DataError
from gatework.estimators._estimator import SequenceEstimator
from gatework.estimators._sequences import sequences


class SequenceRegressor(RegressorMixin, SequenceEstimator):
    """A recurrent network that tells one or more values of each sequence.

    The arguments and attributes are those of `SequenceClassifier`, without the classes.
    """

    _task = "regress"

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> SequenceRegressor:
        """Learns values from examples.

        Args:
            X: As for `SequenceClassifier.fit()`.
            y: Shape (examples,), or (examples, values) for several values of each.
            sample_weight: As for `SequenceClassifier.fit()`.

        Raises:
            ValueError: The values or weights are no finite numbers.
        """
        inputs = sequences(self, X, is_fit=True)
        if y is None:
            raise DataError("a regressor requires y to be passed, but the target y is None")
        y = check_array(y, dtype=np.float64, ensure_2d=False, input_name="y", estimator=self)
        y = y if y.ndim == 2 and y.shape[1] > 1 else column_or_1d(y, warn=True)
        check_consistent_length(inputs, y)
        self.is_single_ = y.ndim == 1
        self._fit(inputs, y.reshape(len(y), -1), (), sample_weight)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The value of each example, shape (examples,), or its values, shape (examples, values); X as for `fit()`."""
        outputs = self._outputs(X)
        values: np.ndarray = self.task_.values(outputs)
        return values[:, 0] if self.is_single_ else values

    def __sklearn_tags__(self) -> Tags:
        """What scikit-learn may ask of it: several values for each example too."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
