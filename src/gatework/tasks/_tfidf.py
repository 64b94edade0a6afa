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
        self._keys = _frequent(rows, keys)
        self._weights = TfidfTransformer(sublinear_tf=True)
        self.train: csr_matrix = self._weights.fit_transform(self._counts(rows, keys, len(train)))

    def __call__(self, texts: Texts) -> csr_matrix:
        """Features of shape (texts, terms); unknown terms are left out."""
        return self._weights.transform(self._counts(*self._terms(texts.tokens), len(texts)))

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

    def _counts(self, rows: np.ndarray, keys: np.ndarray, texts: int) -> csr_matrix:
        from scipy.sparse import csr_matrix

        columns = np.searchsorted(self._keys, keys)
        is_known = self._keys[np.minimum(columns, len(self._keys) - 1)] == keys
        ones = np.ones(int(is_known.sum()))
        return csr_matrix((ones, (rows[is_known], columns[is_known])), shape=(texts, len(self._keys)))


def texts_of(split: Split) -> Texts:
    """The inputs of a split that is known to hold texts."""
    assert isinstance(split.inputs, Texts)
    return split.inputs


def _frequent(rows: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """The keys that at least two texts have, sorted.

    With very few texts there may be none such: then every key, or without any words one that never
    occurs.
    """
    if not len(keys):
        return np.array([PADDING])
    order = np.lexsort((rows, keys))
    rows, keys = rows[order], keys[order]
    is_new_key = np.concatenate([[True], keys[1:] != keys[:-1]])
    is_new_text = is_new_key.copy()
    is_new_text[1:] |= rows[1:] != rows[:-1]
    texts = np.bincount(np.cumsum(is_new_key)[is_new_text] - 1)
    distinct = keys[is_new_key]
    frequent = distinct[texts >= _LEAST_TEXTS]
    return frequent if len(frequent) else distinct
