r"""How sure a word is: the share of words like it that were right, among recordings that were held back.

A word's letters each have a probability; of their logarithms the mean $m$ and the least $l$, and whether the training
texts have the word, $k$, go into

$$p = \sigma(w_1 m + w_2 l + w_3 k + b),$$

fitted by maximum likelihood to the words of the validation part, each right or wrong (Platt, 1999). Where too few words
are right, or wrong, to fit it, $p = e^m$.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gatework.tasks._logistic import fitted

COUNT = 5
"""The numbers that a `Confidence` is kept as."""
_FEWEST = 10
"""Right words, and wrong ones, without which nothing is fitted."""
_RIDGE = (1.0, 1.0, 1.0, 1e-6)
"""How strongly each weight is drawn to 0; hardly the last, which is added."""


@dataclass(frozen=True)
class Confidence:
    """How the probabilities of a word's letters tell how sure it is.

    Attributes:
        weights: Of the mean, of the least, of whether the word is known, and what is added to their sum.
        least_sure: Below it a word is unsure: where the fewest words of the validation part were misjudged.
    """

    weights: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    least_sure: float = 0.0

    @classmethod
    def fit(cls, words: Sequence[Sequence[float]], is_known: Sequence[bool], is_right: Sequence[bool]) -> Confidence:
        """Learns from words that were judged.

        Args:
            words: The log-probabilities of each word's letters.
            is_known: Whether the training texts have it.
            is_right: Whether it was said.
        """
        right = np.array(is_right, dtype=float)
        if min(right.sum(), (1 - right).sum()) < _FEWEST:
            return cls()
        x = np.array([_seen(letters, known) for letters, known in zip(words, is_known, strict=True)])
        weights = fitted(x, right, np.array(_RIDGE), np.zeros(len(_RIDGE)))
        sure = 1 / (1 + np.exp(-x @ weights))
        first, second, third, added = map(float, weights)
        return cls((first, second, third, added), _best_cut(sure, right))

    def of(self, letters: Sequence[float], is_known: bool) -> float:
        """How sure a word is, between 0 and 1.

        Args:
            letters: The log-probabilities of its letters.
            is_known: Whether the training texts have it.
        """
        if not any(self.weights):
            return math.exp(sum(letters) / len(letters))
        total = sum(a * b for a, b in zip(_seen(letters, is_known), self.weights, strict=True))
        return 1 / (1 + math.exp(-max(min(total, 40.0), -40.0)))

    def state(self) -> list[float]:
        """It as `COUNT` numbers."""
        return [*self.weights, self.least_sure]

    @classmethod
    def from_state(cls, state: Sequence[float]) -> Confidence:
        """The one whose `state()` this is."""
        first, second, third, added, least = state
        return cls((first, second, third, added), least)


def _seen(letters: Sequence[float], is_known: bool) -> tuple[float, float, float, float]:
    return sum(letters) / len(letters), min(letters), float(is_known), 1.0


def _best_cut(sure: np.ndarray, right: np.ndarray) -> float:
    """Below what the fewest words are misjudged: right ones that lie below, and wrong ones that do not."""
    order = np.argsort(sure)
    below = np.cumsum(right[order]) - np.cumsum(1 - right[order])
    best = int(np.argmin(np.concatenate([[0], below])))
    if best == 0:
        return 0.0
    edge = sure[order[best - 1]]
    return float((edge + (sure[order[best]] if best < len(order) else 1.0)) / 2)
