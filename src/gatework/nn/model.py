"""The network of a recipe: vectors in, a recurrent layer, a view of its states over time, a linear output."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gatework import cells
from gatework.errors import UsageError, nearest
from gatework.nn import RecurrentLayer, ScanOptions, recurrent
from gatework.nn.pair_vectors import PairVectors, plain
from gatework.options import ModelOptions

# Keras draws word vectors from this range, torch from a normal distribution with deviation 1, which is far too wide
# for a network that adds up two hundred of them.
_EMBEDDING_RANGE = 0.05


Pooled = tuple[Tensor, Tensor, Tensor]
"""What a view of the states over time carries from step to step."""
Carried = tuple[Any, Pooled | None]
"""What a network carries from step to step: the states of its layers, and those of its view of them."""


def layers(config: ModelOptions, inputs: int, *, bidirectional: bool = False) -> RecurrentLayer:
    """The recurrent layers of a recipe, with what acts around their cell.

    Args:
        config: The cell, its size and its options.
        inputs: Features of the input.
        bidirectional: Whether a second stack runs over the sequences from their ends.

    Raises:
        UsageError: The cell cannot take an option.
    """
    layer = recurrent(
        config.cell,
        inputs,
        config.hidden,
        num_layers=config.layers,
        bidirectional=bidirectional,
        dropout=config.dropout,
        forget_bias=config.forget_bias,
        orthogonal=config.orthogonal,
        options=scan_options(config),
    )
    if config.init == "keras":
        layer.start_as_in_keras()
    return layer


def scan_options(config: ModelOptions) -> ScanOptions:
    """What acts around the cell of a recipe.

    Raises:
        UsageError: The cell has nothing that an option could act on.
    """
    spec = cells.get(config.cell)
    lacks = f'the cell "{spec.name}" has no'
    way_out = "leave it out, or choose another cell"
    for name in ("recurrent_dropout", "weight_drop"):
        if getattr(config, name) and not spec.recurrent_gates:
            raise UsageError(f"{lacks} recurrent product for {name} to act on; {way_out}")
    if config.cell_clip and "c" not in spec.states:
        raise UsageError(f"{lacks} cell state c for cell_clip to act on; {way_out}")
    for state in config.zoneout if isinstance(config.zoneout, dict) else ():
        if state not in spec.states:
            raise UsageError(f'{lacks} state "{state}" for zoneout to act on: {nearest(state, spec.states)}')
    return ScanOptions(
        config.recurrent_dropout, config.zoneout, config.weight_drop, config.cell_clip or None, config.layer_norm
    )


class SequenceModel(nn.Module):
    """A recurrent network that maps each sequence of a batch to a vector of outputs.

    Args:
        config: The cell, its size and its options.
        vocabulary: Number of tokens where the inputs are tokens, else None.
        inputs: Values per step where the inputs are series, else None.
        outputs: Number of outputs.
        seconds: Where the last of the tokens are pairs of words, the index of each pair's second word, shape
            (pairs,); else None.
    """

    def __init__(
        self,
        config: ModelOptions,
        *,
        vocabulary: int | None,
        inputs: int | None,
        outputs: int,
        seconds: np.ndarray | None = None,
    ) -> None:
        super().__init__()
        self.embedding: nn.Embedding | None = None
        if vocabulary is not None:
            self.embedding = _vectors(vocabulary, config.embedding, seconds)
            inputs = config.embedding
        if inputs is None:
            raise TypeError("a SequenceModel needs the size of its vocabulary or the number of its inputs")
        self.recurrent = layers(config, inputs, bidirectional=config.bidirectional)
        self.embedding_dropout = config.embedding_dropout
        self.pooling = Pooling(config)
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(self.pooling.width, outputs)
        if config.init == "keras":
            nn.init.xavier_uniform_(self.output.weight)
            nn.init.zeros_(self.output.bias)

    def forward(self, inputs: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Outputs of shape (batch, outputs).

        Args:
            inputs: Token indices of shape (batch, time), int64, or values of shape (batch, time, input).
            lengths: Steps of each sequence, shape (batch,), int64; None if all have every step.
        """
        return self.of_vectors(self.vectors(inputs, lengths), lengths)

    @property
    def reads_words_alone(self) -> bool:
        """Whether the layers read the vector of each word and nothing beside it."""
        return True

    def vectors(self, inputs: Tensor, lengths: Tensor | None = None) -> Tensor:
        """What the recurrent layers read, shape (time, batch, features); the arguments are those of `forward()`."""
        # Time first: each step of a batch is contiguous, which is how the scan reads it.
        inputs = inputs.transpose(0, 1)
        return inputs if self.embedding is None else self._drop_words(self.embedding(inputs))

    def of_vectors(self, vectors: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Outputs of shape (batch, outputs) from what `vectors()` gives."""
        sequence, state = self.recurrent(vectors, lengths=lengths)
        return self.head(sequence, state[0] if isinstance(state, tuple) else state, lengths)

    def states(self, inputs: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The states over time and the last ones; the arguments are those of `forward()`.

        Returns:
            The top layer's h, shape (time, batch, states), zero after each sequence's end, and every layer's last h,
            shape (layers x directions, batch, hidden).
        """
        sequence, state = self.recurrent(self.vectors(inputs, lengths), lengths=lengths)
        return sequence, state[0] if isinstance(state, tuple) else state

    def tensors(self) -> dict[str, Tensor]:
        """The weights by name, as they are read where there is no torch: one vector per token, also of pairs of words,
        in `embedding.weight`, shape (vocabulary, embedding).
        """
        tensors, words = self.state_dict(), plain(self.embedding)
        return tensors if words is None else tensors | {"embedding.weight": words.weight.detach()}

    def head(self, sequence: Tensor, last: Tensor, lengths: Tensor | None) -> Tensor:
        """Outputs of shape (batch, outputs) from what `states()` gives."""
        seen = self.pooling(sequence, last, lengths)
        output: Tensor = self.output(self.dropout(seen) if self.dropout.p else seen)
        return output

    def step(self, inputs: Tensor, state: Carried | None = None) -> tuple[Tensor, Carried]:
        """Goes on by one step: the outputs as if the sequence ended with it, and what to carry on.

        Args:
            inputs: Token indices of shape (batch,), int64, or values of shape (batch, input).
            state: What the previous call returned; None at the start.

        Returns:
            Outputs of shape (batch, outputs), and what the next call is given, which does not grow.

        Raises:
            UsageError: The network reads sequences from their ends too.
        """
        if self.embedding is not None:
            inputs = self.embedding(inputs)
        layers, pooled = (None, None) if state is None else state
        hidden, layers = self.recurrent.step(inputs, layers)
        seen, pooled = self.pooling.step(hidden, pooled)
        output: Tensor = self.output(seen)
        return output, (layers, pooled)

    def follow(self, inputs: Tensor, state: Carried | None = None) -> tuple[Tensor, Carried]:
        """Goes on by several steps of one sequence: for each, the outputs as if the sequence ended with it.

        Args:
            inputs: Token indices of shape (steps,), int64, or values of shape (steps, input); at least one step.
            state: What the previous call, or `step()`, returned; None at the start.

        Returns:
            Outputs of shape (steps, outputs), and what the next call is given.

        Raises:
            UsageError: The network reads sequences from their ends too.
        """
        if len(inputs) == 1 or self.recurrent.bidirectional:
            return self.step(inputs, state)
        if self.embedding is not None:
            inputs = self.embedding(inputs)
        layers, pooled = (None, None) if state is None else state
        sequence, layers = self.recurrent(inputs.unsqueeze(1), layers)
        if self.pooling.kind == "last":
            return self.output(sequence.squeeze(1)), (layers, pooled)
        seen: list[Tensor] = []
        for hidden in sequence.unbind():
            one, pooled = self.pooling.step(hidden, pooled)
            seen.append(one)
        return self.output(torch.cat(seen)), (layers, pooled)

    def follow_arrays(self, steps: np.ndarray, state: Carried | None) -> tuple[np.ndarray, Carried]:
        """As `follow()`, from and to arrays, and without gradients.

        Args:
            steps: Token indices of shape (steps,), int64, or values of shape (steps, input), float32.
            state: What the previous call returned; None at the start.

        Returns:
            Outputs of shape (steps, outputs), float32, and what the next call is given.
        """
        with torch.no_grad():
            outputs, state = self.follow(torch.from_numpy(steps), state)
        return outputs.numpy(), state

    def _drop_words(self, vectors: Tensor) -> Tensor:
        """Drops whole words, as in Gal & Ghahramani (2016), section 4.2, per occurrence."""
        if not self.training or self.embedding_dropout == 0:
            return vectors
        keep = 1 - self.embedding_dropout
        return vectors * torch.empty_like(vectors[..., :1]).bernoulli_(keep).div_(keep)


def _vectors(vocabulary: int, size: int, seconds: np.ndarray | None) -> nn.Embedding:
    """A table of word vectors, freshly drawn."""
    if seconds is not None:
        pairs = PairVectors(vocabulary - len(seconds), size, seconds)
        pairs.start(_EMBEDDING_RANGE)
        return pairs
    words = nn.Embedding(vocabulary, size)
    nn.init.uniform_(words.weight, -_EMBEDDING_RANGE, _EMBEDDING_RANGE)
    return words


class Pooling(nn.Module):
    """What the output sees of the states over time; see `ModelOptions.pooling`."""

    def __init__(self, config: ModelOptions) -> None:
        super().__init__()
        self.kind = config.pooling
        self.directions = 2 if config.bidirectional else 1
        states = config.hidden * self.directions
        self.width = 3 * states if self.kind == "concat" else states
        self.score = nn.Linear(states, 1) if self.kind == "attention" else None

    def forward(self, sequence: Tensor, last: Tensor, lengths: Tensor | None) -> Tensor:
        """One vector per sequence.

        Args:
            sequence: States of the top layer, shape (time, batch, states), zero after each sequence's end.
            last: Last states, shape (layers * directions, batch, hidden).
            lengths: Steps of each sequence, shape (batch,); None if all have the same.

        Returns:
            Shape (batch, width).
        """
        if self.kind == "last":
            return self._last(last)
        beyond = None
        if lengths is not None:
            beyond = (torch.arange(sequence.shape[0])[:, None] >= lengths).to(sequence.device).unsqueeze(-1)
        if self.score is not None:
            scores = self.score(sequence)
            if beyond is not None:
                scores = scores.masked_fill(beyond, float("-inf"))
            return (scores.softmax(0) * sequence).sum(0)
        steps = sequence.shape[0] if lengths is None else lengths.to(sequence).unsqueeze(-1)
        mean = sequence.sum(0) / steps
        if self.kind == "mean":
            return mean
        largest = (sequence if beyond is None else sequence.masked_fill(beyond, float("-inf"))).amax(0)
        return largest if self.kind == "max" else torch.cat([self._last(last), mean, largest], dim=-1)

    def step(self, hidden: Tensor, carried: Pooled | None) -> tuple[Tensor, Pooled]:
        r"""One vector per sequence that so far ends with this step, and what to carry on.

        A mean is carried as a sum and a count, an attention average as $\sum_t e^{s_t} h_t$ and $\sum_t e^{s_t}$ with
        the highest score taken out of both, which keeps them finite.

        Args:
            hidden: The top layer's h, shape (batch, states).
            carried: What the previous call returned; None at the start.
        """
        if self.score is not None:
            score = self.score(hidden)
            if carried is None:
                return hidden, (hidden, torch.ones_like(score), score)
            total, weight, top = carried
            highest = torch.maximum(top, score)
            old, new = torch.exp(top - highest), torch.exp(score - highest)
            total, weight = old * total + new * hidden, old * weight + new
            return total / weight, (total, weight, highest)
        if carried is None:
            carried = (torch.zeros_like(hidden), hidden.new_zeros(len(hidden), 1), hidden)
        total, count, largest = carried[0] + hidden, carried[1] + 1, torch.maximum(carried[2], hidden)
        views = {"last": hidden, "mean": total / count, "max": largest}
        seen = torch.cat(list(views.values()), dim=-1) if self.kind == "concat" else views[self.kind]
        return seen, (total, count, largest)

    def _last(self, last: Tensor) -> Tensor:
        return torch.cat(list(last[-self.directions :]), dim=-1) if self.directions == 2 else last[-1]
