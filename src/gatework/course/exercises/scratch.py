"""Exercises of lesson 4: a whole step, and the size of a layer."""

from __future__ import annotations

import torch
from torch import Tensor

from gatework.course.exercises._spec import Exercise, Mistake

State = tuple[Tensor, Tensor]


def lstm_step(x: Tensor, h: Tensor, c: Tensor, W: Tensor, U: Tensor, b: Tensor) -> State:
    """One step with the four gates stacked as torch does: i, f, g, o."""
    i, f, g, o = (W @ x + U @ h + b).chunk(4)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    h = torch.sigmoid(o) * torch.tanh(c)
    return h, c


def _keras_order(x: Tensor, h: Tensor, c: Tensor, W: Tensor, U: Tensor, b: Tensor) -> State:
    f, i, g, o = (W @ x + U @ h + b).chunk(4)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def _output_third(x: Tensor, h: Tensor, c: Tensor, W: Tensor, U: Tensor, b: Tensor) -> State:
    i, f, o, g = (W @ x + U @ h + b).chunk(4)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def _bare_output(x: Tensor, h: Tensor, c: Tensor, W: Tensor, U: Tensor, b: Tensor) -> State:
    i, f, g, o = (W @ x + U @ h + b).chunk(4)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * c, c


def _old_state_out(x: Tensor, h: Tensor, c: Tensor, W: Tensor, U: Tensor, b: Tensor) -> State:
    i, f, g, o = (W @ x + U @ h + b).chunk(4)
    new = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), new


def _state_first(x: Tensor, h: Tensor, c: Tensor, W: Tensor, U: Tensor, b: Tensor) -> State:
    h, c = lstm_step(x, h, c, W, U, b)
    return c, h


def parameters(inputs: int, hidden: int) -> int:
    """How many numbers one LSTM layer learns: W, U and two biases for each of the four gates."""
    one_gate = hidden * inputs + hidden * hidden + 2 * hidden
    return 4 * one_gate


def _one_gate(inputs: int, hidden: int) -> int:
    return hidden * inputs + hidden * hidden + 2 * hidden


def _one_bias(inputs: int, hidden: int) -> int:
    return 4 * (hidden * inputs + hidden * hidden + hidden)


def _no_bias(inputs: int, hidden: int) -> int:
    return 4 * (hidden * inputs + hidden * hidden)


def _three_gates(inputs: int, hidden: int) -> int:
    return 3 * (hidden * inputs + hidden * hidden + 2 * hidden)


def _case(seed: int) -> tuple[Tensor, ...]:
    random = torch.Generator().manual_seed(seed)
    shapes: tuple[tuple[int, ...], ...] = ((3,), (2,), (2,), (8, 3), (8, 2), (8,))
    return tuple(torch.randn(shape, generator=random) for shape in shapes)


EXERCISES = (
    Exercise(
        lstm_step,
        (_case(1), _case(2)),
        (
            Mistake(
                _keras_order,
                "The forget and input gates are swapped: torch and gatework stack the rows in the order i, f, g, o.",
            ),
            Mistake(
                _output_third,
                "The last two blocks are swapped: the order is i, f, g, o, with g before the output gate.",
            ),
            Mistake(
                _bare_output, "The new output is the output gate times tanh of the cell state; the tanh is missing."
            ),
            Mistake(
                _old_state_out, "The output is made from the old cell state; compute the new one first and use that."
            ),
            Mistake(_state_first, "Both values are right, in the other order: return h first, then c."),
        ),
        "A whole LSTM cell in four lines, and it agrees with the library's.",
        "Split the sum with .chunk(4) into i, f, g, o; then the cell state; then the output.",
    ),
    Exercise(
        parameters,
        ((1, 20), (20, 20), (128, 64)),
        (
            Mistake(_one_gate, "That is one gate; the layer has four blocks of weights, i, f, g and o."),
            Mistake(_one_bias, "Every gate has two biases in torch's layout, b and b'; you counted one."),
            Mistake(_no_bias, "The weights are right, and the biases are missing: two for each gate and unit."),
            Mistake(_three_gates, "You counted three gates and left out the candidate, which has weights as well."),
        ),
        "So an LSTM layer has four times the weights of a vanilla RNN of the same size.",
        "Per gate: W has hidden × inputs numbers, U has hidden × hidden, and there are two biases of hidden each.",
    ),
)
