"""How texts are spelt, beside their words: runs of characters are terms as runs of words are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gatework.data.text import Texts
from gatework.data.tokens import Tokens
from gatework.tasks._terms import Terms

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@dataclass(frozen=True, eq=False)
class Presence:
    """Which terms a text has: features of 0 and 1, shape (texts, terms)."""

    terms: Terms

    def __call__(self, texts: Texts) -> csr_matrix:
        """The features of texts."""
        return present(self.terms.counts(texts))


@dataclass(frozen=True, eq=False)
class WordsAndSpelling:
    """Which words and runs of words a text has, and which characters and runs of them.

    Attributes:
        words: The features of words.
        spelling: Those of texts whose tokens are characters; see `spelt()`.
    """

    words: Presence
    spelling: Presence

    def __call__(self, texts: Texts) -> csr_matrix:
        """Features of shape (texts, terms); unknown terms are left out."""
        from scipy.sparse import hstack

        return hstack([self.words(texts), self.spelling(spelt(texts))], format="csr")


def present(counts: csr_matrix) -> csr_matrix:
    """1 where anything was counted."""
    counts = counts.copy()
    counts.data[:] = 1.0
    return counts


def spelt(texts: Texts) -> Texts:
    """The texts with their characters as tokens: lower-case, composed, one space between words and at both ends."""
    import polars as pl

    tidy = texts.strings.fill_null("").str.to_lowercase().str.normalize("NFC")
    tidy = " " + tidy.str.replace_all(r"\s+", " ").str.strip_chars() + " "
    codes = np.frombuffer("".join(tidy).encode("utf-32-le"), dtype="<u4")
    types, ids = np.unique(codes, return_inverse=True)
    lengths = tidy.str.len_chars().to_numpy().astype(np.int64)
    characters = pl.Series("token", [chr(code) for code in types.tolist()], dtype=pl.String)
    tokens = Tokens(characters, ids.astype(np.int32), np.cumsum(lengths) - lengths, lengths)
    return Texts.with_tokens(texts.strings, tokens)
