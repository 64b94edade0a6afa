"""Pairs of neighbouring words that are read as one step: "not good" stands where "good" would, behind "not".

Of every known pair the second word's index gives way to the pair's own, so that a text has as many steps as words. What
follows a pair is another matter: of "not very good" both "not very" and "very good" are read, where both are known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FEWEST_TEXTS = 5
"""Of fewer texts that have a pair nothing is learnt about others."""


@dataclass(frozen=True, eq=False)
class WordPairs:
    """The pairs that a vocabulary knows.

    A pair's index is its position plus `words`.

    Attributes:
        codes: The index of each pair's first word times `words`, plus that of its second one; sorted, int64.
        words: How many indices stand for words.
    """

    codes: np.ndarray
    words: int

    @classmethod
    def fit(cls, indices: np.ndarray, lengths: np.ndarray, words: int, first: int, most: int) -> WordPairs:
        """The pairs that most texts have, and five at least.

        Args:
            indices: The words of some texts, one text after the other.
            lengths: How many each has, shape (texts,).
            words: How many indices stand for words.
            first: The least index of a word that can be part of a pair.
            most: The most pairs to keep.
        """
        codes, is_pair = _codes(indices, lengths, words)
        is_pair &= (codes // words >= first) & (codes % words >= first)
        codes, text = codes[is_pair], np.repeat(np.arange(len(lengths)), lengths)[is_pair]
        order = np.argsort(codes, kind="stable")  # the texts of a code stay in order
        codes, text = codes[order], text[order]
        is_new = np.ones(len(codes), dtype=bool)
        is_new[1:] = codes[1:] != codes[:-1]
        is_counted = is_new.copy()
        is_counted[1:] |= text[1:] != text[:-1]
        counts = np.bincount(np.cumsum(is_new) - 1, weights=is_counted)
        known = codes[is_new]
        best = np.argsort(-counts, kind="stable")[:most]
        return cls(np.sort(known[best[counts[best] >= FEWEST_TEXTS]]), words)

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def seconds(self) -> np.ndarray:
        """The index of each pair's second word, shape (pairs,), int64."""
        return self.codes % self.words

    def read(self, indices: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """The words of some texts with the index of a pair where one ends.

        Args:
            indices: The words, one text after the other, int32.
            lengths: How many each has, shape (texts,).
        """
        codes, is_pair = _codes(indices, lengths, self.words)
        place = np.minimum(np.searchsorted(self.codes, codes), len(self.codes) - 1)
        is_known = is_pair & (self.codes[place] == codes)
        return np.where(is_known, place + self.words, indices).astype(indices.dtype)


def _codes(indices: np.ndarray, lengths: np.ndarray, words: int) -> tuple[np.ndarray, np.ndarray]:
    """The code of the pair that ends with each word, and whether there is a word before it in its text."""
    is_pair = np.ones(len(indices), dtype=bool)
    is_pair[(np.cumsum(lengths) - lengths)[lengths > 0]] = False
    codes = indices.astype(np.int64)
    codes[1:] += indices[:-1].astype(np.int64) * words
    return codes, is_pair
