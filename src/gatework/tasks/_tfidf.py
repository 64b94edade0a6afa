r"""TF-IDF features of texts, from tokens that are counted already.

A term weighs $(1 + \ln n) \cdot (\ln\frac{1 + N}{1 + d} + 1)$ with $n$ its count in the text, $d$ the training
texts that have it and $N$ all training texts; each text's weights are scaled to length 1 (scikit-learn's
TfidfTransformer with sublinear_tf). scikit-learn's own vectoriser would tokenise the texts a second time, in Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gatework.data.text import Texts
from gatework.tasks._terms import Terms

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


class Tfidf:
    """TF-IDF features whose terms and weights come from the training texts alone.

    Attributes:
        terms: The terms, in the order of the features.
        rarity: The second factor of each term's weight, shape (terms,).
    """

    def __init__(self, terms: Terms, rarity: np.ndarray) -> None:
        self.terms, self.rarity = terms, rarity

    @classmethod
    def fit(cls, train: Texts, *, pairs: bool) -> tuple[Tfidf, csr_matrix]:
        """Chooses the terms and learns their weights.

        Args:
            train: The training part.
            pairs: Whether pairs of neighbouring words are terms too.

        Returns:
            The features, and those of the training part, shape (texts, terms).
        """
        terms, counts = Terms.fit(train, 2 if pairs else 1)
        texts_with = np.bincount(counts.indices, minlength=len(terms))
        tfidf = cls(terms, np.log((1 + len(train)) / (1 + texts_with)) + 1)
        return tfidf, tfidf._weighed(counts)

    def __call__(self, texts: Texts) -> csr_matrix:
        """Features of shape (texts, terms); unknown terms are left out."""
        return self._weighed(self.terms.counts(texts))

    def _weighed(self, counts: csr_matrix) -> csr_matrix:
        from sklearn.preprocessing import normalize

        weights = counts.copy()
        weights.data = (1 + np.log(counts.data)) * self.rarity[counts.indices]
        return normalize(weights, copy=False)
