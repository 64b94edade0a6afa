"""Texts as characters, for models that look at how words are spelt: their runs are terms as runs of words are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gatework.data.text import Texts
from gatework.data.tokens import Tokens

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from gatework.tasks._terms import Terms
    from gatework.tasks._tfidf import Tfidf


def spelt(texts: Texts) -> Texts:
    """The texts with their characters as tokens: lower-case, composed, one space between words and at both ends."""
    import polars as pl

    tidy = texts.strings.fill_null("").str.to_lowercase().str.normalize("NFC")
    tidy = " " + tidy.str.replace_all(r"\s+", " ").str.strip_chars() + " "
    codes = np.frombuffer("".join(tidy).encode("utf-32-le"), dtype="<u4")
    types, ids = np.unique(codes, return_inverse=True)
    lengths = tidy.str.len_chars().to_numpy().astype(np.int64)
    characters = pl.Series("token", [chr(code) for code in types.tolist()], dtype=pl.String)
    return Texts.with_tokens(
        texts.strings, Tokens(characters, ids.astype(np.int32), np.cumsum(lengths) - lengths, lengths)
    )


class Spelt:
    """Features of how texts are spelt.

    Attributes:
        features: Features of texts whose tokens are characters.
    """

    def __init__(self, features: Tfidf) -> None:
        self.features = features

    @property
    def terms(self) -> Terms:
        """The runs of characters."""
        return self.features.terms

    def __call__(self, texts: Texts) -> csr_matrix:
        """Features of shape (texts, terms); unknown terms are left out."""
        return self.features(spelt(texts))
