"""n-grams of the tokens: the yardstick of a language model, and what it is mixed with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gatework.decoding import NGramModel

if TYPE_CHECKING:
    from gatework.tasks.generate.streams import TokenExamples

# The orders that are tried, by whether tokens are characters; the validation part chooses.
_ORDERS = {"char": (4, 5, 6, 7, 8), "subword": (2, 3, 4)}
# Of a text of more tokens only the middle one is counted, as each takes its time and memory.
_MOST_TRIED = 4_000_000


@dataclass(frozen=True)
class Counted:
    """Modified Kneser-Ney n-grams of the training part.

    Attributes:
        model: The n-grams.
    """

    model: NGramModel

    @classmethod
    def fit(cls, train: TokenExamples, validation: TokenExamples, level: str, vocabulary: int) -> Counted:
        """Counts the training part with the order that does best on the validation part."""
        orders = _ORDERS[level]
        if len(train.ring) > _MOST_TRIED:
            orders = orders[len(orders) // 2 :][:1]
        documents = [train.ring[first:end] for first, end in train.documents]
        counted = [cls(NGramModel.fit(documents, order, vocabulary)) for order in orders]
        if len(counted) == 1:
            return counted[0]
        return min(counted, key=lambda one: float(np.nansum(one.nats(validation))))

    @property
    def name(self) -> str:
        """As it stands in tables."""
        return f"{self.model.order}-grams"

    @property
    def parameters(self) -> int:
        """The n-grams that it knows."""
        return sum(self.model.ngrams)

    def nats(self, examples: TokenExamples) -> np.ndarray:
        """The negative logarithm of the probability of every token of a ring; NaN for what is not predicted.

        Returns:
            Shape (tokens,), float64.
        """
        nats = np.full(len(examples.ring), np.nan)
        for first, end in examples.documents:
            nats[first:end] = -self.model.log_probabilities(examples.ring[first:end])
        return nats


def mixed(first: np.ndarray, second: np.ndarray, weight: float) -> np.ndarray:
    """The negative logarithm of a weighted mean of probabilities, the first by this weight."""
    with np.errstate(divide="ignore", invalid="ignore"):  # a weight of 0, and what is not predicted
        nats: np.ndarray = -np.logaddexp(np.log(weight) - first, np.log1p(-weight) - second)
    return nats


def best_weight(first: np.ndarray, second: np.ndarray) -> float:
    """The weight of the first with which the mean predicts a text best, in hundredths."""
    is_known = np.isfinite(first) & np.isfinite(second)
    first, second = first[is_known], second[is_known]
    weights = np.linspace(0, 1, 101)
    return float(weights[np.argmin([mixed(first, second, weight).sum() for weight in weights])])
