"""torch's own operators for whole layers: what runs where gatework has no kernel, as on another device."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import _VF, Tensor

from gatework import cells
from gatework.cells import CellSpec

_OPERATORS: dict[str, Any] = {"rnn": _VF.rnn_tanh, "rnn_relu": _VF.rnn_relu, "gru": _VF.gru, "lstm": _VF.lstm}
MODES = {"rnn": "RNN_TANH", "rnn_relu": "RNN_RELU", "gru": "GRU", "lstm": "LSTM"}


# Every parameter has its own memory, or that which the optimiser joins; cuDNN copies them at a call, and says so.
warnings.filterwarnings("ignore", message="RNN module weights are not part of single contiguous chunk of memory")


def has_operator(spec: CellSpec) -> bool:
    """Whether torch has an operator for layers of this cell."""
    return spec.name in _OPERATORS and spec == cells.REGISTRY[spec.name]


@dataclass(frozen=True, slots=True)
class StackOptions:
    """How the layers of a stack are put together, in the order in which torch's operators take it."""

    bias: bool
    num_layers: int
    dropout: float
    training: bool
    bidirectional: bool


def run(
    spec: CellSpec,
    x: Tensor,
    states: Sequence[Tensor],
    weights: Sequence[Tensor],
    options: StackOptions,
    batch_sizes: Tensor | None,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Run a whole stack of layers with torch's operator.

    Args:
        spec: A cell that torch has.
        x: The input, shape (time, batch, input), or (rows, input) when packed.
        states: The initial states, each of shape (layers x directions, batch, features).
        weights: The weights of every layer and direction in torch's order.
        options: How the layers are put together.
        batch_sizes: The number of sequences running at each step, or None when uniform.

    Returns:
        The output in the layout of `x` and the final states.
    """
    operator = _OPERATORS[spec.name]
    settings = (options.bias, options.num_layers, options.dropout, options.training, options.bidirectional)
    states = [state.contiguous() for state in states]  # cuDNN takes no others
    if batch_sizes is None:
        output, *finals = operator(x, _as_argument(states), list(weights), *settings, False)
        return output, tuple(finals)
    # torch refuses sequences without steps; they come last, and keep their initial states.
    running = int(batch_sizes[0])
    started = [state[:, :running].contiguous() for state in states]
    output, *finals = operator(x, batch_sizes, _as_argument(started), list(weights), *settings)
    return output, tuple(torch.cat([end, state[:, running:]], 1) for end, state in zip(finals, states, strict=True))


def _as_argument(states: Sequence[Tensor]) -> Any:
    """The states as torch's operators take them: one tensor, or a list of h and c."""
    return states[0] if len(states) == 1 else list(states)
