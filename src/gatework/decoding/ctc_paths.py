r"""The ways to write a text that is known already, in the output of a network trained by CTC.

The probability of a text $y$ is the sum over all ways to write it with blanks between and letters held, one letter or
blank a step; the likeliest of them says when each letter was heard.

Source: A. Graves et al., "Connectionist temporal classification", 2006.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gatework import _decoding
from gatework.errors import UsageError


class HeardLetter(NamedTuple):
    """A letter of a known text, with where it was heard.

    Attributes:
        letter: Its index, from 1.
        first: The first step that writes it.
        last: The last one.
        log_probability: Its highest log-probability between these.
    """

    letter: int
    first: int
    last: int
    log_probability: float


def text_log_probabilities(log_probs: NDArray[np.float32], texts: Sequence[ArrayLike]) -> NDArray[np.float64]:
    r"""The log-probability of each text over all ways to write it.

    Args:
        log_probs: Shape (steps, letters + 1).
        texts: The letters of each, from 1.

    Returns:
        Shape (texts,); minus infinity where there are fewer steps than the text needs, and where it is hopeless beside
        the best one: below $e^{-400}$.

    Raises:
        UsageError: A letter is not among them.
    """
    array, each = _checked(log_probs), [np.asarray(text, dtype=np.int32) for text in texts]
    for text in each:
        _refuse_strange(text, array)
    starts = np.cumsum([0, *map(len, each)], dtype=np.int64)
    letters = np.concatenate([np.zeros(0, np.int32), *each])
    results = np.empty(len(each))
    _decoding.text_log_probabilities(array, letters, starts, results)
    return results


def text_log_probability(log_probs: NDArray[np.float32], letters: ArrayLike) -> float:
    """The log-probability of one text.

    Args:
        log_probs: Shape (steps, letters + 1).
        letters: The text's letters, from 1, shape (count,).

    Raises:
        UsageError: A letter is not among them.
    """
    return float(text_log_probabilities(log_probs, [letters])[0])


def heard_letters(log_probs: NDArray[np.float32], letters: ArrayLike) -> list[HeardLetter]:
    """Where each letter of a text is heard: the likeliest of all ways to write it (Viterbi).

    Args:
        log_probs: Shape (steps, letters + 1).
        letters: The text's letters, from 1.

    Raises:
        UsageError: A letter is not among them, or there are fewer steps than the text needs.
    """
    array, text = _checked(log_probs), np.asarray(letters, dtype=np.int32)
    _refuse_strange(text, array)
    path = np.array(_decoding.likeliest_path(array, text), dtype=np.int64)
    if len(text) and not len(path):
        raise UsageError(f"a text of {len(text)} letters needs more than {len(array)} steps")
    steps = [np.flatnonzero(path == place) for place in range(len(text))]
    peaks = [float(array[at, letter].max()) for at, letter in zip(steps, text, strict=True)]
    return [
        HeardLetter(int(letter), int(at[0]), int(at[-1]), peak)
        for letter, at, peak in zip(text, steps, peaks, strict=True)
    ]


def _checked(log_probs: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.ascontiguousarray(log_probs, dtype=np.float32)


def _refuse_strange(text: NDArray[np.int32], log_probs: NDArray[np.float32]) -> None:
    if text.ndim != 1 or (len(text) and not 1 <= text.min() <= text.max() < log_probs.shape[1]):
        raise UsageError(f"a text has letters outside of 1 to {log_probs.shape[1] - 1}")
