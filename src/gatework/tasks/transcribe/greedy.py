"""The likeliest letter at each step, held letters written once and blanks left out: the plainest way to decode."""

from __future__ import annotations

import numpy as np

from gatework.tasks.transcribe.letters import BLANK


def collapsed(path: np.ndarray) -> np.ndarray:
    """The letters that a path of one index a step writes, int64."""
    is_new = np.concatenate([[True], path[1:] != path[:-1]]) if len(path) else np.zeros(0, bool)
    return path[is_new & (path != BLANK)]


def greedy_letters(log_probs: np.ndarray) -> np.ndarray:
    """The letters of the likeliest path.

    Args:
        log_probs: Shape (steps, letters + 1).
    """
    return collapsed(log_probs.argmax(axis=1).astype(np.int64))
