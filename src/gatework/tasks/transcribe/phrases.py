r"""Which of given phrases is said: how each is scored, and what of that is chosen on held-back recordings.

A network gives $\log p(y \mid x)$, the sum over all ways to write $y$, and has learnt with it which texts are likely:
those of its training part, letter for letter. In a list every phrase is as likely as another before anything is heard.
So

$$\log p(y \mid x) - \lambda \log p(y)$$

is compared, with $p(y)$ the probability of its letters among those of the training texts, counted as n-grams.

Source: E. McDermott, H. Sak and E. Variani, "A density ratio approach to language model fusion in end-to-end automatic
speech recognition", 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from gatework.decoding import SpokenLanguage, text_log_probabilities
from gatework.tasks.transcribe.letters import BLANK, Alphabet

_SHARPNESS = (1.0, 0.7, 0.5, 0.35, 0.25, 0.18, 0.12)
_PRIOR = tuple(k / 10 for k in range(11))
_MOST_PHRASES, _MOST_TOLD_APART = 300, 40


@dataclass(frozen=True)
class PhraseWeights:
    """How one of given phrases is told from the others.

    Attributes:
        sharpness: What scores are multiplied by: below 1, as a network is surer of what it says than it is right. How
            sure a phrase is depends on it, and not which is said.
        prior: How much of the log-probability of a phrase's letters is taken off.
        blank: What is taken off the logarithm of the blank's probability at every step, as in a search.
    """

    sharpness: float = 1.0
    prior: float = 0.0
    blank: float = 0.0

    def state(self) -> list[float]:
        """It as `COUNT` numbers."""
        return list(astuple(self))


COUNT = len(astuple(PhraseWeights()))
"""The numbers that `PhraseWeights` are kept as."""


class Phrases:
    """Phrases to be told from each other; that of no letters, nothing said at all, may be among them.

    Args:
        letters: Of each, as the alphabet numbers them.
        language: That of the training texts.
    """

    def __init__(self, letters: Sequence[NDArray[np.int64]], language: SpokenLanguage) -> None:
        self.letters = letters
        # Silence is no text, and what texts are likely says nothing of it.
        self.prior = np.array([language.log_probability(one) if len(one) else 0.0 for one in letters])

    def scores(self, log_probs: NDArray[np.float32], weights: PhraseWeights) -> NDArray[np.float64]:
        """How likely each phrase is, as a logarithm up to a constant; shape (phrases,).

        Args:
            log_probs: What the network says, shape (steps, units + 1).
            weights: How it is weighed.
        """
        heard = text_log_probabilities(with_less_blank(log_probs, weights.blank), self.letters)
        return weights.sharpness * (heard - weights.prior * self.prior)


def with_less_blank(log_probs: NDArray[np.float32], blank: float) -> NDArray[np.float32]:
    """Log-probabilities with so much taken off the blank, normalised again."""
    if not blank:
        return log_probs
    scores = log_probs.copy()
    scores[:, BLANK] -= blank
    return np.asarray(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True), dtype=np.float32)


def chosen_phrase_weights(
    alphabet: Alphabet,
    language: SpokenLanguage,
    texts: Sequence[str],
    log_probs: Sequence[NDArray[np.float32]],
    references: Sequence[str],
    blank: float = 0.0,
) -> PhraseWeights:
    """The weights with which what is said is likeliest, among the training texts and those of held-back recordings.

    Args:
        alphabet: The letters, or words.
        language: That of the training texts.
        texts: The training texts.
        log_probs: What the network says of each recording, shape (steps, units + 1).
        references: What is said in each.
        blank: What a search takes off the blank.
    """
    told = references[:_MOST_TOLD_APART]
    among = list(dict.fromkeys([*told, *texts]))[:_MOST_PHRASES]
    phrases = Phrases([alphabet.indices(one) for one in among], language)
    scores = np.array([phrases.scores(one, PhraseWeights(blank=blank)) for one in log_probs[: len(told)]]).reshape(
        -1, len(among)
    )
    rows, right = np.arange(len(told)), np.array([among.index(one) for one in told], dtype=np.int64)
    # A text that has too few steps is never heard, whatever is chosen.
    is_possible = np.isfinite(scores[rows, right])
    scores, rows, right = scores[is_possible], rows[: is_possible.sum()], right[is_possible]

    def likelihood(weights: PhraseWeights) -> float:
        each = weights.sharpness * (scores - weights.prior * phrases.prior)
        return float((each[rows, right] - np.logaddexp.reduce(each, axis=1)).sum())

    return max((PhraseWeights(sharpness, prior, blank) for prior in _PRIOR for sharpness in _SHARPNESS), key=likelihood)
