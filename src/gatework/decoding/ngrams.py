r"""A language model by counting: interpolated modified Kneser-Ney of any order, counted and scored in native code.

With $c$ the count of an n-gram, $D$ the discount for that count and $h'$ the context $h$ without its first token,

$$p(w \mid h) = \frac{c(hw) - D(c(hw))}{\sum_v c(hv)} + \frac{\sum_v D(c(hv))}{\sum_v c(hv)} \, p(w \mid h'),$$

down to $1 / V$ for each token of the vocabulary. Below the highest order, $c$ is the number of different tokens that
an n-gram follows; one at the beginning of a document counts by how often it occurs. An order has three discounts, for
the counts 1, 2, and 3 or more, from $n_k$, how many of its n-grams have the count $k$: with $Y = n_1 / (n_1 + 2 n_2)$
they are $1 - 2 Y n_2 / n_1$, $2 - 3 Y n_3 / n_2$ and $3 - 4 Y n_4 / n_3$. Where one of $n_1$ to $n_4$ is 0, as in a
short text, or a discount is not positive, all three are $Y$ (absolute discounting), or 1/2 where $n_1$ or $n_2$ is 0.

Source: S. Chen and J. Goodman, "An empirical study of smoothing techniques for language modeling", 1998, section 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gatework import _decoding
from gatework._files import atomic
from gatework.errors import DataError, KindError, UsageError

_MOST = 2**31 - 2  # tokens are 32-bit numbers on the native side
_ARRAYS = ("levels", "tokens", "children", "log_probability", "log_backoff")


class NGramModel:
    """An n-gram language model over the tokens 0 to `vocabulary - 1`; made by `fit`, `load` or `read_arpa`.

    The beginning of a document is a context of its own. Its end is a token like any other where the caller's
    vocabulary has one.

    A beam search scores token by token: `begin` or `nothing` is the first state, `advance` gives the next one. A state
    is a number, and two hypotheses with the same state have the same future. C++ has the same in
    `csrc/decoding/ngrams.h`; `native` is the object it takes.
    """

    nothing = 0
    """The state that knows nothing of what came before."""

    def __init__(self, native: _decoding.NGrams) -> None:
        self.native = native

    @classmethod
    def fit(cls, documents: Iterable[ArrayLike], order: int, vocabulary: int) -> NGramModel:
        """Counts documents and smooths the counts.

        Args:
            documents: Each a sequence of tokens, shape (tokens,), integers from 0; no n-gram reaches over their
                boundaries.
            order: The longest n-grams: the token and `order - 1` before it.
            vocabulary: How many tokens there are; all of them have a probability.

        Raises:
            UsageError: The order or the vocabulary is below 1, or a token is not in the vocabulary.
        """
        if order < 1:
            raise UsageError(f"the order of an n-gram model is {order}, expected 1 or more")
        if not 1 <= vocabulary <= _MOST:
            raise UsageError(f"the vocabulary of an n-gram model has {vocabulary} tokens, expected 1 to {_MOST}")
        arrays = [_checked(document, vocabulary, f"document {k}") for k, document in enumerate(documents)]
        starts = np.cumsum([0, *map(len, arrays)], dtype=np.int64)
        if starts[-1] + len(arrays) > _MOST:
            raise UsageError(f"an n-gram model counts at most {_MOST} tokens, here are {starts[-1]}; give it fewer")
        tokens = np.concatenate([np.zeros(0, np.int32), *arrays])
        return cls(_decoding.NGrams.count(tokens, starts, order, vocabulary))

    @property
    def order(self) -> int:
        """The longest n-grams."""
        return self.native.order

    @property
    def vocabulary(self) -> int:
        """How many tokens there are."""
        return self.native.vocabulary

    @property
    def ngrams(self) -> tuple[int, ...]:
        """How many different n-grams it knows of each order, from 1; all tokens of the vocabulary are among them."""
        levels = self.native.arrays()[0]
        return (self.vocabulary, *(int(size) for size in np.diff(levels)[2:]))

    @property
    def discounts(self) -> list[tuple[float, float, float]]:
        """What was taken off the counts 1, 2, and 3 or more of each order, from 1; empty for a model that was read."""
        return self.native.discounts()

    @property
    def begin(self) -> int:
        """The state before the first token of a document."""
        return self.native.begin

    def advance(self, state: int, token: int) -> tuple[float, int]:
        """The natural logarithm of a token's probability in a state, and the state after it.

        Raises:
            UsageError: There is no such state or token.
        """
        self._check_state(state)
        if not 0 <= token < self.vocabulary:
            raise UsageError(f"token {token} is not in the n-gram model's vocabulary of {self.vocabulary}")
        return self.native.advance(state, token)

    def state(self, context: ArrayLike | None = None) -> int:
        """The state after some tokens out of the middle of a text; `begin` without any given.

        Args:
            context: The tokens, shape (tokens,), of which the last `order - 1` count.

        Raises:
            UsageError: A token is not in the vocabulary.
        """
        if context is None:
            return self.begin
        array = _checked(context, self.vocabulary, "the context")
        last = array[max(len(array) - self.order + 1, 0) :]
        return self.native.score(self.nothing, last, np.empty(len(last), np.float32))

    def log_probabilities(self, tokens: ArrayLike, state: int | None = None) -> NDArray[np.float32]:
        """The natural logarithm of each token's probability after the ones before it.

        Args:
            tokens: Tokens in order, shape (tokens,).
            state: The state before the first one; None at the beginning of a document.

        Returns:
            Shape (tokens,).

        Raises:
            UsageError: There is no such state, or a token is not in the vocabulary.
        """
        state = self.begin if state is None else state
        self._check_state(state)
        array = _checked(tokens, self.vocabulary, "the text")
        scores = np.empty(len(array), np.float32)
        self.native.score(state, array, scores)
        return scores

    def next_distribution(self, state: int | None = None) -> NDArray[np.float64]:
        """The probability of each token, shape (vocabulary,), in a state, None at the beginning of a document.

        Raises:
            UsageError: There is no such state.
        """
        state = self.begin if state is None else state
        self._check_state(state)
        probabilities = np.empty(self.vocabulary)
        self.native.distribution(state, probabilities)
        return probabilities

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The model as named arrays, each of shape (count,), in small types; `from_arrays` makes it of them again."""
        levels, tokens, children, log_probability, log_backoff = self.native.arrays()
        sizes = np.diff(children)
        return {
            "levels": levels,
            "tokens": tokens.astype(np.min_scalar_type(int(tokens.max(initial=0)))),
            "children": sizes.astype(np.min_scalar_type(int(sizes.max(initial=0)))),
            "log_probability": log_probability,
            "log_backoff": log_backoff,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> NGramModel:
        """The model of these arrays, named and shaped as `arrays()` gives them.

        Raises:
            DataError: They are no n-gram model.
        """
        try:
            levels, tokens, sizes, log_probability, log_backoff = (np.asarray(arrays[name]) for name in _ARRAYS)
            children = np.concatenate([[1], 1 + np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)
            floats = (np.ascontiguousarray(a, np.float32) for a in (log_probability, log_backoff))
            integers = np.ascontiguousarray(tokens, np.int32), children
            vocabulary = int(levels[2]) - 2
            return cls(_decoding.NGrams.assembled(vocabulary, levels.astype(np.int64), *integers, *floats))
        except KeyError as error:
            raise DataError(f"this is no n-gram model: the array {error} is missing") from None
        except (ValueError, TypeError, IndexError) as error:
            raise DataError(f"this is no n-gram model: {error}") from None

    def save(self, path: Path) -> None:
        """Writes the model as safetensors."""
        from safetensors.numpy import save_file

        with atomic(path) as temporary:
            save_file(self.arrays(), temporary)

    @classmethod
    def load(cls, path: Path) -> NGramModel:
        """Reads what `save` wrote.

        Raises:
            DataError: The file is missing or holds no n-gram model.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            return cls.from_arrays(load_file(path))
        except (OSError, SafetensorError) as error:
            raise DataError(f"{path} could not be read as an n-gram model: {error}") from None

    def _check_state(self, state: int) -> None:
        if isinstance(state, bool) or not isinstance(state, (int, np.integer)):
            raise KindError(
                f"a state of an n-gram model is one whole number, not {type(state).__name__}; "
                "state(tokens) gives that after some tokens"
            )
        if not self.native.is_state(state):
            raise UsageError(
                f"{state} is no state of this n-gram model; begin, nothing, state() and advance() give one"
            )


def _checked(tokens: ArrayLike | Sequence[int], vocabulary: int, what: str) -> NDArray[np.int32]:
    """The tokens as the native side takes them."""
    array = np.asarray(tokens)
    if array.size == 0:
        return np.zeros(0, np.int32)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise KindError(f"{what} is {array.dtype} of {array.ndim} dimensions, expected whole numbers in one dimension")
    if array.min() < 0 or array.max() >= vocabulary:
        wrong = array[(array < 0) | (array >= vocabulary)][0]
        raise UsageError(f"{what} holds the token {wrong}, expected 0 to {vocabulary - 1}")
    return np.ascontiguousarray(array, np.int32)
