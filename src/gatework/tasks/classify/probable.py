r"""Logistic regression on probabilities in the place of labels, which scikit-learn's takes none of.

With $q$ how probable it is that an example is of a class, and $z$ its sum of weighted features, the weights minimise

$$ C \sum_i \big( \ln(1 + e^{z_i}) - q_i z_i \big) + \tfrac12 \lVert w \rVert^2 , $$

which for a $q$ of 0 or 1 is the loss that scikit-learn has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_STEPS = 100
_SLOPE, _GAIN = 1e-3, 1e-6
"""Where it ends: the largest derivative, and the share of the loss that a step takes off."""


class Regression(NamedTuple):
    """A fitted regression.

    Attributes:
        strength: The inverse penalty.
        weights: Shape (features,).
        bias: What is added.
    """

    strength: float
    weights: np.ndarray
    bias: float


def regressions(features: csr_matrix, likely: np.ndarray, strengths: Sequence[float]) -> Iterator[Regression]:
    """Fits with each inverse penalty, each from the weights of the one before.

    Args:
        features: Shape (examples, features).
        likely: How probable the class is, shape (examples,).
        strengths: Inverse penalties, the strongest penalty first.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    transposed = features.T.tocsr()
    whole = np.zeros(features.shape[1] + 1)
    for strength in strengths:

        def loss(whole: np.ndarray, strength: float = strength) -> tuple[float, np.ndarray]:
            weights, sums = whole[:-1], features @ whole[:-1] + whole[-1]
            errors = strength * (expit(sums) - likely)
            total = strength * (np.logaddexp(0.0, sums) - likely * sums).sum() + weights @ weights / 2
            return float(total), np.append(transposed @ errors + weights, errors.sum())

        ends = {"maxiter": _STEPS, "gtol": _SLOPE, "ftol": _GAIN}
        whole = minimize(loss, whole, jac=True, method="L-BFGS-B", options=ends).x
        yield Regression(strength, whole[:-1], float(whole[-1]))
