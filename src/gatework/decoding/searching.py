"""A decoder with attention in the middle of some sequences, as beam search goes on with it.

Each row is computed by itself: the layers step by step on the kernel for single steps, attention, output and the choice
of the likeliest tokens in native code. So a sequence has the very same bits alone and among others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from gatework import _decoding
from gatework._threads import usable_cores
from gatework.errors import UsageError
from gatework.nn.attention import Memory
from gatework.nn.attention_decoder import AttentionDecoder
from gatework.scan.streaming import MOST_SEQUENCES


class Output(NamedTuple):
    """What turns the decoder's output into scores of tokens.

    Attributes:
        weight: Shape (vocabulary, output).
        bias: Shape (vocabulary,).
        banned: A token that is never given; None if there is none.
    """

    weight: Tensor
    bias: Tensor
    banned: int | None = None


class Once(NamedTuple):
    """Tokens of which a sequence gives those that are wanted of it, each once, before it ends.

    Attributes:
        tokens: All such tokens, at most 64.
        end: The token that sequences end with.
        wanted: Of each sequence those that are to come.
    """

    tokens: range
    end: int
    wanted: Sequence[Collection[int]]


class AttentionSearch:
    """The beginnings of some sequences; see `gatework.decoding.beam`.

    Args:
        decoder: The decoder, in evaluation, in float32 on the CPU.
        read: What the decoder reads of tokens of shape (rows,): vectors of shape (rows, input).
        output: What gives scores.
        memories: The memory of each sequence, a batch of one, as `decoder.remember()` gives it.
        states: The state that each begins in, with a batch of one.
        beam: Beginnings of each.
        once: What must be given of each sequence; nothing if None.

    Raises:
        UsageError: The decoder computes in another type, or elsewhere.
    """

    def __init__(
        self,
        decoder: AttentionDecoder,
        read: Callable[[Tensor], Tensor],
        output: Output,
        memories: Sequence[Memory],
        states: Sequence[Any],
        beam: int,
        once: Once | None = None,
    ) -> None:
        kind = decoder.join.weight
        if kind.dtype != torch.float32 or not kind.is_cpu:
            raise UsageError(f"a search computes in float32 on the CPU; the decoder is {kind.dtype} on {kind.device}")
        self.decoder, self.read, self.beam = decoder, read, beam
        self._once = once or Once(range(0), -1, [()] * len(memories))
        self._wanted = np.repeat(_bits(self._once), beam)
        self._weights = _weights(decoder, output, self._once)
        has_memory = decoder.attention is not None
        self._keys = _together([m.keys[0] for m in memories], has_memory)
        self._values = _together([m.values[0] for m in memories], has_memory)
        lengths = [m.values.shape[1] for m in memories]
        self._starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        self._memory_of = np.repeat(np.arange(len(memories)), beam)
        joined = [torch.cat(parts, 1) for parts in zip(*map(_as_tuple, states), strict=True)]
        self._states = [state.repeat_interleave(beam, 1) for state in joined]
        self._features = np.zeros((len(self._memory_of), decoder.output_size), np.float32)

    def best(self, tokens: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Goes on by a token of each beginning.

        Args:
            tokens: Shape (sequences, beams).
            count: How many of the next tokens are wanted; fewer are given where the vocabulary is smaller.

        Returns:
            The log-probabilities of the likeliest next tokens and the tokens, each (sequences, beams, count).
        """
        self._wanted = self._wanted & ~_bit(tokens.flatten().numpy(), self._once.tokens)
        vectors = self.read(tokens.flatten())
        if self.decoder.input_feeding:
            vectors = torch.cat([vectors, torch.from_numpy(self._features)], 1)
        hidden = self._stepped(vectors)
        count = min(count, len(self._weights.arrays[4]))
        logs = np.empty((len(hidden), count), np.float32)
        words = np.empty((len(hidden), count), np.int64)
        _decoding.read_out(
            self._weights.sizes, self._weights.addresses, self._keys, self._values, self._starts,
            hidden.numpy(), self._memory_of, self._wanted, self._features, logs, words, usable_cores(),
        )  # fmt: skip
        shape = (*tokens.shape, count)
        return torch.from_numpy(logs).view(shape), torch.from_numpy(words).view(shape)

    def keep(self, sequences: Tensor, beams: Tensor) -> None:
        """Keeps these sequences, and of each these beginnings."""
        rows = (sequences[:, None] * self.beam + beams).flatten()
        self._states = [state.index_select(1, rows) for state in self._states]
        self._memory_of, self._features = self._memory_of[rows.numpy()], self._features[rows.numpy()]
        self._wanted = self._wanted[rows.numpy()]

    def _stepped(self, vectors: Tensor) -> Tensor:
        """The layers' output for one step of every row, a few rows at a time, which is how the kernel takes them."""
        outputs, after = [], []
        for start in range(0, len(vectors), MOST_SEQUENCES):
            rows = slice(start, start + MOST_SEQUENCES)
            before = [state[:, rows].contiguous() for state in self._states]
            output, state = self.decoder.recurrent.step(vectors[rows], before[0] if len(before) == 1 else tuple(before))
            outputs.append(output)
            after.append(_as_tuple(state))
        self._states = [torch.cat(parts, 1) for parts in zip(*after, strict=True)]
        return torch.cat(outputs)


class _Weights(NamedTuple):
    """What the native side reads, with the arrays that the addresses are of."""

    sizes: tuple[int, ...]
    addresses: list[int]
    arrays: list[np.ndarray]


def _bits(once: Once) -> np.ndarray:
    """What is wanted of each sequence, a bit for each token."""
    bits = [sum(1 << once.tokens.index(token) for token in set(tokens)) for tokens in once.wanted]
    return np.array(bits, dtype=np.uint64)


def _bit(tokens: np.ndarray, of: range) -> np.ndarray:
    """The bits of tokens; none of those that are not given once."""
    is_one = (tokens >= of.start) & (tokens < of.stop)
    return np.where(is_one, np.uint64(1) << np.where(is_one, tokens - of.start, 0).astype(np.uint64), np.uint64(0))


def _weights(decoder: AttentionDecoder, output: Output, once: Once) -> _Weights:
    attention, hidden = decoder.attention, decoder.recurrent.output_size
    arrays = [np.empty(0, np.float32)] * 3
    if attention is not None and attention.query is not None and attention.weigh is not None:
        arrays = [_array(t) for t in (attention.query.weight, attention.query.bias, attention.weigh.weight)]
    arrays += [_array(t) for t in (decoder.join.weight, output.weight, output.bias)]
    memory = attention.memory_size if attention is not None else 0
    key = (len(arrays[1]) or attention.query_size) if attention is not None else 0
    sizes = (hidden, memory, key, decoder.output_size, len(output.weight))
    addresses = [array.ctypes.data if array.size else 0 for array in arrays]
    marks = (-1 if output.banned is None else output.banned, once.tokens.start, len(once.tokens), once.end)
    return _Weights((*sizes, *marks), addresses, arrays)


def _together(parts: Sequence[Tensor], has_memory: bool) -> np.ndarray:
    return _array(torch.cat(list(parts))) if has_memory else np.empty((0, 0), np.float32)


def _array(tensor: Tensor) -> np.ndarray:
    return np.ascontiguousarray(tensor.detach().numpy(), np.float32)


def _as_tuple(state: Any) -> tuple[Tensor, ...]:
    return (state,) if isinstance(state, Tensor) else tuple(state)
