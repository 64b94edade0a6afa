"""Errors smoothed as they come: a mean tells long, slight departures better, a single row spikes."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from gatework.tasks.detect.thresholds import Window


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

    A mean of a few errors strays further than one of all rows, and a network that has read a few rows errs more. So a
    series begins without a mean: its first errors, of half as many rows, count in none, and there is none until three
    quarters of the rows have an error that does.

    Args:
        variables: Watched columns.
        rows: How many rows it is of, the row's own included.
    """

    def __init__(self, variables: int, rows: int) -> None:
        super().__init__(variables)
        self.rows, self._left_out, self._least = rows, rows // 2, -(-3 * rows // 4)
        self._recent = np.full((rows - 1, variables), np.nan)
        self._count = np.zeros(variables, np.int64)

    @property
    def about(self) -> str:
        """The mean of so many rows."""
        return f"mean of {self.rows} rows" if self.rows > 1 else "single row"

    def run(self, errors: np.ndarray) -> np.ndarray:
        """Takes in the errors that come next; see `Smoothing.run`."""
        count = self._count + np.cumsum(~np.isnan(errors), axis=0)
        self._count = count[-1] if len(count) else self._count
        joined = np.concatenate([self._recent, np.where(count > self._left_out, errors, np.nan)])
        self._recent = joined[len(errors) :]
        is_missing = np.isnan(joined)
        # Each row's error, 0 where it has none, beside whether it has one: both are added up over the rows.
        known = np.stack([np.where(is_missing, 0.0, joined), ~is_missing])
        total = known[:, : len(errors)].copy()
        for k in range(1, self.rows):
            total += known[:, k : k + len(errors)]
        mean: np.ndarray = total[0] / np.where(is_missing[len(joined) - len(errors) :], np.nan, total[1])
        return np.where(count < self._left_out + self._least, np.nan, mean)


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


class RankSmoothing(Smoothing):
    r"""The mean of how high each of the last errors stands among those of a longer past.

    With $r$ the share of the past errors below an error, $r^p$ is near 0 but for the highest few: what is rare counts,
    however far the tail of the errors reaches. Of errors as usual the mean of $r^p$ is $1 / (p + 1)$.

    Args:
        variables: Watched columns.
        rows: How many rows it is of, the row's own included.
        power: $p$.
        past: How many errors are remembered.
        every: After how many rows they are put in order anew.
    """

    _LEAST = 30

    def __init__(self, variables: int, rows: int, power: int = 20, past: int = 5000, every: int = 20) -> None:
        super().__init__(variables)
        self.power, self.every = power, every
        self.mean = MeanSmoothing(variables, rows)
        self.past = [Window(past) for _ in range(variables)]
        self._sorted = [np.zeros(0) for _ in range(variables)]
        self._seen = 0

    @property
    def about(self) -> str:
        """The mean of the ranks of so many rows."""
        return f"ranks of {self.mean.rows} rows"

    def run(self, errors: np.ndarray) -> np.ndarray:
        """Takes in the errors that come next; see `Smoothing.run`. The first few rows are without one."""
        ranks = np.full(errors.shape, np.nan)
        at = 0
        while at < len(errors):
            if self._seen % self.every == 0:
                self._sorted = [np.sort(past.values()) for past in self.past]
            part = slice(at, min(at + self.every - self._seen % self.every, len(errors)))
            for k, (past, column) in enumerate(zip(self.past, errors[part].T, strict=True)):
                if len(self._sorted[k]) >= self._LEAST:
                    below = np.searchsorted(self._sorted[k], column, side="left") / len(self._sorted[k])
                    ranks[part, k] = np.where(np.isnan(column), np.nan, below**self.power)
                past.fill(column)
            self._seen, at = self._seen + part.stop - at, part.stop
        return self.mean.run(ranks)
