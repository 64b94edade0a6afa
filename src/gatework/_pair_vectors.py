"""What the vector of a pair of words is, for tensors and arrays alike."""

from __future__ import annotations

from typing import Any


def add_second_words(vectors: Any, words: int, seconds: Any) -> None:
    """Makes the vectors of pairs whole, in place: a pair is read as its second word's vector plus its own.

    Args:
        vectors: Those of words, then what pairs add, shape (words + pairs, features), a tensor or an array.
        words: How many indices stand for words.
        seconds: The index of each pair's second word, shape (pairs,).
    """
    vectors[words:] += vectors[seconds]
