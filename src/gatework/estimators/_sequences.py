"""What an estimator is given, as series: an array of two or three dimensions, or a list of series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, validate_data

from gatework.data.inputs import RaggedSeries, SeriesInputs


def sequences(estimator: BaseEstimator, X: Any, *, is_fit: bool) -> SeriesInputs | RaggedSeries:
    """The series of an estimator's `X`, checked as scikit-learn checks a table.

    Args:
        estimator: What is fitted or asked; `n_features_in_` is set or held against.
        X: Shape (examples, steps), one value a step; (examples, steps, variables); or a list with a series of shape
            (steps,) or (steps, variables) for each example.
        is_fit: Whether the estimator is being fitted.

    Raises:
        ValueError: The values are no finite numbers, or not those that it was fitted to.
    """
    if is_list_of_series(X):
        return _ragged(estimator, X, is_fit=is_fit)
    if dimensions(X) == 3:
        values = check_array(X, dtype=np.float64, allow_nd=True, estimator=estimator, input_name="X")
        _count_variables(estimator, values.shape[2], is_fit=is_fit)
        return SeriesInputs.of(values)
    values = validate_data(estimator, X, reset=is_fit, dtype=np.float64)
    if is_fit:
        estimator.variables_ = 1
    _check_variables(estimator, 1)
    return SeriesInputs.of(values[:, :, np.newaxis])


def dimensions(X: Any) -> int:
    """How many dimensions an array or a list has; 2 of what is neither, which may become a table."""
    if isinstance(X, (list, tuple)):
        return int(np.ndim(X))
    return len(getattr(X, "shape", (0, 0)))  # polars has no `ndim`


def is_list_of_series(X: Any) -> bool:
    """Whether this is a list of series that no array of two or three dimensions holds."""
    if isinstance(X, np.ndarray) and X.dtype != object:
        return False
    if not isinstance(X, (list, tuple)) and not (isinstance(X, np.ndarray) and X.ndim == 1):
        return False
    return len(X) > 0 and all(np.ndim(one) >= 1 for one in X) and len({len(one) for one in X}) > 1


def _ragged(estimator: BaseEstimator, X: Sequence[Any], *, is_fit: bool) -> RaggedSeries:
    series = [check_array(_of_steps(one), dtype=np.float64, estimator=estimator, input_name="X") for one in X]
    widths = {one.shape[1] for one in series}
    if len(widths) > 1:
        raise ValueError(f"the series of X have {sorted(widths)} variables; the same number in each was expected")
    _count_variables(estimator, widths.pop(), is_fit=is_fit)
    return RaggedSeries.of(series)


def _of_steps(series: Any) -> np.ndarray:
    values = np.asarray(series)
    return values[:, np.newaxis] if values.ndim == 1 else values


def _count_variables(estimator: BaseEstimator, variables: int, *, is_fit: bool) -> None:
    """Notes how many variables a step has, or holds them against those that were fitted."""
    if is_fit:
        estimator.variables_ = variables
        if hasattr(estimator, "n_features_in_"):
            del estimator.n_features_in_
        return
    _check_variables(estimator, variables)


def _check_variables(estimator: BaseEstimator, variables: int) -> None:
    if variables != estimator.variables_:
        name = type(estimator).__name__
        raise ValueError(f"X has {variables} variables a step, but {name} is expecting {estimator.variables_}")
