"""A recurrent language model that reads along with a beam search, letter by letter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gatework import _decoding
from gatework.decoding.loop import WritingLoop
from gatework.errors import UsageError


class LetterModel:
    r"""A recurrent language model, and what its tokens are in a search.

    Of its tokens those count that stand for a letter, and those that end a text, $E$; after a beginning $y$

    $$q(k \mid y) = \frac{p(k \mid y)}{\sum_{l} p(l \mid y) + p(E \mid y)} .$$

    A search keeps the state behind each of its beams, and goes on by a step at a time with all that have grown.

    Args:
        loop: The model.
        letters: The token of each letter, in the order of the alphabet.
        ends: Tokens any of which ends a text.
        begin: Tokens that stand before a text.

    Raises:
        UsageError: One of them is no token of the model, or nothing ends or begins a text.
    """

    def __init__(self, loop: WritingLoop, letters: Sequence[int], ends: Sequence[int], begin: Sequence[int]) -> None:
        if not ends or not begin:
            raise UsageError("a letter model needs a token that ends a text, and one that stands before it")
        for token in (*letters, *ends, *begin):
            if not 0 <= token < loop.vocabulary:
                raise UsageError(f"a letter model was given the token {token}, expected 0 to {loop.vocabulary - 1}")
        self.letters = len(letters)
        self._loop = loop  # the native side has the addresses of its weights
        self.native = _decoding.LetterModel(loop.native, letters, ends, begin)

    def __deepcopy__(self, memo: Any) -> LetterModel:
        return self  # nothing changes it
