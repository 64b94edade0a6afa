"""Examples that are fetched from a store batch by batch, encoded as those in memory are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

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


class PackedExamples(ABC):
    """The examples of a training part on disk.

    Args:
        split: The examples before encoding.
        targets: Turns targets into those of the loss.
    """

    def __init__(self, split: PackedSplit, targets: Callable[[np.ndarray], np.ndarray]) -> None:
        self.split: Split = split
        self._packed, self._encoded = split, targets

    def __len__(self) -> int:
        return len(self.split)

    @abstractmethod
    def lengths_at(self, index: np.ndarray) -> np.ndarray:
        """The steps of the examples at these positions, int64."""

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
        return ShuffledOrder(len(self), config.batch_size, config.seed, epoch, lengths)

    @abstractmethod
    def arrays(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The inputs and the lengths of a batch, as arrays."""

    def batch(self, index: np.ndarray) -> Batch:
        """The examples at these positions as one batch."""
        import torch

        targets = self._encoded(self._packed.targets_at(index))
        return Batch(*(torch.from_numpy(array) for array in (*self.arrays(index), targets)))


class PackedTextExamples(PackedExamples):
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

    def lengths_at(self, index: np.ndarray) -> np.ndarray:
        """The steps of the texts at these positions, int64."""
        if self._pads_in_front:
            return np.full(len(index), self._steps, dtype=np.int64)
        starts, ends = self._bounds(index)
        return np.maximum(self._kept(ends - starts), 1)

    def _kept(self, lengths: np.ndarray) -> np.ndarray:
        return np.minimum(lengths, self._most) if self._most else lengths

    def arrays(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The inputs and the lengths of a batch, as arrays."""
        starts, ends = self._bounds(index)
        kept = self._kept(ends - starts)
        count = np.maximum(kept, 1)
        indices = np.full(int(count.sum()), UNKNOWN, dtype=np.int32)
        indices[spans(np.cumsum(count) - count, kept)] = self._lookup[self._tokens.spans(ends - kept, kept)]
        lengths = np.full(len(index), self._steps, dtype=np.int64) if self._pads_in_front else count
        return padded(indices, count, int(lengths.max()), pads_in_front=self._pads_in_front), lengths


class PackedSeriesExamples(PackedExamples):
    """Series of one length on disk, scaled as they are fetched.

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

    def lengths_at(self, index: np.ndarray) -> np.ndarray:
        """The steps of the series at these positions, int64."""
        return np.full(len(index), self._values.width, dtype=np.int64)

    def arrays(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The inputs and the lengths of a batch, as arrays."""
        values = self._values[index][..., np.newaxis]
        return self._scale.apply(self._scale.single(values)), self.lengths_at(index)
