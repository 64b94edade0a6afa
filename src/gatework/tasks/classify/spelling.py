"""How texts are spelt, beside their words: runs of characters are terms as runs of words are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gatework.data.text import Texts
from gatework.data.tokens import Tokens
from gatework.tasks._tfidf import Tfidf

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@dataclass(frozen=True, eq=False)
class WordsAndSpelling:
    """Features of words beside those of how they are spelt.

    Attributes:
        words: The features of words.
        spelling: Those of texts whose tokens are characters; see `spelt()`.
    """

    words: Tfidf
    spelling: Tfidf

    def __call__(self, texts: Texts) -> csr_matrix:
        """Features of shape (texts, terms); unknown terms are left out."""
        from scipy.sparse import hstack

        return hstack([self.words(texts), self.spelling(spelt(texts))], format="csr")

    def __len__(self) -> int:
        return len(self.words) + len(self.spelling)


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
