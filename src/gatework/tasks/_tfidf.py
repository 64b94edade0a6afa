r"""TF-IDF features of texts, from tokens that are counted already.

A term weighs $(1 + \ln n) \cdot (\ln\frac{1 + N}{1 + d} + 1)$ with $n$ its count in the text, $d$ the training
texts that have it and $N$ all training texts; each text's weights are scaled to length 1 (scikit-learn's
TfidfTransformer with sublinear_tf). Terms are words, or words and pairs of neighbouring words, that at least two
training texts have. scikit-learn's own vectoriser would tokenise the texts a second time, in Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gatework.data.text import PADDING, Texts, Vocabulary
from gatework.data.tokens import Tokens

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from gatework.data.dataset import Split

_LEAST_TEXTS = 2


class Tfidf:
    """TF-IDF features whose terms and weights come from the training texts alone."""

    def __init__(self, train: Texts, *, pairs: bool) -> None:
        """Chooses the terms and learns their weights.

        Args:
            train: The training part.
            pairs: Whether pairs of neighbouring words are terms too.
        """
        from sklearn.feature_extraction.text import TfidfTransformer

        self._vocabulary = Vocabulary.fit(train, len(train.tokens.types))
        self._has_pairs = pairs
        rows, keys = self._terms(train.tokens)
        self._keys, columns = np.unique(keys, return_inverse=True)
        counts = _counts(rows, columns, (len(train), len(self._keys)))
        is_kept = np.bincount(counts.indices, minlength=len(self._keys)) >= _LEAST_TEXTS
        if is_kept.any():  # with very few texts every term is kept
            self._keys, counts = self._keys[is_kept], counts[:, is_kept]
        elif not len(self._keys):  # texts without a word: one term that never occurs
            self._keys, counts = np.array([PADDING]), _counts(rows, columns, (len(train), 1))
        self._weights = TfidfTransformer(sublinear_tf=True)
        self.train: csr_matrix = self._weights.fit_transform(counts)

    def __call__(self, texts: Texts) -> csr_matrix:
        """Features of shape (texts, terms); unknown terms are left out."""
        rows, keys = self._terms(texts.tokens)
        columns = np.searchsorted(self._keys, keys)
        is_known = self._keys[np.minimum(columns, len(self._keys) - 1)] == keys
        return self._weights.transform(_counts(rows[is_known], columns[is_known], (len(texts), len(self._keys))))

    def _terms(self, tokens: Tokens) -> tuple[np.ndarray, np.ndarray]:
        """The text and the key of every term's every occurrence; a pair's key is beyond every word's."""
        size = len(self._vocabulary)
        rows = np.repeat(np.arange(len(tokens)), tokens.lengths)
        words = self._vocabulary.indices(tokens.types)[tokens.flat()].astype(np.int64)
        if not self._has_pairs:
            return rows, words
        is_pair = rows[1:] == rows[:-1]
        pairs = (words[:-1] + 1) * size + words[1:]
        return np.concatenate([rows, rows[1:][is_pair]]), np.concatenate([words, pairs[is_pair]])


def texts_of(split: Split) -> Texts:
    """The inputs of a split that is known to hold texts."""
    assert isinstance(split.inputs, Texts)
    return split.inputs


def _counts(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> csr_matrix:
    """How often each text has each term, from the text and the term of every occurrence."""
    from scipy.sparse import csr_matrix

    counts = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)
    counts.sum_duplicates()
    return counts
