"""Pairs of sentences as pieces of words, ready to be batched."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from gatework.data.dataset import Batch, Split
from gatework.data.subwords import BEGIN, END, PADDING, PLACEHOLDERS, Subwords
from gatework.tasks.translate.kept import Keeping
from gatework.tasks.translate.rehearsal import Rehearsal

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
        texts: Both sides with placeholders for what both have.
        lengths: Pieces of each source, its end counted, shape (examples,).
        target_lengths: Pieces of each translation, its end counted, shape (examples,).
    """

    def __init__(self, split: Split, subwords: Subwords, keeping: Keeping) -> None:
        self.split, self._subwords = split, subwords
        self.texts = (split.table()["text"].to_list(), split.targets.tolist())
        if subwords.placeholders:
            pairs = [keeping.masked_pair(source, target) for source, target in zip(*self.texts, strict=True)]
            self.texts = ([source.text for source, _ in pairs], [target for _, target in pairs])
        self._take([_numbers(subwords, side) for side in self.texts])

    def __len__(self) -> int:
        return len(self._rows[0])

    def rehearsed(self, copying: float, dropout: float, random: np.random.Generator) -> PairExamples:
        """The same pairs, in some of which words are hidden behind placeholders; which placeholders is drawn for each.

        Args:
            copying: The share of pairs with hidden words.
            dropout: The share of merges of pieces that are undone; see `Subwords.recut()`.
            random: What draws.
        """
        hidden = self._rehearsal.hidden(copying, random) if copying else {}
        rows = [list(side) for side in self._rows]
        for at, side in enumerate(rows):
            encoded = _numbers(self._subwords, [pair[at] for pair in hidden.values()])
            for k, numbers in zip(hidden, encoded, strict=True):
                side[k] = numbers
        places = self._subwords.placeholders
        for k in sorted({*hidden, *self._masked}):
            draw = np.arange(len(self._subwords))
            draw[places.start : places.stop] = random.permutation(places)
            for side in rows:
                side[k] = draw[side[k]]
        if dropout:
            rows = [self._subwords.recut(side, dropout, random) for side in rows]
        other = copy.copy(self)
        other._take(rows)
        return other

    @cached_property
    def _rehearsal(self) -> Rehearsal:
        return Rehearsal(*self.texts)

    @cached_property
    def _masked(self) -> list[int]:
        """The pairs that have placeholders already."""
        return [k for k, text in enumerate(self.texts[0]) if not set(PLACEHOLDERS).isdisjoint(text)]

    def _take(self, rows: Sequence[list[np.ndarray]]) -> None:
        self._rows = rows
        self.lengths, self.target_lengths = (np.array([len(row) for row in side], dtype=np.int64) for side in rows)

    def batch(self, index: np.ndarray) -> PairBatch:
        """The pairs at these positions."""
        import torch

        sources, targets = (padded([side[k] for k in index]) for side in self._rows)
        previous = np.concatenate([np.full((len(index), 1), BEGIN), targets[:, :-1]], axis=1)
        previous[previous == END] = PADDING  # what follows an end is never answered
        arrays = (sources, self.lengths[index], targets, previous, self.target_lengths[index])
        return PairBatch(*(torch.from_numpy(array) for array in arrays))


def _numbers(subwords: Subwords, texts: Sequence[str]) -> list[np.ndarray]:
    return [np.array([*row, END]) for row in subwords.encode(texts)]


def padded(rows: list[np.ndarray]) -> np.ndarray:
    """Rows of numbers as one array, padded behind, shape (rows, longest), int64."""
    values = np.full((len(rows), max(map(len, rows))), PADDING, dtype=np.int64)
    for at, row in enumerate(rows):
        values[at, : len(row)] = row
    return values
