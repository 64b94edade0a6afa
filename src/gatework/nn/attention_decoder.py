r"""A recurrent decoder that looks at an encoder's outputs, for any loop of torch.

Luong's form (2015, section 3): the layers run over the whole target first, in one scan; then each of their outputs
$h_t$ looks at the memory, and the decoder's output joins both,

$$c_t = \mathrm{attention}(h_t, m), \qquad \tilde h_t = \tanh(W_c [c_t; h_t]) .$$

Nothing of $\tilde h_t$ enters the next step, which is what lets the scan be one call and attention one product. With
`input_feeding` (section 3.3) the layers read $[x_t; \tilde h_{t-1}]$, and go step by step.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from gatework.errors import UsageError
from gatework.nn._layer import RecurrentLayer
from gatework.nn._target_rows import TargetRows
from gatework.nn.attention import Attention, Memory


class Decoded(NamedTuple):
    """What a decoder gives.

    Attributes:
        output: Shape (target, batch, output), or (batch, output) of a single step.
        state: What the next call is given.
        weights: Where it looked, shape (target, batch, source), or (batch, source) of a single step; None without
            attention.
    """

    output: Tensor
    state: Any
    weights: Tensor | None


class AttentionDecoder(nn.Module):
    """Recurrent layers whose outputs look at a memory.

    Args:
        recurrent: The layers, of any cell, in one direction, time first. With `input_feeding` their input has
            `output_size` more features than what the decoder is given.
        attention: Where they look; None for a decoder that sees the memory through its initial state alone.
        output_size: Features of the output; the layers' own if None.
        input_feeding: Whether each step also reads the output of the step before, which takes as many calls as steps.
        dropout: The share of the layers' output that is zero, the same units at every step of a sequence.

    Raises:
        UsageError: The layers read in both directions, or batch first, or the sizes do not fit.
    """

    def __init__(
        self,
        recurrent: RecurrentLayer,
        attention: Attention | None,
        output_size: int | None = None,
        *,
        input_feeding: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if recurrent.bidirectional or recurrent.batch_first:
            raise UsageError("AttentionDecoder: the layers must read in one direction, with time first")
        width = recurrent.output_size
        if attention is not None and attention.query_size != width:
            raise UsageError(
                f"AttentionDecoder: attention takes queries of {attention.query_size} features, the layers give {width}"
            )
        self.recurrent, self.attention, self.dropout = recurrent, attention, dropout
        self.output_size, self.input_feeding = output_size or width, input_feeding
        seen = attention.memory_size if attention is not None else 0
        self.join = nn.Linear(seen + width, self.output_size, bias=False).to(recurrent.first_weight)

    def remember(self, memory: Tensor, lengths: Tensor | None = None) -> Memory:
        """What `forward()` and `step()` look at.

        Args:
            memory: The encoder's outputs, shape (source, batch, memory).
            lengths: The places of each, shape (batch,), at least 1; None if all have every place.
        """
        if self.attention is None:
            return Memory(memory.transpose(0, 1), memory.transpose(0, 1), None)
        return self.attention.remember(memory, lengths)

    def forward(self, inputs: Tensor, memory: Memory, state: Any = None, *, lengths: Tensor | None = None) -> Decoded:
        """Decodes a whole target.

        Args:
            inputs: Shape (target, batch, input): in training the target itself, one step late.
            memory: What `remember()` gave.
            state: The initial state of the layers, as they take it, with `input_feeding` what a former call gave; zero
                if None.
            lengths: Steps of each target, shape (batch,); None if all have every step.

        Returns:
            Outputs beyond a target's end have no meaning.
        """
        if self.input_feeding:
            return self._fed(inputs, memory, state)
        hidden, state = self.recurrent(inputs, state, lengths=lengths)
        output, weights = self._look(locked_dropout(hidden, self.dropout, self.training), memory)
        return Decoded(output, state, weights)

    def rows(self, inputs: Tensor, pieces: TargetRows, memory: Memory, state: Any = None) -> Tensor:
        """Decodes whole targets of different lengths, and computes nothing beyond their ends.

        Args:
            inputs: What `forward()` is given, of the pieces alone, shape (rows, input).
            pieces: Which piece of which target each row is.
            memory: What `remember()` gave.
            state: The initial state of the layers; zero if None.

        Returns:
            The output of each row, shape (rows, output).

        Raises:
            UsageError: The decoder feeds its output back, and has to go step by step.
        """
        if self.input_feeding:
            raise UsageError("AttentionDecoder: a decoder with input feeding goes step by step; use forward()")
        hidden = self.recurrent(pieces.packed(inputs), state)[0].data
        hidden = locked_dropout_of(hidden, pieces, self.dropout, self.training)
        if self.attention is None:
            return torch.tanh(self.join(hidden))
        context = self.attention.rows(hidden, memory, pieces)
        return torch.tanh(self.join(torch.cat([context, hidden], dim=-1)))

    def step(self, inputs: Tensor, memory: Memory, state: Any = None) -> Decoded:
        """Goes on by one step.

        Args:
            inputs: Shape (batch, input).
            memory: What `remember()` gave.
            state: What the previous call returned; the initial state of the layers, or None, at the start.
        """
        if self.input_feeding:
            decoded = self._fed(inputs.unsqueeze(0), memory, state)
        else:
            hidden, state = self.recurrent.step(inputs, state)
            output, weights = self._look(hidden.unsqueeze(0), memory)
            decoded = Decoded(output, state, weights)
        looked = None if decoded.weights is None else decoded.weights[0]
        return Decoded(decoded.output[0], decoded.state, looked)

    def trace(
        self, inputs: Tensor, memory: Memory, state: Any = None, *, lengths: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Every gate and state of every step, as the layers' `trace()` gives them, and where the decoder looked.

        Returns:
            The names of the cell, each of shape (layers, 1, target, batch, hidden), and "attention" of shape
            (target, batch, source) where there is attention.

        Raises:
            UsageError: The decoder feeds its output back, which the layers' trace does not follow.
        """
        if self.input_feeding:
            raise UsageError("AttentionDecoder: a decoder with input feeding has no trace; use step()")
        traced = self.recurrent.trace(inputs, state, lengths)
        _, weights = self._look(traced["h"][-1, 0], memory)
        return traced if weights is None else traced | {"attention": weights}

    def _look(self, hidden: Tensor, memory: Memory) -> tuple[Tensor, Tensor | None]:
        if self.attention is None:
            return torch.tanh(self.join(hidden)), None
        context, weights = self.attention(hidden, memory)
        return torch.tanh(self.join(torch.cat([context, hidden], dim=-1))), weights

    def _fed(self, inputs: Tensor, memory: Memory, state: Any) -> Decoded:
        if not isinstance(state, _Fed):
            state = _Fed(state, inputs.new_zeros(inputs.shape[1], self.output_size))
        outputs, looked, layers, output = [], [], state.layers, state.output
        for step in inputs:
            hidden, layers = self.recurrent(torch.cat([step, output], dim=-1).unsqueeze(0), layers)
            joined, weights = self._look(hidden, memory)
            output = joined[0]
            outputs.append(joined)
            looked += [] if weights is None else [weights]
        return Decoded(torch.cat(outputs), _Fed(layers, output), torch.cat(looked) if looked else None)


class _Fed(NamedTuple):
    """What a decoder with input feeding carries: the layers' state, and its last output, shape (batch, output)."""

    layers: Any
    output: Tensor


def locked_dropout(x: Tensor, share: float, is_training: bool) -> Tensor:
    """Drops the same units at every step of a sequence (Gal and Ghahramani 2016), scaled up by what is kept.

    Args:
        x: Shape (time, batch, features).
        share: The share of units that are dropped.
        is_training: Whether anything is dropped.
    """
    mask = locked_mask(x, x.shape[1], share, is_training)
    return x if mask is None else x * mask


def locked_dropout_of(rows: Tensor, pieces: TargetRows, share: float, is_training: bool) -> Tensor:
    """As `locked_dropout()`, of the pieces alone, shape (rows, features)."""
    mask = locked_mask(rows, pieces.batch, share, is_training)
    return rows if mask is None else rows * mask[pieces.targets]


def locked_mask(like: Tensor, batch: int, share: float, is_training: bool, scale: float = 1.0) -> Tensor | None:
    """What locked dropout multiplies with, shape (batch, features), times `scale`; None where nothing is dropped."""
    if not is_training or share == 0:
        return None
    keep = 1 - share
    return like.new_empty(batch, like.shape[-1]).bernoulli_(keep).mul_(scale / keep)
