"""Terms of texts: words and runs of neighbouring words, counted in each text.

A run of n words is known by the run of its first n - 1 words and its last word. A run that two texts have begins with
one that two texts have, so runs grow from those that were kept, and a table of every run is never made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gatework.data.text import Texts, Vocabulary

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


_LEAST_TEXTS = 2
_NONE = -1
_FIRST_INDEX = 2


@dataclass(frozen=True, eq=False)
class Terms:
    """The terms that a model knows; their columns are the words in their order, then the runs of 2, of 3, ... words.

    Attributes:
        vocabulary: The words.
        runs: Of the runs of 2, of 3, ... words, each run's place among the runs one word shorter, times the number of
            words, plus its last word's place; sorted, int64.
    """

    vocabulary: Vocabulary
    runs: tuple[np.ndarray, ...]

    @classmethod
    def fit(cls, train: Texts, longest: int) -> tuple[Terms, csr_matrix]:
        """The terms that at least two training texts have; with very few texts all of them.

        Args:
            train: The training part.
            longest: The words of the longest runs; 1 keeps single words alone.

        Returns:
            The terms, and how often each training text has each, shape (texts, terms).
        """
        from scipy.sparse import hstack

        # Texts without a word: one term that never occurs.
        whole = Vocabulary(Vocabulary.fit(train, len(train.tokens.types)).words or ("",))
        rows, words = _occurrences(train, whole)
        counts = _counts(rows, words, (len(train), len(whole.words)))
        least = _LEAST_TEXTS if (_texts_with(counts) >= _LEAST_TEXTS).any() else 0
        is_kept = _texts_with(counts) >= least
        vocabulary = Vocabulary(tuple(word for word, kept in zip(whole.words, is_kept, strict=True) if kept))
        terms, parts = cls(vocabulary, ()), [counts[:, is_kept]]
        rows, words = _occurrences(train, vocabulary)
        at = words
        for _ in range(1, longest):
            keys = terms._keys(rows, words, at)
            run, columns = np.unique(keys, return_inverse=True)
            is_run, offset = keys != _NONE, int(run[0] == _NONE) if len(run) else 0
            counts = _counts(rows[is_run], columns[is_run] - offset, (len(train), len(run) - offset))
            is_kept = _texts_with(counts) >= least
            terms = cls(vocabulary, (*terms.runs, run[offset:][is_kept]))
            parts.append(counts[:, is_kept])
            at = _places(terms.runs[-1], keys)
        return terms, hstack(parts, format="csr")

    def __len__(self) -> int:
        return sum(self._sizes)

    def counts(self, texts: Texts) -> csr_matrix:
        """How often each text has each term, shape (texts, terms); unknown terms are left out."""
        rows, words = _occurrences(texts, self.vocabulary)
        starts = np.cumsum([0, *self._sizes])
        runs = list(zip(starts, self._all_places(rows, words), strict=False))
        where = np.concatenate([rows[places != _NONE] for _, places in runs])
        columns = np.concatenate([start + places[places != _NONE] for start, places in runs])
        return _counts(where, columns, (len(texts), len(self)))

    @property
    def _sizes(self) -> list[int]:
        return [len(self.vocabulary.words), *map(len, self.runs)]

    def _all_places(self, rows: np.ndarray, words: np.ndarray) -> Iterator[np.ndarray]:
        """At every token the place of the word, then of the run of 2, 3, ... words that ends there; or _NONE."""
        at = words
        yield at
        for run in self.runs:
            at = _places(run, self._keys(rows, words, at))
            yield at

    def _keys(self, rows: np.ndarray, words: np.ndarray, at: np.ndarray) -> np.ndarray:
        """At every token the key of the run one word longer than those that `at` says end at every token; or _NONE."""
        keys = np.full(len(words), _NONE, dtype=np.int64)
        is_run = (rows[1:] == rows[:-1]) & (at[:-1] != _NONE) & (words[1:] != _NONE)
        keys[1:][is_run] = at[:-1][is_run] * len(self.vocabulary.words) + words[1:][is_run]
        return keys


def _occurrences(texts: Texts, vocabulary: Vocabulary) -> tuple[np.ndarray, np.ndarray]:
    """The text and the word's place in the vocabulary, or _NONE, of every token."""
    tokens = texts.tokens
    rows = np.repeat(np.arange(len(tokens)), tokens.lengths)
    places = vocabulary.indices(tokens.types).astype(np.int64) - _FIRST_INDEX
    return rows, places[tokens.flat()]


def _places(run: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """The place of each key in a sorted table, or _NONE."""
    if not len(run):
        return np.full(len(keys), _NONE, dtype=np.int64)
    places = np.minimum(np.searchsorted(run, keys), len(run) - 1)
    return np.where(run[places] == keys, places, _NONE)


def _texts_with(counts: csr_matrix) -> np.ndarray:
    return np.bincount(counts.indices, minlength=counts.shape[1])


def _counts(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> csr_matrix:
    """How often each text has each term, from the text and the term of every occurrence."""
    from scipy.sparse import csr_matrix

    counts = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)
    counts.sum_duplicates()
    return counts
