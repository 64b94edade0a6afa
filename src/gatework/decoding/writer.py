"""A language model that writes: the whole loop of embedding, layers, output, softmax and draw in native code."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from gatework import _decoding
from gatework._threads import usable_cores
from gatework.decoding.sampling import Sampling
from gatework.errors import UsageError
from gatework.nn import RecurrentLayer
from gatework.scan import operators
from gatework.scan.native_options import native_options
from gatework.scan.options_native import check_steps
from gatework.scan.records import OptionRecord
from gatework.scan.weights import CheckedStack, check_stack

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


class Writer:
    r"""The loop of a language model in native code: its weights as they are now, ready to write.

    $$h_t = \mathrm{layers}(E_{x_t}, h_{t-1}), \qquad x_{t+1} \sim \mathrm{softmax}(O\,(P h_t + p) + b)$$

    Start with the beginning of a text, then write chunk by chunk; stop where the text says so:

        writer = Writer(model.recurrent, model.embedding.weight, projection=model.projection, output_bias=model.bias)
        writing = writer.start([prompt], samples=4, seed=7)
        for tokens, writing in writer.chunks(writing, 1000, Sampling(temperature=0.8, min_p=0.02)):
            show(tokens)  # (4, up to 32), the new tokens of each text

    The same seed gives the same text, however it is cut into chunks and on however many threads; the number of texts
    decides how products are rounded, which may change a draw in a million. The interpreter is free while a chunk is
    written.

    Args:
        recurrent: The layers, in one direction; copied.
        embedding: E, shape (vocabulary, input).
        projection: P and p, a linear layer; None where the output reads h itself.
        output: O, shape (vocabulary, features); None where it is E.
        output_bias: b, shape (vocabulary,).

    Raises:
        UsageError: Shapes do not fit, or the layers cannot run step by step in native code.
    """

    def __init__(
        self,
        recurrent: RecurrentLayer,
        embedding: Tensor,
        *,
        projection: nn.Linear | None = None,
        output: Tensor | None = None,
        output_bias: Tensor | None = None,
    ) -> None:
        layer = copy.deepcopy(recurrent).to("cpu", torch.float32).eval()
        self._stack, options = _checked(layer)
        weight, bias = (projection.weight, projection.bias) if projection else (None, None)
        written = embedding if output is None else output
        # The native side has their addresses.
        self._matrices = _Matrices(
            _array(embedding), _given(weight), _given(bias), _array(written), _given(output_bias)
        )
        self._matrices.check(layer)
        self.vocabulary, embedded = self._matrices.embedding.shape
        self._widths = [self._stack.weights[0].output, *[layer.hidden_size] * (len(layer.spec.states) - 1)]
        self._native = _decoding.LanguageModel(
            self._stack.kernel.address,
            [weights.record for weights in self._stack.weights],
            options,
            (self.vocabulary, embedded, self._matrices.output.shape[1]),
            [0 if matrix is None else matrix.ctypes.data for matrix in self._matrices],
        )

    def start(self, prompts: Sequence[ArrayLike], *, samples: int = 1, seed: int = 0, kept: int = 1024) -> Writing:
        """Reads the beginnings of texts.

        Args:
            prompts: Tokens, at least one of each: of a new text, the token that a text begins with.
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
        states = tuple([np.zeros((len(self._stack.weights), 1, width), np.float32) for width in self._widths])
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
            self._native.read(after.states, after.pending, after.text, array, usable_cores())
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
        self._native.write(
            after.states, after.pending, after.text, after.seed, after.drawn, sampling.rules(self.vocabulary), tokens,
            usable_cores(),
        )  # fmt: skip
        return tokens, replace(after, drawn=writing.drawn + count)

    def chunks(
        self, writing: Writing, count: int, sampling: Sampling = PLAIN, *, chunk: int = 32
    ) -> Iterator[tuple[NDArray[np.int32], Writing]]:
        """Draws the next tokens a few at a time: what `write` returns for each chunk, until all `count` are drawn."""
        if chunk < 1:
            raise UsageError(f"a writer was asked for chunks of {chunk} tokens, expected 1 or more")
        for start in range(0, count, chunk):
            tokens, writing = self.write(writing, min(chunk, count - start), sampling)
            yield tokens, writing

    def next_distribution(self, writing: Writing, sampling: Sampling = PLAIN) -> NDArray[np.float64]:
        """The probability with which each token would be drawn next, shape (texts, vocabulary)."""
        probabilities = np.empty((len(writing), self.vocabulary))
        arrays = writing.states, writing.pending, writing.text
        self._native.distribution(*arrays, sampling.rules(self.vocabulary), probabilities, usable_cores())
        return probabilities

    def _tokens(self, array: NDArray[np.generic]) -> NDArray[np.int32]:
        if array.ndim != 2 or (array.size and array.dtype.kind not in "iu"):
            raise UsageError(f"tokens are {array.dtype} of shape {array.shape}, expected whole numbers (texts, count)")
        if array.size and (array.min() < 0 or array.max() >= self.vocabulary):
            raise UsageError(f"a token is {array.min()} or {array.max()}, expected 0 to {self.vocabulary - 1}")
        return np.ascontiguousarray(array, np.int32)


def _checked(layer: RecurrentLayer) -> tuple[CheckedStack, list[OptionRecord]]:
    """The weights of the layers as the kernels take them, and what acts around the cell of each."""
    if layer.bidirectional:
        raise UsageError("a writer needs layers in one direction; use bidirectional=False")
    places = range(layer.num_layers)
    weights, options = [layer.weights_at(k) for k in places], [layer.step_options(k, None) for k in places]
    if not operators.has_kernel(layer.spec, weights[0].weight_ih, options[0]):
        raise UsageError(f'the cell "{layer.spec.name}" has no native kernels here; go on with the layer\'s step()')
    if options[0].is_plain:
        return check_stack(layer.spec, torch.float32, layer.input_size, weights), []
    if options[0].norms is not None and layer.proj_size:
        raise UsageError("a writer takes layers with layer norm or with a projection, not with both")
    stack = check_steps(layer.spec, torch.float32, layer.input_size, weights, options)
    pairs = zip(options, weights, strict=True)
    return stack, [native_options(layer.spec, o, w.bias_hh, None).record() for o, w in pairs]


class _Matrices(NamedTuple):
    """What stands around the layers, each in one piece of memory."""

    embedding: NDArray[np.float32]
    projection: NDArray[np.float32] | None
    projection_bias: NDArray[np.float32] | None
    output: NDArray[np.float32]
    output_bias: NDArray[np.float32] | None

    def check(self, layer: RecurrentLayer) -> None:
        """Raises where a shape does not fit."""
        hidden, vocabulary = layer.proj_size or layer.hidden_size, len(self.embedding)
        width = hidden if self.projection is None else len(self.projection)
        shapes = (vocabulary, layer.input_size), (width, hidden), (width,), (vocabulary, width), (vocabulary,)
        for name, matrix, shape in zip(self._fields, self, shapes, strict=True):
            if matrix is not None and matrix.shape != shape:
                raise UsageError(f"writer: {name} has shape {matrix.shape}, expected {shape}")


def _given(tensor: Tensor | None) -> NDArray[np.float32] | None:
    return None if tensor is None else _array(tensor)


def _array(tensor: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = np.array(tensor.detach().to("cpu", torch.float32).numpy(), order="C")
    return array
