"""Recurrent layers on int8, in the place of those in float32."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gatework.inference._layers import CarriedStates, Layers, Weights, layer_suffixes
from gatework.inference._rows import ScanRows
from gatework.options import ModelOptions
from gatework.scan.quantized import ByteRows, ByteScan, ByteWeights
from gatework.scan.records import RowRecord

Array = NDArray[np.float32]


class QuantizedLayers(Layers):
    """The recurrent layers of a recipe on int8; see `gatework.scan.quantized`.

    Args:
        config: As for `Layers`.
        inputs: Features of the input.
        weights: As for `Layers`; they are rounded.
    """

    def __init__(self, config: ModelOptions, inputs: int, weights: Weights) -> None:
        super().__init__(config, inputs, weights)
        self._scans = [ByteScan(config.cell, _byte_weights(weights, end)) for end in layer_suffixes(config)]

    def step(self, x: int, carried: CarriedStates | None) -> CarriedStates:
        """See `Layers`."""
        before = self._start() if carried is None else carried
        after = CarriedStates.of(np.empty(self.carried_shape, np.float32))
        output = np.empty((1, self.hidden), np.float32)
        rows = RowRecord(1, 1, 0, 0)
        for layer, scan in enumerate(self._scans):
            places = [4 * self.hidden * (state * self.count + layer) for state in range(self.states)]
            scan.run(
                rows, reverse=False, threads=1, x=x, initial=[before.address + place for place in places],
                final=[after.address + place for place in places], output=output.ctypes.data,
            )  # fmt: skip
            x = after.address + places[0]
        return after

    def _forward(self, x: Array, rows: ScanRows, initial: Array, finals: Array | None = None) -> tuple[Array, Array]:
        finals = np.empty_like(initial) if finals is None else finals
        record = rows.record()
        for first in range(0, len(self._scans), self.directions):
            outputs = [np.empty((len(x), self.hidden), np.float32) for _ in range(self.directions)]
            for direction, output in enumerate(outputs):
                place = first + direction
                self._scans[place].run(
                    record, reverse=direction == 1, threads=self.threads, x=x.ctypes.data,
                    initial=[state[place].ctypes.data for state in initial],
                    final=[state[place].ctypes.data for state in finals], output=output.ctypes.data,
                )  # fmt: skip
            x = outputs[0] if self.directions == 1 else np.concatenate(outputs, 1)
        return x, finals[0]


def _byte_weights(weights: Weights, end: str) -> ByteWeights:
    """Those of one layer and direction, rounded; of a cell without recurrent gates with a matrix of no rows."""
    input_product = weights[f"weight_ih{end}"]
    recurrent = weights.get(f"weight_hh{end}", np.zeros((0, 1), np.float32))
    parts = (weights.get(f"{name}{end}") for name in ("bias_ih", "bias_hh", "weight_unit"))
    return ByteWeights(ByteRows.of(input_product), ByteRows.of(recurrent), *parts)
