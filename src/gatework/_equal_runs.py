"""Neighbours of one size, so that several are computed at once with the bits that each alone has."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np


def equal_runs(sizes: np.ndarray, most: int) -> Iterator[slice]:
    """Where neighbours of one size begin and end, cut where they take more than so much together.

    Args:
        sizes: What each takes, at least 0.
        most: What several take together at most; one that takes more stands alone.
    """
    bounds = np.flatnonzero(np.diff(sizes, prepend=-1, append=-1))
    for first, end in pairwise(bounds.tolist()):
        together = max(most // max(int(sizes[first]), 1), 1)
        for start in range(first, end, together):
            yield slice(start, min(start + together, end))
