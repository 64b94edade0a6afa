"""The sizes of the built-in cells, for whoever must not wait for torch, which equations need.

Generated from the cells by `make cells`: change step(), not this file.
"""

from __future__ import annotations

from typing import NamedTuple


class CellShape(NamedTuple):
    """How much of everything a cell has.

    Attributes:
        input_gates: Gates that the input product feeds.
        recurrent_gates: Gates that the recurrent product feeds.
        unit_weights: Learnt vectors with one number for each unit.
        states: States carried from step to step, h first.
    """

    input_gates: int
    recurrent_gates: int
    unit_weights: int
    states: int


SHAPES: dict[str, CellShape] = {
    "rnn": CellShape(1, 1, 0, 1),
    "rnn_relu": CellShape(1, 1, 0, 1),
    "gru": CellShape(3, 3, 0, 1),
    "lstm": CellShape(4, 4, 0, 2),
    "peephole": CellShape(4, 4, 3, 2),
    "coupled": CellShape(3, 3, 0, 2),
    "indrnn": CellShape(1, 0, 1, 1),
    "minimal": CellShape(3, 0, 0, 1),
    "slstm": CellShape(4, 4, 0, 4),
}
