"""Vectors of words and of pairs of neighbouring words."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from gatework._pair_vectors import add_second_words


class PairVectors(nn.Embedding):
    """A table of vectors in which a pair of words is read as its second word's vector plus its own.

    So a pair begins as its second word is, and learns what the first one changes.

    Args:
        words: How many indices stand for words; those of pairs follow.
        size: Features of a vector.
        seconds: The index of each pair's second word, shape (pairs,).

    Attributes:
        seconds: The same.
    """

    seconds: Tensor

    def __init__(self, words: int, size: int, seconds: np.ndarray) -> None:
        super().__init__(words + len(seconds), size)
        self.words = words
        self.register_buffer("seconds", torch.from_numpy(seconds.astype(np.int64)), persistent=False)

    def start(self, most: float) -> None:
        """Draws the vectors of words from -most to most; those of pairs are zero."""
        with torch.no_grad():
            nn.init.uniform_(self.weight[: self.words], -most, most)
            self.weight[self.words :] = 0

    def rows(self, indices: Tensor) -> Tensor:
        """The rows of the table that indices are read from, some of them more than once, shape (rows,)."""
        flat = indices.reshape(-1)
        return torch.cat([flat, self.seconds[flat[flat >= self.words] - self.words].to(flat.dtype)])

    def forward(self, indices: Tensor) -> Tensor:
        """Vectors of shape (..., size) for indices of shape (...)."""
        flat = indices.reshape(-1)
        places = (flat >= self.words).nonzero().squeeze(1)
        pairs = flat[places]
        words = flat.index_copy(0, places, self.seconds[pairs - self.words])
        vectors = embedding(words, self.weight, sparse=self.sparse)
        vectors = vectors.index_add(0, places, embedding(pairs, self.weight, sparse=self.sparse))
        return vectors.view(*indices.shape, -1)


def plain(table: nn.Embedding | None) -> nn.Embedding | None:
    """A table in which the vector of a pair is whole; one without pairs as it is."""
    if not isinstance(table, PairVectors):
        return table
    vectors = table.weight.detach().clone()
    add_second_words(vectors, table.words, table.seconds)
    return nn.Embedding.from_pretrained(vectors, freeze=False)
