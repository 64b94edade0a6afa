"""Recurrent layers on arrays, by the native kernels: nothing acts around the cell, and nobody wants a gradient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gatework import _decoding, _native
from gatework._threads import usable_cores
from gatework.cells.shapes import SHAPES
from gatework.inference._rows import ScanRows
from gatework.options import ModelOptions
from gatework.scan.isa import active_isa
from gatework.scan.records import ForwardRecord, WeightRecord

Array = NDArray[np.float32]
Weights = Mapping[str, np.ndarray]
_FLOAT, _PLAIN = 0, 0
_FIELDS = WeightRecord._fields[3:]


def has_layers(config: ModelOptions) -> bool:
    """Whether the layers of a recipe can be computed here: those of a built-in cell with nothing around it."""
    acts = (config.cell_clip, config.layer_norm, config.zoneout)
    return config.cell in SHAPES and config.cell in _native.CELLS and not any(acts)


def weight_shapes(config: ModelOptions, inputs: int) -> dict[str, tuple[int, ...]]:
    """The weights of the layers of a recipe by name, with their shapes."""
    shape, hidden, directions = SHAPES[config.cell], config.hidden, 2 if config.bidirectional else 1
    shapes: dict[str, tuple[int, ...]] = {}
    for place, suffix in enumerate(layer_suffixes(config)):
        width = inputs if place < directions else hidden * directions
        shapes[f"weight_ih{suffix}"] = (shape.input_gates * hidden, width)
        shapes[f"bias_ih{suffix}"] = (shape.input_gates * hidden,)
        if shape.recurrent_gates:
            shapes[f"weight_hh{suffix}"] = (shape.recurrent_gates * hidden, hidden)
            shapes[f"bias_hh{suffix}"] = (shape.recurrent_gates * hidden,)
        if shape.unit_weights:
            shapes[f"weight_unit{suffix}"] = (shape.unit_weights, hidden)
    return shapes


def layer_suffixes(config: ModelOptions) -> list[str]:
    """How the names of the weights of each layer and direction end."""
    ends = ("", "_reverse") if config.bidirectional else ("",)
    return [f"_l{layer}{end}" for layer in range(config.layers) for end in ends]


class CarriedStates(NamedTuple):
    """The states of layers between two steps of one sequence; the next step writes them anew where they are.

    Attributes:
        values: Shape (states, layers, hidden).
        address: Where they are.
        hidden: Of these, the top layer's h, shape (hidden,).
    """

    values: Array
    address: int
    hidden: Array

    @classmethod
    def of(cls, values: Array) -> CarriedStates:
        """States in one piece of memory."""
        return cls(values, values.ctypes.data, values[0, -1])


class Layers:
    """The recurrent layers of a recipe.

    Args:
        config: The cell and the sizes, of which `has_layers()` is true.
        inputs: Features of the input.
        weights: Exactly those of `weight_shapes()`, float32 and contiguous; they are used where they are.

    Attributes:
        threads: How many threads compute a batch.
        states: How many states the cell has.
        kernel: The address of the cell's kernels.
        records: The weights of each layer and direction, as the native side takes them.
    """

    def __init__(self, config: ModelOptions, inputs: int, weights: Weights) -> None:
        self.directions, self.hidden, self.count = (2 if config.bidirectional else 1), config.hidden, config.layers
        self.states = SHAPES[config.cell].states
        self.threads = usable_cores()
        self._weights = weights
        places = _native.ISAS.index(active_isa()), _native.CELLS.index(config.cell)
        self.kernel = _native.find_kernel(*places, _FLOAT, _PLAIN)
        self.records: list[WeightRecord] = []
        for place, suffix in enumerate(layer_suffixes(config)):
            width = inputs if place < self.directions else self.hidden * self.directions
            given = [weights.get(f"{name}{suffix}") for name in _FIELDS]
            addresses = [0 if array is None else array.ctypes.data for array in given]
            self.records.append(WeightRecord(width, self.hidden, self.hidden, *addresses))
        self._steps = _decoding.LayerSteps(self.kernel, self.records)

    def over(self, x: Array, rows: ScanRows) -> tuple[Array, Array]:
        """Runs over whole sequences.

        Args:
            x: The input of each row, shape (rows, features), contiguous.
            rows: Which rows these are.

        Returns:
            The top layer's h, shape (rows, states), and the last h of every layer and direction, shape (layers x
            directions, batch, hidden), whose sequences stand in the order of `rows`.
        """
        zeros = np.zeros((self.states, len(self.records), len(rows.order), self.hidden), np.float32)
        return self._forward(x, rows, zeros)

    def go_on(self, x: Array, carried: CarriedStates | None) -> tuple[Array, CarriedStates]:
        """Goes on by several steps of one sequence.

        Args:
            x: Shape (steps, features), contiguous.
            carried: What the previous call, or `step()`, returned; None at the start.

        Returns:
            The top layer's h at each step, shape (steps, hidden), and what is carried on.
        """
        before = self._start() if carried is None else carried
        rows = ScanRows.of(np.array([len(x)]))
        finals = np.empty_like(before.values)
        output, _ = self._forward(x, rows, before.values[:, :, None], finals[:, :, None])
        return output, CarriedStates.of(finals)

    def step(self, x: int, carried: CarriedStates | None) -> CarriedStates:
        """Goes on by one step of one sequence.

        Args:
            x: The address of the input.
            carried: What the previous call returned, which is no longer to be used; None at the start.

        Returns:
            What is carried on.
        """
        states = self._start() if carried is None else carried
        self._steps.run(x, states.address)
        return states

    @property
    def carried_shape(self) -> tuple[int, int, int]:
        """The shape of the values of `CarriedStates`."""
        return self.states, self.count, self.hidden

    def _start(self) -> CarriedStates:
        return CarriedStates.of(np.zeros(self.carried_shape, np.float32))

    def _forward(self, x: Array, rows: ScanRows, initial: Array, finals: Array | None = None) -> tuple[Array, Array]:
        finals = np.empty_like(initial) if finals is None else finals
        start, end = ([a.ctypes.data for a in states] for states in (initial, finals))
        missing = [0] * (_native.MAX_STATES - self.states)
        record = rows.record()
        for first in range(0, len(self.records), self.directions):
            outputs = [np.empty((len(x), self.hidden), np.float32) for _ in range(self.directions)]
            scans = [
                ForwardRecord(
                    first + k, k == 1, self.records[first + k], x.ctypes.data, output.ctypes.data, 0, ()
                )
                for k, output in enumerate(outputs)
            ]  # fmt: skip
            _check(_native.forward(self.kernel, self.threads, record, [*start, *missing], [*end, *missing], scans, 0))
            x = outputs[0] if self.directions == 1 else np.concatenate(outputs, 1)
        return x, finals[0]


def _check(status: int) -> None:
    if status:
        raise MemoryError("gatework: no memory for a scan's scratch space")
