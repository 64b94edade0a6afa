"""Examples that are read from a store, encoded as those in memory are.

A batch's examples lie anywhere on the disk. They are read with those of the batches after it: a call that follows
another one at once takes a third of the time of one between two training steps. A thread reads them, while the training
steps of the batches before are computed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gatework.data.dataset import Batch, Split
from gatework.data.store.ahead import ReadAhead
from gatework.data.store.files import StoredArray
from gatework.data.store.shuffle import ShuffledOrder
from gatework.data.text import UNKNOWN, TextEncoder, padded
from gatework.data.tokens import spans

if TYPE_CHECKING:
    from gatework.data.series import SeriesEncoder
    from gatework.data.store.inputs import PackedSplit
    from gatework.options import TrainingOptions

_BATCHES = 50
"""So many batches at most are read and encoded together, as a step leaves little of these calls in the caches ..."""
_MOST_AHEAD = 1 << 24
"""... and as many bytes."""


class PackedExamples(ABC):
    """The examples of a training part on disk.

    Args:
        split: The examples before encoding.
    """

    def __init__(self, split: Split) -> None:
        self.split = split
        self._held = np.zeros(0, dtype=np.int64)
        self._ahead: dict[bytes, Batch] = {}
        self._read_ahead = ReadAhead(self.batch_at)

    def __len__(self) -> int:
        return len(self.split)

    @abstractmethod
    def lengths_at(self, index: np.ndarray) -> np.ndarray:
        """The steps of the examples at these positions, int64, both of shape (count,)."""

    @abstractmethod
    def batch_at(self, index: np.ndarray) -> Batch:
        """The examples at these positions, shape (batch,), as one batch, read now."""

    @property
    def lengths(self) -> np.ndarray:
        """The steps of all examples, shape (examples,), in memory."""
        return self.lengths_at(np.arange(len(self)))

    @property
    def is_even(self) -> bool:
        """Whether all examples have as many steps."""
        return True

    @property
    def bytes_of_one(self) -> int:
        """About how many bytes an example takes in memory."""
        return 0

    def order(self, config: TrainingOptions, epoch: int) -> Sequence[np.ndarray]:
        """The batches of an epoch, each of shape (examples,), computed when they are asked for."""
        lengths = self.lengths_at if config.bucket and not self.is_even else None
        return ShuffledOrder(len(self), config.batch_size, config.seed, epoch, lengths, self.read_ahead)

    def read_ahead(self, index: np.ndarray, following: np.ndarray) -> None:
        """Takes note of the examples of the next batches, and of those after them, each of shape (examples,)."""
        self._held = np.concatenate([index, following])

    def batch(self, index: np.ndarray) -> Batch:
        """The examples at positions of shape (examples,) as a batch: a part of what was read ahead, if it is there."""
        if (batch := self._ahead.get(index.tobytes())) is not None:
            return batch
        count = len(index)
        place = int(np.argmax(self._held == index[0])) if len(self._held) else 0
        if not np.array_equal(self._held[place : place + count], index):
            return self.batch_at(index)
        together = count * max(min(_BATCHES, _MOST_AHEAD // max(count * self.bytes_of_one, 1)), 1)
        now, then = self._held[place : place + together], self._held[place + together : place + 2 * together]
        names = (now[first : first + count].tobytes() for first in range(0, len(now), count))
        self._ahead = dict(zip(names, self._read_ahead(now, then).parts(count), strict=True))
        return self._ahead[now[:count].tobytes()]


class PackedSequences(PackedExamples):
    """Single sequences on disk, which can be batched without torch."""

    @abstractmethod
    def arrays(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The inputs and the lengths of the examples at these positions, shape (batch,), as `Batch` has them."""


class TokensRead(NamedTuple):
    """Texts that were read.

    Attributes:
        tokens: The vocabulary's indices of their tokens, one text after the other; of each the last that may be read.
        lengths: How many tokens each has, shape (texts,).
    """

    tokens: np.ndarray
    lengths: np.ndarray


class PackedTextExamples(PackedSequences):
    """Texts on disk as vocabulary indices, batched as `gatework.data.text.TextExamples` does.

    Args:
        split: The texts.
        targets: Turns targets into those of the loss.
        bounds: Where the tokens of some texts begin and end, each of shape (texts,).
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
        super().__init__(split)
        self._targets_at, self._encoded = split.targets_at, targets
        self._bounds, self._tokens, self._lookup, self._most = bounds, tokens, lookup, encoder.max_tokens
        self._pads_in_front = encoder.padding == "pre"
        self._steps = self._most or (int(split.store.about["longest"]) or 1)
        self._read_before: tuple[TokensRead, np.ndarray] | None = None
        self._read_pool = ReadAhead(self._read_now)

    @property
    def is_even(self) -> bool:
        """Whether all have as many steps, as padding in front makes them."""
        return self._pads_in_front

    def read_ahead(self, index: np.ndarray, following: np.ndarray) -> None:
        """Reads the texts at positions of shape (texts,); each batch is padded to its own longest one."""
        self._held = np.sort(index)
        self._read_before = self._read_pool(self._held, np.sort(following))

    def _read_now(self, index: np.ndarray) -> tuple[TokensRead, np.ndarray]:
        """The tokens of the texts at these positions, and their targets."""
        starts, ends = self._bounds(index)
        lengths = np.minimum(ends - starts, self._most) if self._most else ends - starts
        tokens = self._lookup[self._tokens.spans(ends - lengths, lengths)]
        return TokensRead(tokens, lengths), self._encoded(self._targets_at(index))

    def _read(self, index: np.ndarray) -> tuple[TokensRead, np.ndarray]:
        """The same, from what was read ahead where they are there."""
        if self._read_before is None:
            return self._read_now(index)
        places = np.searchsorted(self._held, index)
        if not np.array_equal(self._held[np.minimum(places, len(self._held) - 1)], index):
            return self._read_now(index)
        rows, targets = self._read_before
        starts, lengths = np.cumsum(rows.lengths) - rows.lengths, rows.lengths[places]
        return TokensRead(rows.tokens[spans(starts[places], lengths)], lengths), targets[places]

    def lengths_at(self, index: np.ndarray) -> np.ndarray:
        """The steps of the texts at these positions, int64, both of shape (count,)."""
        return self._lengths_of(self._read(index)[0])

    def batch(self, index: np.ndarray) -> Batch:
        """The texts at these positions, shape (batch,), as one batch."""
        return self._batch(*self._read(index))

    def batch_at(self, index: np.ndarray) -> Batch:
        """The same, of positions of shape (texts,), read now."""
        return self._batch(*self._read_now(index))

    def _batch(self, rows: TokensRead, targets: np.ndarray) -> Batch:
        import torch

        return Batch(*map(torch.from_numpy, (self._inputs_of(rows), self._lengths_of(rows), targets)))

    def arrays(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The inputs and the lengths of the examples at these positions, shape (batch,), as `Batch` has them."""
        rows, _ = self._read(index)
        return self._inputs_of(rows), self._lengths_of(rows)

    def _lengths_of(self, rows: TokensRead) -> np.ndarray:
        """The steps of texts, int64: an empty one is read as one unknown word."""
        if self._pads_in_front:
            return np.full(len(rows.lengths), self._steps, dtype=np.int64)
        return np.maximum(rows.lengths, 1)

    def _inputs_of(self, rows: TokensRead) -> np.ndarray:
        """The inputs of a batch, shape (batch, time), int64."""
        count = np.maximum(rows.lengths, 1)
        indices = np.full(int(count.sum()), UNKNOWN, dtype=np.int32)
        indices[spans(np.cumsum(count) - count, rows.lengths)] = rows.tokens
        return padded(indices, count, int(self._lengths_of(rows).max()), pads_in_front=self._pads_in_front)


class PackedSeriesExamples(PackedSequences):
    """Series of one length on disk, scaled as they are read.

    Args:
        split: The series.
        targets: Turns targets into those of the loss.
        read: Reads the series at some positions, shape (examples, time), and what is known of each.
        steps: The steps of each.
        encoder: The scale.
    """

    def __init__(
        self,
        split: PackedSplit,
        targets: Callable[[np.ndarray], np.ndarray],
        read: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
        steps: int,
        encoder: SeriesEncoder,
    ) -> None:
        super().__init__(split)
        self._targets_of, self._encoded = split.targets_of, targets
        self._read, self._steps, self._scale = read, steps, encoder.scale

    @property
    def bytes_of_one(self) -> int:
        """About how many bytes a series takes in memory."""
        return 8 * self._steps

    def lengths_at(self, index: np.ndarray) -> np.ndarray:
        """The steps of the series at these positions, int64, both of shape (count,)."""
        return np.full(len(index), self._steps, dtype=np.int64)

    def batch_at(self, index: np.ndarray) -> Batch:
        """The series at these positions as one batch: inputs of shape (batch, time, 1), float32."""
        import torch

        values, answers = self._read(index)
        arrays = (self._scaled(values), self.lengths_at(index), self._encoded(self._targets_of(answers)))
        return Batch(*map(torch.from_numpy, arrays))

    def arrays(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The inputs and the lengths of the examples at these positions, shape (batch,), as `Batch` has them."""
        return self._scaled(self._read(index)[0]), self.lengths_at(index)

    def _scaled(self, values: np.ndarray) -> np.ndarray:
        return self._scale.apply(self._scale.single(values[..., np.newaxis]))
