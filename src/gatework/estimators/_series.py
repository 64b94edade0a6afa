"""What an estimator of rows in the order of time is given: an array, or a pandas object with its dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, validate_data

from gatework.errors import DataError
from gatework.estimators._sequences import dimensions

_SECOND = 1_000_000
_FIRST = np.datetime64("2000-01-01", "us").astype(np.int64)
# Rows without dates stand seven seconds apart: no hour, day or year is a whole number of such steps, so that nothing
# looks for a season that nobody named.
_STEP = 7 * _SECOND


@dataclass(frozen=True)
class TimedRows:
    """Rows in the order of time.

    Attributes:
        values: Shape (rows, variables), float64, NaN where missing.
        dates: When each row is; None where nothing says so.
    """

    values: np.ndarray
    dates: pl.Series | None

    def stamps(self, before: int = 0) -> pl.Series:
        """When each row is, as the workbench reads it: its date, or a step after the row before.

        Args:
            before: Rows without dates that stood before these.
        """
        if self.dates is not None:
            return self.dates
        steps = before + np.arange(len(self.values))
        return pl.Series("time", _FIRST + steps * _STEP).cast(pl.Datetime("us"))


def rows_of(estimator: BaseEstimator, X: Any, *, is_fit: bool, least: int = 1) -> TimedRows:
    """The rows of an estimator's input, checked as scikit-learn checks a table.

    Args:
        estimator: What is fitted or asked; `n_features_in_` is set or held against.
        X: Shape (rows, variables), or (rows,) of one variable.
        is_fit: Whether the estimator is being fitted.
        least: The fewest rows that will do.

    Raises:
        ValueError: The values are no numbers, or not those that it was fitted to.
    """
    is_one_variable = dimensions(X) == 1 and (is_fit or estimator.n_features_in_ == 1)
    values = np.reshape(np.asarray(X), (-1, 1)) if is_one_variable else X
    checked = validate_data(
        estimator, values, reset=is_fit, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=least
    )
    return TimedRows(checked, dates_of(X))


def targets_of(estimator: BaseEstimator, y: Any, least: int = 1) -> TimedRows:
    """The rows of a series to forecast, shape (rows,) or (rows, targets), checked likewise."""
    values = check_array(
        y,
        dtype=np.float64,
        ensure_2d=False,
        ensure_all_finite="allow-nan",
        ensure_min_samples=least,
        input_name="y",
        estimator=estimator,
    )
    return TimedRows(values.reshape(len(values), -1), dates_of(y))


def dates_of(X: Any) -> pl.Series | None:
    """The dates of a pandas object's index; None where it has none.

    Raises:
        DataError: They go back.
    """
    index: Any = getattr(X, "index", None)
    index = index.to_timestamp() if hasattr(index, "to_timestamp") else index
    if index is None or not hasattr(index, "tz"):
        return None
    if not index.is_monotonic_increasing:
        raise DataError("the dates of the rows go back; give the rows in the order of time, as by sort_index()")
    return pl.Series("time", index).dt.cast_time_unit("us")


def following(index: Any, times: Sequence[str]) -> Any:
    """Times in ISO 8601 as a pandas index of the kind, and in the zone, of another."""
    moments = [datetime.fromisoformat(time) for time in times]
    if hasattr(index, "to_timestamp"):
        return type(index)(moments, freq=index.freq)
    # Offsets change with the clocks: pandas takes such moments in UTC alone.
    moments = [moment.astimezone(UTC) if moment.tzinfo else moment for moment in moments]
    return type(index)(moments, tz=index.tz)
