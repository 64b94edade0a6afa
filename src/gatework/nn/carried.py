"""Layers that go on over one sequence in memory of their own, layer by layer: what a stream asks for most often."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle

import numpy as np
import torch

from gatework.nn._layer import RecurrentLayer
from gatework.nn.quantized import QuantizedLayer
from gatework.scan import streaming
from gatework.scan.layout import padded
from gatework.scan.quantized import ByteScan
from gatework.scan.records import RowRecord

Step = Callable[[int, Sequence[int], Sequence[int], int], None]
"""One step of one layer: the addresses of its input, of its states before and after, and of h."""


class CarriedLayers:
    """Layers under way over one sequence, whose step is made in stages: a stream may spread them over time.

    Where gatework's kernels compute a layer, it is a stage, and one native call on memory that stays. Other layers
    make their step in a single stage. The output is that of `step()`, to the last bit.

    Args:
        layers: A `RecurrentLayer` or a `QuantizedLayer` in one direction, in evaluation mode. Its weights are to stay
            where they are meanwhile.

    Attributes:
        given: The input of the next step, shape (1, input), which the caller writes before the first stage.
        stages: What makes a step: to be called one after the other.
        hidden: h of the top layer after the last stage, shape (1, output). The next step writes it anew.
    """

    def __init__(self, layers: RecurrentLayer | QuantizedLayer) -> None:
        self.given = np.zeros((1, layers.input_size), np.float32)
        self.hidden = np.zeros((1, layers.output_size), np.float32)
        self.stages: list[Callable[[], None]] = []
        steps = _steps(layers)
        if steps is None:
            self._layers, self._state = layers, None
            self.stages.append(self._advance_all)
            return
        x = self.given
        for step in steps:
            one = _CarriedLayer(step, x, len(layers.spec.states), layers.hidden_size)
            self.stages.append(one.advance)
            x = one.output
        self.hidden = x

    def _advance_all(self) -> None:
        with torch.no_grad():
            h, self._state = self._layers.step(torch.from_numpy(self.given), self._state)
        self.hidden[:] = h.numpy()


class _CarriedLayer:
    """One layer; its states lie in two places, one of which is read and the other written, in turn."""

    def __init__(self, step: Step, x: np.ndarray, states: int, hidden: int) -> None:
        self.output = np.zeros((1, hidden), np.float32)
        places = np.zeros((2, states, hidden), np.float32)
        here, there = ([state.ctypes.data for state in place] for place in places)
        self._kept = x, places
        self._step, self._addresses = step, (x.ctypes.data, self.output.ctypes.data)
        self._turns = cycle([(here, there), (there, here)])

    def advance(self) -> None:
        """Goes on by one step."""
        x, output = self._addresses
        self._step(x, *next(self._turns), output)


def _steps(layers: RecurrentLayer | QuantizedLayer) -> list[Step] | None:
    """What computes a step of each layer, or None where only the layers themselves can."""
    if isinstance(layers, QuantizedLayer):
        rows = padded(1, 1).record
        return [partial(_byte_step, scan, rows) for scan in layers.scans()]
    stack = None if layers.proj_size else layers.checked_stack(torch.float32)
    if stack is None:
        return None
    return [partial(streaming.layer_step, stack, place, 1) for place in range(layers.num_layers)]


def _byte_step(
    scan: ByteScan, rows: RowRecord, x: int, before: Sequence[int], after: Sequence[int], output: int
) -> None:
    scan.run(rows, reverse=False, threads=1, x=x, initial=before, final=after, output=output)
