"""Sequences of several lengths as the rows that a kernel reads: by step, the longest sequence first."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gatework.scan.records import RowRecord


class ScanRows(NamedTuple):
    """Where the steps of a padded batch stand among the rows of a scan.

    Attributes:
        order: The sequences by decreasing length, shape (batch,).
        sizes: How many sequences run at each step, shape (steps,), int64.
        offsets: The first row of each step, shape (steps,), int64.
        steps: The step of each row, shape (rows,).
        sequences: The sequence of each row, shape (rows,).
    """

    order: NDArray[np.int64]
    sizes: NDArray[np.int64]
    offsets: NDArray[np.int64]
    steps: NDArray[np.int64]
    sequences: NDArray[np.int64]

    @classmethod
    def of(cls, lengths: NDArray[np.int64]) -> ScanRows:
        """The rows of sequences of these lengths, shape (batch,), at least 1 each."""
        order = np.argsort(-lengths, kind="stable")
        is_running = lengths[order] > np.arange(lengths.max())[:, None]
        steps, ranks = np.nonzero(is_running)
        sizes = is_running.sum(1)
        return cls(order, sizes, np.cumsum(sizes) - sizes, steps, order[ranks])

    def packed(self, padded: np.ndarray) -> np.ndarray:
        """The rows, shape (rows, ...), of a padded batch of shape (batch, time, ...)."""
        return padded[self.sequences, self.steps]

    def record(self) -> RowRecord:
        """What the native side takes; it holds as long as the rows do."""
        return RowRecord(len(self.sizes), len(self.order), self.sizes.ctypes.data, self.offsets.ctypes.data)
