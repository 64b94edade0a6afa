"""Whether anybody speaks: within a word the sound swells and sinks, while a hiss or a hum stays as loud as it is.

A network is sure of its blanks where nobody speaks, but not always. A word is kept only where the loudness, the mean of
the log energies, moves by more than `LEAST` between 0.3 s before the word and its end: by 2.7 at least in each of 584
words of clean speech, by 0.7 at most in a steady noise.
"""

from __future__ import annotations

from collections import deque

import numpy as np

LEAST = 1.0
"""In logarithms of energy; 4.3 dB."""
_BEFORE = 10
_KEPT = 4096


def loudness_of(frames: np.ndarray, stack: int) -> np.ndarray:
    """The loudness of each step, shape (steps,).

    Args:
        frames: Features, shape (frames, bands).
        stack: Frames of a step; the last one may have fewer.
    """
    each = frames.mean(1)
    return np.array([each[start : start + stack].mean() for start in range(0, len(each), stack)])


class Voice:
    """The loudness of what was heard; memory that does not grow, as a word is judged soon after it was said."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=_KEPT)
        self._count = 0

    def hear(self, loudness: np.ndarray) -> None:
        """Takes note of further steps."""
        self._recent.extend(loudness.tolist())
        self._count += len(loudness)

    def is_heard(self, first: int, last: int) -> bool:
        """Whether somebody speaks between two steps; so it is said where they are long past.

        Args:
            first: The first step of a word, counted from the start.
            last: The last one.
        """
        gone = self._count - len(self._recent)
        if first < gone:
            return True
        within = [self._recent[k - gone] for k in range(max(first - _BEFORE, gone), min(last + 1, self._count))]
        return not within or max(within) - min(within) > LEAST
