r"""Columns that go together: how far each value of a row is from what the other columns of that row say of it.

With $P$ the inverse covariance of standardised training rows (Ledoit-Wolf shrinkage), $z_i$ less what a linear
regression on the other columns gives is $(P z)_i / P_{ii}$, with the deviation $1 / \sqrt{P_{ii}}$; hence the error
$|P z|_i / \sqrt{P_{ii}}$. The squared Mahalanobis distance of the row, $z^\top P z$, is made of the same products, but
says of no column that it is the one. A column is judged so only where the others explain half of its variance or more:
columns that have nothing to do with one another leave nothing to judge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gatework._stored import Stored
from gatework.data.filling import forward_filled

if TYPE_CHECKING:
    from gatework.data.series import Scale

# The share of a column's variance that the others must explain, and the fewest rows a column to learn from.
_LEAST_EXPLAINED, _LEAST_ROWS = 0.5, 10


@dataclass(frozen=True)
class Relation(Stored):
    """How the columns of a series go together.

    Attributes:
        weights: What a standardised row is multiplied by to give the error of each column, shape (variables,
            variables); a column of zeros where a column does not follow from the others.
    """

    weights: np.ndarray

    @classmethod
    def fit(cls, values: np.ndarray) -> Relation:
        """That of training rows.

        Args:
            values: Standardised, shape (rows, variables), NaN where missing; rows with a missing value are left out.
        """
        from sklearn.covariance import LedoitWolf

        variables = values.shape[1]
        whole = values[~np.isnan(values).any(axis=1)]
        if variables < 2 or len(whole) < _LEAST_ROWS * variables:
            return cls(np.zeros((variables, variables)))
        covariance = LedoitWolf().fit(whole).covariance_
        # A column that never changes has a covariance of 0 with all others, itself included.
        precision = np.linalg.pinv(covariance, hermitian=True)
        diagonal = np.maximum(np.diag(precision), np.finfo(np.float64).tiny)
        explained = 1 - 1 / np.maximum(diagonal * np.diag(covariance), 1.0)
        return cls(np.where(explained >= _LEAST_EXPLAINED, precision / np.sqrt(diagonal), 0.0))

    @property
    def is_any(self) -> bool:
        """Whether a column follows from the others."""
        return bool(self.weights.any())


@dataclass(frozen=True)
class Relations(Stored):
    """How columns go together.

    Attributes:
        by_name: In each series.
        pooled: In all of them, for a series that was not there.
    """

    by_name: dict[str, Relation]
    pooled: Relation

    @classmethod
    def fit(cls, training: Mapping[str, np.ndarray], scales: Sequence[Scale]) -> Relations:
        """Those of the training rows.

        Args:
            training: The rows of each series by its name, shape (rows, variables).
            scales: The series' scales.
        """
        pairs = zip(training.values(), scales, strict=True)
        scaled = [(values - np.array(scale.mean)) / np.array(scale.std) for values, scale in pairs]
        each = {name: Relation.fit(values) for name, values in zip(training, scaled, strict=True)}
        return cls(each, Relation.fit(np.concatenate(scaled)))

    def of(self, name: str) -> Relation:
        """The relation in a series."""
        return self.by_name.get(name, self.pooled)

    @property
    def is_any(self) -> bool:
        """Whether a column follows from the others in any series."""
        return any(relation.is_any for relation in (*self.by_name.values(), self.pooled))


class RelationErrors:
    """How far the values of one series are from what the other columns say of them, row by row.

    Args:
        relation: How its columns go together.
        mean: Of its training rows, shape (variables,).
        std: Their standard deviations, shape (variables,).
    """

    def __init__(self, relation: Relation, mean: np.ndarray, std: np.ndarray) -> None:
        self.weights, self.mean, self.std = relation.weights, mean, std
        self._last = np.zeros((1, len(mean)))

    def run(self, values: np.ndarray) -> np.ndarray:
        """The errors of the rows that come next, shape (rows, variables), NaN where a value is missing.

        Args:
            values: In their own unit, shape (rows, variables); of a missing one the last known one stands for it.
        """
        scaled = (values - self.mean) / self.std
        filled = forward_filled(np.concatenate([self._last, scaled]))
        self._last = filled[-1:]
        errors: np.ndarray = np.where(np.isnan(scaled), np.nan, np.abs(filled[1:] @ self.weights))
        return errors
