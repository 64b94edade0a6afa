"""Examples that are read from a store, encoded as those in memory are.

A batch's examples lie anywhere on the disk. They are read with those of the batches around it, in the order in which
they lie: a call that follows another one at once takes a third of the time of one between two training steps.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import numpy as np

from gatework.data.dataset import Batch, Split
from gatework.data.store.files import StoredArray
from gatework.data.store.shuffle import ShuffledOrder
from gatework.data.text import UNKNOWN, TextEncoder, padded
from gatework.data.tokens import spans

if TYPE_CHECKING:
    from gatework.data.series import SeriesEncoder
    from gatework.data.store.inputs import PackedSplit
    from gatework.options import TrainingOptions

Rows = TypeVar("Rows")


class PackedExamples(ABC, Generic[Rows]):
    """The examples of a training part on disk.

    Args:
        split: The examples before encoding.
        targets: Turns targets into those of the loss.
    """

    def __init__(self, split: PackedSplit, targets: Callable[[np.ndarray], np.ndarray]) -> None:
        self.split: Split = split
        self._packed, self._encoded = split, targets
        self._held = np.zeros(0, dtype=np.int64)
        self._ahead: tuple[Rows, np.ndarray] | None = None

    def __len__(self) -> int:
        return len(self.split)

    @abstractmethod
    def rows_at(self, index: np.ndarray) -> Rows:
        """What the store has of the examples at these positions."""

    @abstractmethod
    def rows_among(self, rows: Rows, places: np.ndarray) -> Rows:
        """Those at these places of what was read."""

    @abstractmethod
    def lengths_of(self, rows: Rows) -> np.ndarray:
        """The steps of examples, int64."""

    @abstractmethod
    def inputs_of(self, rows: Rows) -> np.ndarray:
        """The inputs of a batch."""

    def read_ahead(self, index: np.ndarray) -> None:
        """Reads the examples at these positions, which batches are asked of next."""
        self._held = np.sort(index)
        self._ahead = self._read_now(self._held)

    def _read_now(self, index: np.ndarray) -> tuple[Rows, np.ndarray]:
        return self.rows_at(index), self._encoded(self._packed.targets_at(index))

    def _read(self, index: np.ndarray) -> tuple[Rows, np.ndarray]:
        """The examples at these positions and their targets, from what was read ahead where they are there."""
        if self._ahead is None:
            return self._read_now(index)
        places = np.searchsorted(self._held, index)
        if not np.array_equal(self._held[np.minimum(places, len(self._held) - 1)], index):
            return self._read_now(index)
        rows, targets = self._ahead
        return self.rows_among(rows, places), targets[places]

    def lengths_at(self, index: np.ndarray) -> np.ndarray:
        """The steps of the examples at these positions, int64."""
        return self.lengths_of(self._read(index)[0])

    @property
    def lengths(self) -> np.ndarray:
        """The steps of all examples, in memory."""
        return self.lengths_at(np.arange(len(self)))

    @property
    def is_even(self) -> bool:
        """Whether all examples have as many steps."""
        return True

    def order(self, config: TrainingOptions, epoch: int) -> Sequence[np.ndarray]:
        """The batches of an epoch, computed when they are asked for."""
        lengths = self.lengths_at if config.bucket and not self.is_even else None
        return ShuffledOrder(len(self), config.batch_size, config.seed, epoch, lengths, self.read_ahead)

    def arrays(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The inputs and the lengths of a batch, as arrays."""
        rows, _ = self._read(index)
        return self.inputs_of(rows), self.lengths_of(rows)

    def batch(self, index: np.ndarray) -> Batch:
        """The examples at these positions as one batch."""
        import torch

        rows, targets = self._read(index)
        return Batch(*map(torch.from_numpy, (self.inputs_of(rows), self.lengths_of(rows), targets)))


class TokensRead(NamedTuple):
    """Texts that were read.

    Attributes:
        tokens: The vocabulary's indices of their tokens, one text after the other; of each the last that may be read.
        lengths: How many tokens each has, shape (texts,).
    """

    tokens: np.ndarray
    lengths: np.ndarray


class PackedTextExamples(PackedExamples[TokensRead]):
    """Texts on disk as vocabulary indices, batched as `gatework.data.text.TextExamples` does.

    Args:
        split: The texts.
        targets: Turns targets into those of the loss.
        bounds: Where the tokens of some texts begin and end.
        tokens: The tokens of all texts.
        lookup: The vocabulary's index of each token.
        encoder: The reading limits.
    """

    def __init__(
        self,
        split: PackedSplit,
        targets: Callable[[np.ndarray], np.ndarray],
        bounds: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
        tokens: StoredArray,
        lookup: np.ndarray,
        encoder: TextEncoder,
    ) -> None:
        super().__init__(split, targets)
        self._bounds, self._tokens, self._lookup, self._most = bounds, tokens, lookup, encoder.max_tokens
        self._pads_in_front = encoder.padding == "pre"
        self._steps = self._most or (int(self._packed.store.about["longest"]) or 1)

    @property
    def is_even(self) -> bool:
        """Whether all have as many steps, as padding in front makes them."""
        return self._pads_in_front

    def rows_at(self, index: np.ndarray) -> TokensRead:
        """The tokens of the texts at these positions."""
        starts, ends = self._bounds(index)
        lengths = np.minimum(ends - starts, self._most) if self._most else ends - starts
        return TokensRead(self._lookup[self._tokens.spans(ends - lengths, lengths)], lengths)

    def rows_among(self, rows: TokensRead, places: np.ndarray) -> TokensRead:
        """Those at these places."""
        starts, lengths = np.cumsum(rows.lengths) - rows.lengths, rows.lengths[places]
        return TokensRead(rows.tokens[spans(starts[places], lengths)], lengths)

    def lengths_of(self, rows: TokensRead) -> np.ndarray:
        """The steps of texts, int64: an empty one is read as one unknown word."""
        if self._pads_in_front:
            return np.full(len(rows.lengths), self._steps, dtype=np.int64)
        return np.maximum(rows.lengths, 1)

    def inputs_of(self, rows: TokensRead) -> np.ndarray:
        """The inputs of a batch, shape (batch, time), int64."""
        count = np.maximum(rows.lengths, 1)
        indices = np.full(int(count.sum()), UNKNOWN, dtype=np.int32)
        indices[spans(np.cumsum(count) - count, rows.lengths)] = rows.tokens
        return padded(indices, count, int(self.lengths_of(rows).max()), pads_in_front=self._pads_in_front)


class PackedSeriesExamples(PackedExamples[np.ndarray]):
    """Series of one length on disk, scaled as they are read.

    Args:
        split: The series.
        targets: Turns targets into those of the loss.
        values: The steps of all series.
        encoder: The scale.
    """

    def __init__(
        self,
        split: PackedSplit,
        targets: Callable[[np.ndarray], np.ndarray],
        values: StoredArray,
        encoder: SeriesEncoder,
    ) -> None:
        super().__init__(split, targets)
        self._values, self._scale = values, encoder.scale

    def rows_at(self, index: np.ndarray) -> np.ndarray:
        """The series at these positions, shape (examples, time, 1), float32."""
        return self._scale.apply(self._scale.single(self._values[index][..., np.newaxis]))

    def rows_among(self, rows: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Those at these places."""
        return rows[places]

    def lengths_of(self, rows: np.ndarray) -> np.ndarray:
        """The steps of series, int64."""
        return np.full(len(rows), self._values.width, dtype=np.int64)

    def inputs_of(self, rows: np.ndarray) -> np.ndarray:
        """The inputs of a batch, shape (batch, time, 1), float32."""
        return rows
