"""Whether anybody speaks: within a word the sound swells and sinks, while a hiss or a hum stays as loud as it is.

A network is sure of its blanks where nobody speaks, but not always. A word is kept only where the loudness, the mean of
the log energies, moves by more than `LEAST` between 0.3 s before the word and its end: by 2.7 at least in each of 584
words of clean speech, by 0.7 at most in a steady noise. Words in a loud noise and pure tones move it less; where those
of held-back recordings do, `least_of()` says by how much a word has to.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

LEAST = 1.5
"""In logarithms of energy; 6.5 dB."""
KEPT = 4096
"""Steps of a stream that are remembered."""
_BEFORE = 10
_MOST = KEPT // 2
_RARE = 0.01
_STEADY = 0.7


def loudness_of_step(frames: np.ndarray) -> float:
    """The loudness of a step.

    Args:
        frames: Its features, shape (frames, bands).
    """
    return float(np.add.reduce(frames, None)) / frames.size


def loudness_of(frames: np.ndarray, stack: int) -> list[float]:
    """The loudness of each step.

    Args:
        frames: Features, shape (frames, bands).
        stack: Frames of a step; the last one may have fewer.
    """
    return [loudness_of_step(frames[start : start + stack]) for start in range(0, len(frames), stack)]


def least_of(movements: Sequence[float]) -> float:
    """By how much the loudness has to move within a word: `LEAST`, or half of what it does in words that move it less.

    Words that move it no more than a steady noise does cannot be told from one by it: then any movement is enough.

    Args:
        movements: By how much it moved within each word that was rightly read, of recordings that were held back.
    """
    if not movements:
        return LEAST
    smallest = float(np.quantile(movements, _RARE, method="lower"))
    if smallest > LEAST:
        return LEAST
    return smallest / 2 if smallest > _STEADY else 0.0


class Loudness:
    """The loudness of what was heard, and whether words were spoken.

    Args:
        least: By how much it moves within a word.
        kept: How many of the last steps are remembered, and how many of the last judgements; all if None. A word of a
            stream is judged soon after it was said, and again until it is settled.
    """

    def __init__(self, least: float = LEAST, kept: int | None = None) -> None:
        self._least = least
        self._recent: list[float] = []
        self._count, self._kept = 0, kept
        self._judged: dict[tuple[int, int], bool] = {}

    def hear(self, loudness: Sequence[float]) -> None:
        """Takes note of further steps."""
        self._recent += loudness
        self._count += len(loudness)
        if self._kept is not None and len(self._recent) > 2 * self._kept:
            del self._recent[: -self._kept]

    def is_heard(self, first: int, last: int) -> bool:
        """Whether somebody speaks between two steps; so it is said where they are long past and were never judged.

        Args:
            first: The first step of a word, counted from the start.
            last: The last one.
        """
        # What was asked for last stands last, so that what is dropped is what nobody asks for any more.
        verdict = self._judged.pop((first, last), None)
        verdict = self.movement(first, last) > self._least if verdict is None else verdict
        self._judged[first, last] = verdict
        if self._kept is not None and len(self._judged) > self._kept:
            del self._judged[next(iter(self._judged))]
        return verdict

    def movement(self, first: int, last: int) -> float:
        """By how much the loudness moves within a word and 0.3 s before it; infinite where that is long past.

        Args:
            first: The first step of a word, counted from the start.
            last: The last one.
        """
        gone = 0 if self._kept is None else max(self._count - self._kept, 0)
        if last < gone:
            return math.inf
        # Of what a network takes for a word of minutes, only the end counts, as a stream remembers no more.
        start, begin = self._count - len(self._recent), max(first - _BEFORE, last - _MOST, gone)
        within = self._recent[begin - start : min(last + 1, self._count) - start]
        return max(within) - min(within) if within else math.inf
