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
        coverage: The coverage penalty.
        shortlist: The tokens that may be given of each sequence besides its end and what is given once; all if None.

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
        coverage: float = 0.0,
        shortlist: Sequence[np.ndarray] | None = None,
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
        self._shortlist, self._short_starts = _joined(shortlist, self._once, output)
        self._threads = usable_cores()
        self._coverage = coverage if has_memory else 0.0
        # How much each place has been looked at; as wide as the longest memory.
        self._seen = np.zeros((len(self._memory_of), max(lengths) if self._coverage else 0), np.float32)
        self.penalties: np.ndarray | None = None

    def best(self, tokens: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Goes on by a token of each beginning.

        Args:
            tokens: Shape (sequences, beams), int64.
            count: How many of the next tokens are wanted; fewer are given where the vocabulary is smaller.

        Returns:
            The log-probabilities of the likeliest next tokens and the tokens, each of shape (sequences, beams, count).
        """
        count = min(count, self.vocabulary)
        logs, words = np.empty((tokens.size, count), np.float32), np.empty((tokens.size, count), np.int64)
        self._read_out(tokens, logs, words)
        return logs.reshape(*tokens.shape, count), words.reshape(*tokens.shape, count)

    def every(self, tokens: np.ndarray) -> np.ndarray:
        """Goes on by a token of each beginning, and gives every token's log-probability, whatever may not come next.

        Args:
            tokens: Shape (sequences, beams), int64.

        Returns:
            Shape (sequences, beams, vocabulary).
        """
        logs = np.empty((tokens.size, self.vocabulary), np.float32)
        self._read_out(tokens, logs, np.empty((tokens.size, 0), np.int64))
        return logs.reshape(*tokens.shape, self.vocabulary)

    def keep(self, sequences: np.ndarray, beams: np.ndarray) -> None:
        """Keeps these sequences, shape (sequences,), and of each these beginnings, shape (sequences, beams)."""
        rows = (sequences[:, None] * self.beam + beams).ravel()
        index = torch.from_numpy(rows)
        self._states = [state.index_select(1, index) for state in self._states]
        self._memory_of, self._features = self._memory_of[rows], self._features[rows]
        self._wanted, self._seen = self._wanted[rows], self._seen[rows]

    def allowed(self, logs: np.ndarray) -> np.ndarray:
        """Log-probabilities of every token, minus infinity where one may not come next; shape as of `every()`."""
        logs, once = logs.copy(), self._once
        wanted = self._wanted.reshape(*logs.shape[:2], 1)
        is_wanted = (wanted >> np.arange(len(once.tokens), dtype=np.uint64) & np.uint64(1)).astype(bool)
        is_lacking = is_wanted.any(2)
        if once.end >= 0:
            is_ending = is_lacking & (logs[..., once.end] == logs.max(2))
            logs[is_lacking, once.end] = -np.inf
            is_other = ~np.isin(np.arange(logs.shape[2]), once.tokens)
            logs[is_ending[..., None] & is_other] = -np.inf
        if len(once.tokens):
            part = logs[..., once.tokens.start : once.tokens.stop]
            part[~is_wanted] = -np.inf
        return logs

    @property
    def vocabulary(self) -> int:
        """How many tokens there are."""
        return len(self._weights.arrays[4])

    def _read_out(self, tokens: np.ndarray, logs: np.ndarray, words: np.ndarray) -> None:
        flat = tokens.ravel()
        if self._wanted.any():
            self._wanted = self._wanted & ~_bit(flat, self._once.tokens)
        vectors = self.read(torch.from_numpy(flat))
        if self.decoder.input_feeding:
            vectors = torch.cat([vectors, torch.from_numpy(self._features)], 1)
        hidden = self._stepped(vectors)
        _decoding.read_out(
            self._weights.sizes, self._weights.addresses, self._keys, self._values, self._starts,
            self._shortlist, self._short_starts, hidden.numpy(), self._memory_of, self._wanted,
            self._seen, self._features, logs, words, self._threads,
        )  # fmt: skip
        if self._coverage:
            places = np.arange(self._seen.shape[1]) < np.diff(self._starts)[self._memory_of][:, None]
            shares = np.log(np.clip(self._seen, 1e-10, 1.0), out=np.zeros_like(self._seen), where=places)
            self.penalties = -self._coverage * shares.sum(1).reshape(tokens.shape)

    def _stepped(self, vectors: Tensor) -> Tensor:
        """The layers' output for one step of every row, a few rows at a time, which is how the kernel takes them."""
        if len(vectors) <= MOST_SEQUENCES:
            output, state = self.decoder.recurrent.step(vectors, _as_state(self._states))
            self._states = list(_as_tuple(state))
            return output
        outputs, after = [], []
        for start in range(0, len(vectors), MOST_SEQUENCES):
            rows = slice(start, start + MOST_SEQUENCES)
            before = [state[:, rows].contiguous() for state in self._states]
            output, state = self.decoder.recurrent.step(vectors[rows], _as_state(before))
            outputs.append(output)
            after.append(_as_tuple(state))
        self._states = [torch.cat(parts, 1) for parts in zip(*after, strict=True)]
        return torch.cat(outputs)


class _Weights(NamedTuple):
    """What the native side reads, with the arrays that the addresses are of."""

    sizes: tuple[int, ...]
    addresses: list[int]
    arrays: list[np.ndarray]


def _joined(shortlist: Sequence[np.ndarray] | None, once: Once, output: Output) -> tuple[np.ndarray, np.ndarray]:
    """The lists one after the other, each with the end and what is given once in front, and where each starts."""
    if shortlist is None:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    front = np.array([once.end, *once.tokens], dtype=np.int64)
    without = np.append(front, -1 if output.banned is None else output.banned)
    lists = [np.concatenate([front, np.setdiff1d(tokens, without)]) for tokens in shortlist]
    return np.concatenate(lists), np.cumsum([0, *map(len, lists)])


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


def _as_state(tensors: Sequence[Tensor]) -> Tensor | tuple[Tensor, ...]:
    return tensors[0] if len(tensors) == 1 else tuple(tensors)


def _as_tuple(state: Any) -> tuple[Tensor, ...]:
    return (state,) if isinstance(state, Tensor) else tuple(state)


class EnsembleSearch:
    """Several decoders of one vocabulary, whose probabilities are averaged.

    Args:
        members: What searches with each of them; the first knows what must be given of each sequence.
    """

    def __init__(self, members: Sequence[AttentionSearch]) -> None:
        self.members = members
        self.penalties: np.ndarray | None = None

    def best(self, tokens: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The likeliest next tokens by the mean of all members' probabilities.

        Args:
            tokens: Shape (sequences, beams), int64.
            count: How many are wanted; fewer are given where the vocabulary is smaller.

        Returns:
            Their log-probabilities and the tokens, each of shape (sequences, beams, count).
        """
        logs = [member.every(tokens) for member in self.members]
        with np.errstate(divide="ignore"):  # tokens outside a shortlist
            mean = np.log(np.mean([np.exp(each) for each in logs], axis=0))
        open_logs = self.members[0].allowed(mean)
        count = min(count, mean.shape[2])
        words = np.argsort(-open_logs, axis=2, kind="stable")[..., :count]
        given = [member.penalties for member in self.members if member.penalties is not None]
        self.penalties = np.mean(given, axis=0) if given else None
        return np.take_along_axis(open_logs, words, 2), words

    def keep(self, sequences: np.ndarray, beams: np.ndarray) -> None:
        """Keeps these sequences, shape (sequences,), and of each these beginnings, shape (sequences, beams)."""
        for member in self.members:
            member.keep(sequences, beams)
