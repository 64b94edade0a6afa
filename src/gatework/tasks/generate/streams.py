"""Encoded text as streams: windows that go on where the ones before them ended, each epoch from another place.

All documents of a part stand one after the other, a boundary before each, as one ring of tokens. An epoch cuts the ring
at evenly spaced places into streams, and the streams at uneven ones into windows; every token is predicted once a pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from gatework.data.dataset import Batch, Split
from gatework.data.pieces import BOUNDARY, Tokens
from gatework.tasks.generate.passages import Passages

if TYPE_CHECKING:
    from torch import Tensor

    from gatework.options import TrainingOptions
    from gatework.tasks.generate.stored import StoredText

IGNORED = -100
"""The target where nothing is to be predicted, as torch's loss has it."""
# An epoch is a look at the validation part: neither after a few steps nor after many minutes.
_FEWEST_STEPS, _MOST_TOKENS = 20, 250_000
_SHORTEST = 16
# Tokens that are counted at once.
_COUNTED = 1 << 20


@dataclass(frozen=True)
class Plan:
    """How a ring of tokens is cut.

    Attributes:
        streams: Streams side by side.
        steps: Windows of each stream in a pass.
        passes: Passes of an epoch, where they are short.
        parts: Epochs of a pass, where it is long.
    """

    streams: int
    steps: int
    passes: int
    parts: int

    @classmethod
    def of(cls, cycle: int, batch_size: int, window: int) -> Plan:
        """The plan of so many tokens."""
        streams = max(min(batch_size, cycle // min(window, _SHORTEST)), 1)
        parts = max(round(cycle / _MOST_TOKENS), 1)
        steps = parts * max(round(cycle // streams / window / parts), 1)
        return cls(streams, steps, 1 if parts > 1 else -(-_FEWEST_STEPS // steps), parts)

    @property
    def passes_of_epoch(self) -> float:
        """How often an epoch reads the text."""
        return self.passes / self.parts


@dataclass(frozen=True)
class StreamBatch(Batch):
    """Windows of tokens, or passages that each stand alone.

    Attributes:
        reset: Where the state is zero before a step, shape (batch, time); None where it nowhere is.
        carried: The states to go on from; nothing where all are zero.
    """

    counts = ("lengths", "reset")

    reset: Tensor | None = None
    carried: tuple[Tensor, ...] = ()

    def tensors(self) -> dict[str, Tensor | None]:
        """What the network's `forward()` takes, by name."""
        return {"inputs": self.inputs, "reset": self.reset}

    def following(self, carried: tuple[Tensor, ...]) -> StreamBatch:
        """The windows as they go on from the states that the ones before have left."""
        return StreamBatch(self.inputs, self.lengths, self.targets, self.reset, carried)


class TokenExamples:
    """Passages as one ring of tokens.

    Attributes:
        split: The passages before encoding.
        ring: The tokens of all documents, each with the boundary before it, int32.
        starts: Where the tokens of each passage begin in the ring, int64.
        ends: Where they end; behind the boundary that follows where the document ends with the passage.
        lengths: Tokens to predict of each passage, int64.
    """

    def __init__(self, split: Split, passages: Passages, tokens: Tokens, window: int) -> None:
        self.split, self._window = split, window
        encoded, follows = tokens.encode(list(passages.texts)), passages.follows
        self._follows = follows
        parts = [part for k, ids in enumerate(encoded) for part in ((ids,) if follows[k] else (_BOUNDARY, ids))]
        self.ring = np.concatenate([*parts, _BOUNDARY[:0] if not parts else _BOUNDARY])
        counts = np.array([len(ids) for ids in encoded], dtype=np.int64)
        self.starts = np.cumsum(counts + ~follows) - counts
        self.ends = self.starts + counts + passages.is_end
        self.lengths = self.ends - self.starts

    @property
    def size(self) -> int:
        """The tokens of the ring, the boundary at its end among them."""
        return len(self.ring)

    def counts(self, tokens: int) -> np.ndarray:
        """How often each of so many tokens is to be predicted, shape (tokens,), int64."""
        return np.bincount(self.ring[1:], minlength=tokens)

    def taken(self, starts: np.ndarray, steps: int) -> np.ndarray:
        """So many tokens of the ring from each of these places on, shape (places, steps), int64."""
        return self.ring[(starts[:, None] + np.arange(steps)) % self.cycle].astype(np.int64)

    def __len__(self) -> int:
        return len(self.split)

    @property
    def documents(self) -> list[tuple[int, int]]:
        """Where the tokens to predict of each document begin and end in the ring."""
        firsts = np.flatnonzero(~self._follows)
        lasts = np.append(firsts[1:], len(self)) - 1
        return list(zip(self.starts[firsts].tolist(), self.ends[lasts].tolist(), strict=True))

    @property
    def cycle(self) -> int:
        """The tokens of one pass: the last boundary is the first of the next one."""
        return self.size - 1

    def order(self, config: TrainingOptions, epoch: int) -> list[np.ndarray]:
        """The windows of an epoch: for each step the start, the steps, and whether the state is new, (streams, 3).

        Args:
            config: The number of streams, as the size of a batch, and the seed.
            epoch: The epoch, counted from 1: several passes of a short text, a part of a pass of a long one.
        """
        plan = Plan.of(self.cycle, config.batch_size, self._window)
        if plan.parts > 1:
            done, part = divmod(epoch - 1, plan.parts)
            size = plan.steps // plan.parts
            first, *rest = self._pass(plan, config.seed, done)[part * size : (part + 1) * size]
            return [np.column_stack([first[:, :2], np.ones(plan.streams, np.int64)]), *rest]
        start = (epoch - 1) * plan.passes
        return [window for k in range(start, start + plan.passes) for window in self._pass(plan, config.seed, k)]

    def _pass(self, plan: Plan, seed: int, number: int) -> list[np.ndarray]:
        """The windows of one pass."""
        random = np.random.default_rng((seed, number))
        offset, length = int(random.integers(self.cycle)), self.cycle // plan.streams
        firsts = offset + np.arange(plan.streams, dtype=np.int64) * length
        bounds = np.linspace(0, length, plan.steps + 1)
        slack = length / plan.steps / 4
        bounds[1:-1] += random.uniform(-slack, slack, plan.steps - 1)
        windows = []
        for low, high in pairwise(np.round(bounds).astype(np.int64)):
            columns = ((firsts + low) % self.cycle, np.full(plan.streams, high - low), np.full(plan.streams, low == 0))
            windows.append(np.column_stack(columns).astype(np.int64))
        return windows

    def batch(self, index: np.ndarray) -> StreamBatch:
        """Windows, for an array of `order()`; or the passages at these positions, each from a state of zeros."""
        return self._windows(index) if index.ndim == 2 else self._passages(index)

    def _windows(self, index: np.ndarray) -> StreamBatch:
        steps = int(index[0, 1])
        taken = self.taken(index[:, 0], steps + 1)
        reset = taken[:, :-1] == BOUNDARY
        reset[:, :1] |= index[:, 2:] == 1
        return _batch(taken[:, :-1], taken[:, 1:], np.full(len(index), steps), reset)

    def _passages(self, index: np.ndarray) -> StreamBatch:
        lengths = self.lengths[index]
        steps = np.arange(int(lengths.max()))
        places = np.minimum(self.starts[index, None] + steps, len(self.ring) - 1)
        inputs, targets = self.ring[places - 1].astype(np.int64), self.ring[places].astype(np.int64)
        targets[steps >= lengths[:, None]] = IGNORED
        return _batch(inputs, targets, lengths, inputs == BOUNDARY)


class StoredTokenExamples(TokenExamples):
    """A training part on disk as one ring of tokens, of which a batch reads its windows.

    Args:
        split: The training part.
        tokens: What it is read as.
        window: Tokens of a training step in each stream.
    """

    def __init__(self, split: StoredText, tokens: Tokens, window: int) -> None:
        super().__init__(split, Passages.of([]), tokens, window)
        self._stored = split.ring(tokens)

    @property
    def size(self) -> int:
        """The tokens of the ring, the boundary at its end among them."""
        return len(self._stored)

    def counts(self, tokens: int) -> np.ndarray:
        """How often each of so many tokens is to be predicted, shape (tokens,), int64."""
        firsts = range(1, self.size, _COUNTED)
        parts = (np.bincount(self._stored[first : first + _COUNTED], minlength=tokens) for first in firsts)
        return sum(parts, np.zeros(tokens, dtype=np.int64))

    def taken(self, starts: np.ndarray, steps: int) -> np.ndarray:
        """So many tokens of the ring from each of these places on, shape (places, steps), int64."""
        before = np.minimum(self.cycle - starts, steps)  # what is left goes on at the ring's start
        if before.min() == steps:
            return self._stored.spans(starts, before).reshape(-1, steps).astype(np.int64)
        places, lengths = np.stack([starts, 0 * starts], axis=1), np.stack([before, steps - before], axis=1)
        return self._stored.spans(places.ravel(), lengths.ravel()).reshape(-1, steps).astype(np.int64)


_BOUNDARY = np.array([BOUNDARY], dtype=np.int32)


def _batch(inputs: np.ndarray, targets: np.ndarray, lengths: np.ndarray, reset: np.ndarray) -> StreamBatch:
    import torch

    # A reset of all at the first step is a start from zeros, which takes no cutting.
    is_needed = reset.any()
    return StreamBatch(
        torch.from_numpy(inputs), torch.from_numpy(lengths), torch.from_numpy(targets),
        torch.from_numpy(reset) if is_needed else None,
    )  # fmt: skip
