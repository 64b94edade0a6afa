"""Errors smoothed as they come: a mean tells long, slight departures better, a single row spikes."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np


class Smoothing(ABC):
    """Smooths the errors of one series, in constant memory.

    Args:
        variables: Watched columns.
    """

    def __init__(self, variables: int) -> None:
        self.variables = variables

    @property
    @abstractmethod
    def about(self) -> str:
        """What an error is, in words."""

    @abstractmethod
    def run(self, errors: np.ndarray) -> np.ndarray:
        """Takes in the errors that come next, shape (rows, variables); a row without one (NaN) stays without."""


class MeanSmoothing(Smoothing):
    """The mean of each row's error and those of the rows before it.

    Args:
        variables: Watched columns.
        rows: How many rows it is of, the row's own included.
    """

    def __init__(self, variables: int, rows: int) -> None:
        super().__init__(variables)
        self.rows = rows
        self._recent = np.full((rows - 1, variables), np.nan)

    @property
    def about(self) -> str:
        """The mean of so many rows."""
        return f"mean of {self.rows} rows" if self.rows > 1 else "single row"

    def run(self, errors: np.ndarray) -> np.ndarray:
        """Takes in the errors that come next; see `Smoothing.run`."""
        joined = np.concatenate([self._recent, errors])
        self._recent = joined[len(errors) :]
        is_missing = np.isnan(joined)
        # Each row's error, 0 where it has none, beside whether it has one: both are added up over the rows.
        known = np.stack([np.where(is_missing, 0.0, joined), ~is_missing])
        total = known[:, : len(errors)].copy()
        for k in range(1, self.rows):
            total += known[:, k : k + len(errors)]
        mean: np.ndarray = total[0] / np.where(is_missing[len(joined) - len(errors) :], np.nan, total[1])
        return mean


class ExponentialSmoothing(Smoothing):
    r"""A mean whose weights fall by $1 - \alpha$ a row, with $\alpha = 2 / (s + 1)$: Hundman et al. (2018).

    Args:
        variables: Watched columns.
        span: $s$, the rows of a plain mean that is as old.
    """

    def __init__(self, variables: int, span: int) -> None:
        super().__init__(variables)
        self.share = 2 / (span + 1)
        self._mean = np.full(variables, np.nan)

    @property
    def about(self) -> str:
        """The mean of the rows so far."""
        return "falling mean of the rows before"

    def run(self, errors: np.ndarray) -> np.ndarray:
        """Takes in the errors that come next; see `Smoothing.run`."""
        smoothed = np.full(errors.shape, np.nan)
        for row, error in enumerate(errors):
            known = ~np.isnan(error)
            begun = np.isnan(self._mean)
            moved = np.where(begun, error, (1 - self.share) * self._mean + self.share * error)
            self._mean = np.where(known, moved, self._mean)
            smoothed[row, known] = self._mean[known]
        return smoothed
