"""Pairs of sentences as pieces of words, ready to be batched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gatework.data.dataset import Batch, Split
from gatework.data.subwords import BEGIN, END, PADDING, Subwords

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class PairBatch(Batch):
    """Sentences beside their translations.

    Attributes:
        inputs: The source's pieces with the end, shape (batch, source), int64.
        lengths: Pieces of each source, its end counted, shape (batch,).
        targets: The translation's pieces with the end, padded, shape (batch, target).
        previous: What the decoder reads: the begin, then the translation without its end, shape (batch, target).
        target_lengths: Pieces of each translation, its end counted, shape (batch,).
    """

    counts = ("lengths", "target_lengths")

    previous: Tensor
    target_lengths: Tensor

    def tensors(self) -> dict[str, Tensor | None]:
        """What a network's `forward()` takes, by name."""
        return {
            "inputs": self.inputs,
            "lengths": self.lengths,
            "previous": self.previous,
            "target_lengths": self.target_lengths,
        }


class PairExamples:
    """Encoded pairs.

    Attributes:
        split: The pairs before encoding.
        lengths: Pieces of each source, its end counted, shape (examples,).
    """

    def __init__(self, split: Split, subwords: Subwords) -> None:
        self.split = split
        self._sources = [np.array([*row, END]) for row in subwords.encode(split.table()["text"].to_list())]
        self._targets = [np.array([*row, END]) for row in subwords.encode(split.targets.tolist())]
        self.lengths = np.array([len(row) for row in self._sources], dtype=np.int64)
        self.target_lengths = np.array([len(row) for row in self._targets], dtype=np.int64)

    def __len__(self) -> int:
        return len(self._sources)

    def batch(self, index: np.ndarray) -> PairBatch:
        """The pairs at these positions."""
        import torch

        sources, targets = padded([self._sources[k] for k in index]), padded([self._targets[k] for k in index])
        previous = np.concatenate([np.full((len(index), 1), BEGIN), targets[:, :-1]], axis=1)
        previous[previous == END] = PADDING  # what follows an end is never answered
        arrays = (sources, self.lengths[index], targets, previous, self.target_lengths[index])
        return PairBatch(*(torch.from_numpy(array) for array in arrays))


def padded(rows: list[np.ndarray]) -> np.ndarray:
    """Rows of numbers as one array, padded behind, shape (rows, longest), int64."""
    values = np.full((len(rows), max(map(len, rows))), PADDING, dtype=np.int64)
    for at, row in enumerate(rows):
        values[at, : len(row)] = row
    return values
