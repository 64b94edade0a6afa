"""The native loop of a language model: embedding, layers, output, softmax and draw, on addresses; it knows no torch."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gatework import _decoding
from gatework._threads import usable_cores
from gatework.decoding.sampling import Sampling
from gatework.errors import UsageError
from gatework.scan.records import OptionRecord, WeightRecord

PLAIN = Sampling()


@dataclass(frozen=True)
class Writing:
    """Texts that are being written side by side, and where they are; nothing changes it, so it can be gone back to.

    Attributes:
        states: The states of the layers before the pending tokens, in the order of the cell's states, each (layers,
            texts, features).
        pending: The last token of each text, which the layers have not read yet, shape (texts,).
        text: The last tokens of each text, the pending one last, -1 before its first, shape (texts, kept): what the
            rules against repetition look at.
        seed: What the draws depend on, besides the number of the text and the number of tokens drawn before.
        drawn: How many tokens of each text were drawn so far.
    """

    states: tuple[NDArray[np.float32], ...]
    pending: NDArray[np.int32]
    text: NDArray[np.int32]
    seed: int
    drawn: int

    def __len__(self) -> int:
        return len(self.pending)

    def copied(self) -> Writing:
        """The same in other memory."""
        states = tuple([state.copy() for state in self.states])
        return replace(self, states=states, pending=self.pending.copy(), text=self.text.copy())

    def repeated(self, samples: int) -> Writing:
        """The one text as the beginning of several."""
        states = tuple([np.repeat(state, samples, 1) for state in self.states])
        return replace(
            self, states=states, pending=np.repeat(self.pending, samples), text=np.repeat(self.text, samples, 0)
        )

    def joined(self, other: Writing) -> Writing:
        """The texts of both, with the seed of the first."""
        states = tuple([np.concatenate(pair, 1) for pair in zip(self.states, other.states, strict=True)])
        pending = np.concatenate([self.pending, other.pending])
        return replace(self, states=states, pending=pending, text=np.concatenate([self.text, other.text]))


class NativeLayers(NamedTuple):
    """Recurrent layers in one direction, as the native side takes them.

    Attributes:
        kernel: The address of the cell's kernels.
        records: The weights of each layer.
        options: What acts around the cell in each; none where nothing does.
        input: Features of the input.
        widths: Features of each state of the cell, h first.
        held: What the addresses are of.
    """

    kernel: int
    records: Sequence[WeightRecord]
    options: Sequence[OptionRecord]
    input: int
    widths: Sequence[int]
    held: Any


class Matrices(NamedTuple):
    """What stands around the layers, each in one piece of memory."""

    embedding: NDArray[np.float32]
    projection: NDArray[np.float32] | None
    projection_bias: NDArray[np.float32] | None
    output: NDArray[np.float32]
    output_bias: NDArray[np.float32] | None

    def check(self, layers: NativeLayers) -> None:
        """Raises where a shape does not fit."""
        hidden, vocabulary = layers.widths[0], len(self.embedding)
        width = hidden if self.projection is None else len(self.projection)
        shapes = (vocabulary, layers.input), (width, hidden), (width,), (vocabulary, width), (vocabulary,)
        for name, matrix, shape in zip(self._fields, self, shapes, strict=True):
            if matrix is not None and matrix.shape != shape:
                raise UsageError(f"writer: {name} has shape {matrix.shape}, expected {shape}")


class WritingLoop:
    """What `Writer` is once its weights are arrays; see there.

    Args:
        layers: The layers.
        matrices: What stands around them.

    Attributes:
        vocabulary: Number of tokens.
        threads: How many threads compute.
        native: The loop as other native code takes it.

    Raises:
        UsageError: A shape does not fit.
    """

    def __init__(self, layers: NativeLayers, matrices: Matrices) -> None:
        matrices.check(layers)
        # The native side has their addresses.
        self._layers, self._matrices = layers, matrices
        self.vocabulary, embedded = matrices.embedding.shape
        self.threads = usable_cores()
        self.native = _decoding.LanguageModel(
            layers.kernel,
            layers.records,
            layers.options,
            (self.vocabulary, embedded, matrices.output.shape[1]),
            [0 if matrix is None else matrix.ctypes.data for matrix in matrices],
        )

    def start(self, prompts: Sequence[ArrayLike], *, samples: int = 1, seed: int = 0, kept: int = 1024) -> Writing:
        """Reads the beginnings of texts.

        Args:
            prompts: Tokens of each, shape (count,), at least one: of a new text, the token that a text begins with.
            samples: How many texts go on from each of them; those of the same prompt are neighbours.
            seed: What the draws depend on.
            kept: How many tokens of each text are kept for the rules against repetition.

        Raises:
            UsageError: A prompt is empty or holds what is no token.
        """
        if not prompts or samples < 1 or kept < 1:
            raise UsageError("a writer starts with at least one prompt, one sample of it and one token kept")
        started = [self._begun(prompt, seed, kept).repeated(samples) for prompt in prompts]
        return functools.reduce(Writing.joined, started)

    def _begun(self, prompt: ArrayLike, seed: int, kept: int) -> Writing:
        tokens = self._tokens(np.atleast_1d(np.asarray(prompt))[None])
        if tokens.shape[1] == 0:
            raise UsageError("a prompt is empty, expected at least the token that a text begins with")
        count = len(self._layers.records)
        states = tuple([np.zeros((count, 1, width), np.float32) for width in self._layers.widths])
        text = np.full((1, kept), -1, np.int32)
        text[0, -1] = tokens[0, 0]
        return self.read(Writing(states, tokens[:, 0].copy(), text, seed % 2**64, 0), tokens[:, 1:])

    def read(self, writing: Writing, tokens: ArrayLike) -> Writing:
        """Goes on with given tokens instead of drawn ones.

        Args:
            writing: Where the texts are.
            tokens: Shape (texts, count).

        Raises:
            UsageError: The shape does not fit, or one is no token.
        """
        array = self._tokens(np.asarray(tokens))
        if len(array) != len(writing):
            raise UsageError(f"tokens of {len(array)} texts were given, expected those of {len(writing)}")
        after = writing.copied()
        if array.shape[1]:
            self.native.read(after.states, after.pending, after.text, array, self.threads)
        return after

    def write(self, writing: Writing, count: int, sampling: Sampling = PLAIN) -> tuple[NDArray[np.int32], Writing]:
        """Draws the next tokens.

        Args:
            writing: Where the texts are.
            count: How many tokens of each.
            sampling: How they are drawn.

        Returns:
            The tokens, shape (texts, count), and where the texts are then.

        Raises:
            UsageError: The count is below 0, or a rule names what is no token.
        """
        if count < 0:
            raise UsageError(f"a writer was asked for {count} tokens, expected 0 or more")
        tokens, after = np.empty((len(writing), count), np.int32), writing.copied()
        self.native.write(
            after.states, after.pending, after.text, after.seed, after.drawn, sampling.rules(self.vocabulary), tokens,
            self.threads,
        )  # fmt: skip
        return tokens, replace(after, drawn=writing.drawn + count)

    def chunks(
        self, writing: Writing, count: int, sampling: Sampling = PLAIN, *, chunk: int = 32
    ) -> Iterator[tuple[NDArray[np.int32], Writing]]:
        """Draws the next tokens a few at a time: what `write` returns for each chunk, until all `count` are drawn.

        Args:
            writing: Where the texts are.
            count: How many tokens of each.
            sampling: How they are drawn.
            chunk: How many are drawn at a time.

        Yields:
            The tokens of a chunk, shape (texts, chunk), the last one perhaps shorter, and where the texts are then.

        Raises:
            UsageError: A chunk is below 1, the count below 0, or a rule names what is no token.
        """
        if chunk < 1:
            raise UsageError(f"a writer was asked for chunks of {chunk} tokens, expected 1 or more")
        for start in range(0, count, chunk):
            tokens, writing = self.write(writing, min(chunk, count - start), sampling)
            yield tokens, writing

    def next_distribution(self, writing: Writing, sampling: Sampling = PLAIN) -> NDArray[np.float64]:
        """The probability with which each token would be drawn next, shape (texts, vocabulary)."""
        probabilities = np.empty((len(writing), self.vocabulary))
        arrays = writing.states, writing.pending, writing.text
        self.native.distribution(*arrays, sampling.rules(self.vocabulary), probabilities, self.threads)
        return probabilities

    def _tokens(self, array: NDArray[np.generic]) -> NDArray[np.int32]:
        if array.ndim != 2 or (array.size and array.dtype.kind not in "iu"):
            raise UsageError(f"tokens are {array.dtype} of shape {array.shape}, expected whole numbers (texts, count)")
        if array.size and (array.min() < 0 or array.max() >= self.vocabulary):
            raise UsageError(f"a token is {array.min()} or {array.max()}, expected 0 to {self.vocabulary - 1}")
        return np.ascontiguousarray(array, np.int32)
